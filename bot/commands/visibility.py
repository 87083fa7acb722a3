"""The parts of settings and spending that one person may see.

Rule: no list shows anything that the person could not look up: a channel that they do
not see, other people's direct messages, or, for a guest, spending elsewhere.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from bot.domain.budget import Budget
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Refusal, Version
from bot.messages import phrases
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings
from bot.settings.options import BY_NAME
from bot.settings.target import OTHER
from bot.text import references

#: The text shown for direct messages, and for channels that the person does not see.
DIRECT = phrases.DIRECT_MESSAGES
UNSEEN = phrases.UNSEEN_CHANNEL


async def policy(
    access: SettingsAccess, whole: EffectiveSettings, person: Person
) -> EffectiveSettings:
    """Return `whole` without the names of channels that `person` does not see.

    Raises DeliveryError if that cannot be looked up now.
    """
    applied = dict(whole.applied)
    for name, each in whole.applied.items():
        option = BY_NAME.get(name)
        channel = each.value.removeprefix(OTHER)
        if option is not None and option.names_channel and channel:
            place = replace(whole.place.at(ScopeLevel.WORKSPACE), channel=channel)
            found = await access.channel_access(place, person.id)
            applied[name] = each if found.reads else replace(each, value=UNSEEN)
    return replace(whole, applied=applied)


E = TypeVar("E", AuditEntry, Refusal)


def prompt(version: Version, person: Person) -> Version:
    """Return `version`, without its text for guests."""
    return replace(version, text="") if person.outsider else version


def has_balance(access: SettingsAccess, cap: Budget, person: Person) -> bool:
    """Return True if `person` may see how much of the budget `cap` is used.

    The balance of a workspace reveals the spending of others elsewhere. It is hidden
    from guests, and in direct messages that belong to no workspace.
    """
    if cap.place.level is ScopeLevel.OPERATOR:
        # Spending of other workspaces is hidden.
        return False
    if cap.place.level is not ScopeLevel.WORKSPACE:
        return True
    return not (person.outsider or access.is_direct(cap.place))


def account(access: SettingsAccess, place: Scope) -> str:
    """Return the name for the spending of `place` that admins of its workspace see; all
    direct messages share one name."""
    return DIRECT if access.is_direct(place) else references.channel(place.channel)


def audit(access: SettingsAccess, entries: Sequence[E], place: Scope) -> list[E]:
    """Return the entries or refusals of `place`, without those of direct messages other
    than `place` itself."""
    here = place.at(ScopeLevel.CHANNEL)
    return [
        entry
        for entry in entries
        if entry.place.at(ScopeLevel.CHANNEL) == here
        or not access.is_direct(entry.place)
    ]
