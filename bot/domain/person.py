"""People and what they may administer. Pure.

Rule: an adapter states facts about a person; whether they may act is decided here, for
every platform and path, at the time of the action.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.domain.scope import Scope, ScopeLevel
from bot.text.characters import replace_invalid

EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Person:
    """Facts about one person in one channel, as the platform states them."""

    id: str
    #: The displayed name; "" if unknown.
    name: str = ""
    #: Administers or owns the workspace; on Discord, holds Manage Server.
    runs_workspace: bool = False
    #: On Discord, holds Manage Channels in this very channel.
    runs_channel: bool = False
    #: Created this channel, where the platform says so.
    made_channel: bool = False
    #: A guest or a member of another organisation: never an admin, even if named.
    outsider: bool = False
    #: Whether the channel is shared with another organisation.
    shared: bool = False
    #: Ids of their user groups or roles.
    groups: frozenset[str] = frozenset()
    #: The platform could not tell some of this now, so that they may have more rights
    #: than these facts give them.
    incomplete: bool = False

    def __post_init__(self) -> None:
        # Anybody can give themself any name.
        object.__setattr__(self, "name", replace_invalid(self.name))


def listed(person: Person, people: str) -> bool:
    """Return True if `people` names `person`: "everyone", or tokens "user:ID" and
    "group:ID" separated by spaces."""
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

    `operators` are "platform:ID" from the environment; `admins` are scopes with the
    people whom admins named there, in the form of `listed`; `creators` says whether
    the creator of a channel may administer it.
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
