"""People, and the scopes that they may administer. Pure.

Rule: an adapter states facts about a person. This module decides whether the person may
act, for every platform and code path, at the time of the action.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.domain.scope import Scope, ScopeLevel
from bot.text.characters import replace_invalid

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Person:
    """Facts about one person in one channel, as the platform reports them."""

    id: str
    #: The displayed name; "" if unknown.
    name: str = ""
    #: Administers or owns the workspace; on Discord, has Manage Server.
    runs_workspace: bool = False
    #: On Discord, has Manage Channels in this channel.
    runs_channel: bool = False
    #: Created this channel, if the platform reports creators.
    made_channel: bool = False
    #: A guest or a member of another organisation: never an admin, even if listed.
    outsider: bool = False
    #: Whether the channel is shared with another organisation.
    shared: bool = False
    #: Ids of their user groups or roles.
    groups: frozenset[str] = frozenset()
    #: The platform could not report some of these facts now, so the person may have
    #: more rights than the facts give them.
    incomplete: bool = False

    def __post_init__(self) -> None:
        # Untrusted: people can choose any name.
        object.__setattr__(self, "name", replace_invalid(self.name))


def is_listed(person: Person, people: str) -> bool:
    """Return True if `people` includes `person`.

    `people` is "everyone", or words "user:ID" and "group:ID" separated by spaces.
    """
    named = people.split()
    return (
        people == EVERYONE
        or f"user:{person.id}" in named
        or any(f"group:{group}" in named for group in person.groups)
    )


def administers(
    person: Person,
    place: Scope,
    *,
    operators: Collection[str],
    admins: Iterable[tuple[Scope, str]],
    creators: bool,
) -> bool:
    """Return True if `person` may change the settings of `place`.

    `operators` are "platform:ID" from the environment. `admins` are pairs of a scope
    and the people listed as its admins, in the format of `is_listed`. `creators` says
    whether the creator of a channel may administer it.
    """
    if person.outsider or place.level is ScopeLevel.OPERATOR:
        return False
    if person.runs_workspace or f"{place.platform}:{person.id}" in operators:
        return True
    for where, named in admins:
        if where.holds(place) and named != EVERYONE and is_listed(person, named):
            return True
    if place.level is ScopeLevel.WORKSPACE:
        return False
    return person.runs_channel or (creators and person.made_channel)
