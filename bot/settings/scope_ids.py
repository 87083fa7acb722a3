"""The formats of the platforms' scope ids. Pure.

In settings files, a name is easily mistaken for an id, and a setting for a name applies
nowhere.
"""

import re

from bot.domain.scope import Scope, ScopeLevel

# The formats by platform and level, with an example (platform facts A5.5, B6). Ids of
# the web and the terminal are words without a fixed format.
_FORMS = {
    "slack": {
        ScopeLevel.WORKSPACE: (re.compile(r"[TE][A-Z0-9]+"), "T0123ABC"),
        ScopeLevel.CHANNEL: (re.compile(r"[CDG][A-Z0-9]+"), "C0123ABC"),
        ScopeLevel.THREAD: (re.compile(r"[0-9]+\.[0-9]+"), "1795290000.000100"),
    },
    "discord": {
        ScopeLevel.WORKSPACE: (re.compile(r"[0-9]+|@me"), "123456789012345678"),
        ScopeLevel.CHANNEL: (re.compile(r"[0-9]+"), "123456789012345678"),
        ScopeLevel.THREAD: (re.compile(r"[0-9]+"), "123456789012345678"),
    },
    "web": {},
    "terminal": {},
}
PLATFORMS = tuple(_FORMS)


def example(place: Scope) -> str:
    """Return an example of the innermost id of `place` if that id is not valid, else
    ""."""
    found = _FORMS.get(place.platform, {}).get(place.level)
    if found is None or found[0].fullmatch(getattr(place, place.level.value)):
        return ""
    return found[1]
