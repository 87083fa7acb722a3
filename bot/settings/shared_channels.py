"""Decides who is answered in a channel shared with another organisation. Pure.

Rule: guests and people of other organisations are answered there only if the setting
`who` names them, or is set for the channel itself. The default, and a value set for the
whole workspace, were not meant for them.
"""

from bot.domain.person import EVERYONE, Person, is_listed
from bot.domain.scope import ScopeLevel
from bot.messages.outsiders import ALL_ADMITTED, MEMBERS_ONLY, SOME_ADMITTED
from bot.settings.effective import EffectiveSettings


def turns_away(person: Person, settings: EffectiveSettings) -> bool:
    """Return True if `person` is not answered because the channel is shared."""
    if not (person.shared and person.outsider):
        return False
    who = settings["who"]
    return not (_admits_all(settings) or (who != EVERYONE and is_listed(person, who)))


def policy(settings: EffectiveSettings) -> str:
    """Return the sentence that says who is answered in a shared channel."""
    if settings["who"] != EVERYONE:
        return SOME_ADMITTED
    return ALL_ADMITTED if _admits_all(settings) else MEMBERS_ONLY


def _admits_all(settings: EffectiveSettings) -> bool:
    applied = settings.applied["who"]
    return applied.value == EVERYONE and applied.place.level is ScopeLevel.CHANNEL
