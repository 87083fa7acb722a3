"""The forms of the platforms' ids of scopes. Pure.

Names look alike in files of settings, and what is set for one applies nowhere.
"""

import re

from bot.domain.scope import Scope, ScopeLevel

# By platform and level, with an example (platform facts A5.5, B6). Those of the local
# workspace and of the terminal are words, and are not told apart.
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
    """Return an example of the innermost id of `place`, if that cannot be one; "" if it
    can."""
    found = _FORMS.get(place.platform, {}).get(place.level)
    if found is None or found[0].fullmatch(getattr(place, place.level.value)):
        return ""
    return found[1]
