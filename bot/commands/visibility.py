"""Says what one person may know of what applies and of what was spent.

Rule: nobody learns from a list what they could not look at: a channel that they do not
see, somebody else's direct messages, or, as a guest, what was spent elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from bot.domain.budget import Budget
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Refusal, Version
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME
from bot.settings.target import OTHER

#: What stands for somebody's direct messages, and for a channel that is not seen.
DIRECT = "Direct messages"
UNSEEN = "a channel that you do not see"


async def policy(
    authority: SettingsAccess, whole: EffectiveSettings, person: Person
) -> EffectiveSettings:
    """Return `whole` without the channels in it that `person` does not see.

    Raises DeliveryError when that cannot be found out now.
    """
    applied = dict(whole.applied)
    for name, each in whole.applied.items():
        option = BY_NAME.get(name)
        channel = each.value.removeprefix(OTHER)
        if option is not None and option.names_channel and channel:
            place = replace(whole.place.at(ScopeLevel.WORKSPACE), channel=channel)
            access = await authority.access(place, person.id)
            applied[name] = each if access.reads else replace(each, value=UNSEEN)
    return replace(whole, applied=applied)


E = TypeVar("E", AuditEntry, Refusal)


def prompt(version: Version, person: Person) -> Version:
    """Return `version`, for guests without its text."""
    return replace(version, text="") if person.outsider else version


def has_balance(authority: SettingsAccess, cap: Budget, person: Person) -> bool:
    """Whether `person` may know how much of the budget `cap` is used.

    That of a whole workspace tells what others spent elsewhere: it is not for guests,
    nor for direct messages that belong to no workspace.
    """
    if cap.place.level is ScopeLevel.OPERATOR:
        # What others spend is not for people of one workspace to see.
        return False
    if cap.place.level is not ScopeLevel.WORKSPACE:
        return True
    return not (person.outsider or authority.is_direct(cap.place))


def account(authority: SettingsAccess, place: Scope) -> str:
    """Return under which name those who administer a workspace read what was spent at
    `place` in it: of direct messages only that they are such."""
    return DIRECT if authority.is_direct(place) else f"{OTHER}{place.channel}"


def audit(authority: SettingsAccess, entries: Sequence[E], place: Scope) -> list[E]:
    """Return `entries` or refusals of the audit of `place` without those of direct
    messages in it, unless it is these."""
    here = place.at(ScopeLevel.CHANNEL)
    return [
        entry
        for entry in entries
        if entry.place.at(ScopeLevel.CHANNEL) == here
        or not authority.is_direct(entry.place)
    ]
