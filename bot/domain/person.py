"""Who somebody is, as far as it decides what they may do. Pure.

Rule: a platform's adapter states facts about a person; whether they may is decided
here, for every platform and every path alike, at the time of the action.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.domain.scope import Scope, ScopeLevel

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Person:
    """Facts about one person in one channel, by the platform's own word."""

    id: str
    #: As people see it; "" if it is not known.
    name: str = ""
    #: Administers or owns the workspace; on Discord, holds Manage Server.
    runs_workspace: bool = False
    #: On Discord, holds Manage Channels in this very channel.
    runs_channel: bool = False
    #: Created this channel, where the platform tells.
    made_channel: bool = False
    #: A guest, or somebody of another organisation: never an admin, even if named.
    outsider: bool = False
    #: Ids of the user groups, or roles, that they are in.
    groups: frozenset[str] = frozenset()


def listed(person: Person, people: str) -> bool:
    """Whether `person` is among `people`: "everyone", or tokens "user:ID" and
    "group:ID" with blanks between them."""
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
    """Whether `person` may change what applies at `place`.

    `operators` are "platform:ID" of those whom the operator named; `admins` are
    those whom admins named, as people are listed, with where; `creators` says
    whether who created a channel may administer it.
    """
    if person.outsider or place.level is ScopeLevel.OPERATOR:
        return False
    if person.runs_workspace or f"{place.platform}:{person.id}" in operators:
        return True
    for where, named in admins:
        if where.holds(place) and named != EVERYONE and listed(person, named):
            return True
    if place.level is ScopeLevel.WORKSPACE:
        return False
    return person.runs_channel or (creators and person.made_channel)
