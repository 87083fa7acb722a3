"""Replaces ids by names in reports.

Rule: a name is shown alone only if no other id has it, since people can choose any
name. An id without a known name stays an id.
"""

import re
from collections.abc import Sequence

from bot.domain.names import LastName, NameKind
from bot.domain.scope import Scope, ScopeLevel

# People and channels in the values of settings.
_NAMED = re.compile(r"(user|channel):([A-Za-z0-9]++)")


class Labels:
    """Names of people and places, from `names`, the newest last."""

    def __init__(self, names: Sequence[LastName] = ()) -> None:
        self._names = {
            (each.kind, each.platform, each.workspace, each.id): each.name
            for each in names
        }
        # On Discord a person may have a name in each server.
        self._anywhere = {
            (each.platform, each.id): each.name
            for each in names
            if each.kind is NameKind.PERSON
        }
        self._ids: dict[tuple[NameKind, str], set[str]] = {}
        for each in names:
            home = "" if each.kind is NameKind.PERSON else f"{each.workspace}:"
            ids = self._ids.setdefault((each.kind, each.name), set())
            ids.add(f"{each.platform}:{home}{each.id}")

    def person_name(self, place: Scope, user: str) -> str:
        """Return the name of `user` at `place`; "" if it is not known."""
        key = NameKind.PERSON, place.platform, place.workspace, user
        return self._names.get(key, "") or self._anywhere.get(
            (place.platform, user), ""
        )

    def place_name(self, place: Scope) -> str:
        """Return the name of the channel of `place`, or of its workspace if `place` is
        a workspace; "" if it is not known."""
        where = place.platform, place.workspace
        if place.channel:
            return self._names.get((NameKind.CHANNEL, *where, place.channel), "")
        return self._names.get((NameKind.WORKSPACE, *where, place.workspace), "")

    def person(self, place: Scope, user: str) -> str:
        """Return "@Olga" for `user` at `place`; "" if no name is known."""
        name = self.person_name(place, user)
        return self._alone(NameKind.PERSON, name, f"{place.platform}:{user}", "@")

    def place(self, place: Scope) -> str:
        """Return "#billing" for a channel, with the id of the thread if `place` is one,
        or the name of a workspace; "" if no name is known."""
        name, around = self.place_name(place), place.at(ScopeLevel.CHANNEL)
        kind = NameKind.CHANNEL if place.channel else NameKind.WORKSPACE
        # The kind distinguishes a workspace from a channel.
        home = f"{place.workspace}:{place.channel or place.workspace}"
        label = self._alone(kind, name, f"{place.platform}:{home}", "", str(around))
        return f"{label}:{place.thread}" if label and place.thread else label

    def value(self, place: Scope, text: str) -> str:
        """Return the value of a setting, with names of people and channels instead of
        ids."""
        workspace = place.at(ScopeLevel.WORKSPACE)

        def named(found: re.Match[str]) -> str:
            if found[1] == "user":
                return self.person(workspace, found[2]) or found[0]
            channel = Scope(place.platform, place.workspace, found[2])
            return self.place(channel) or found[0]

        return _NAMED.sub(named, text)

    def _alone(
        self, kind: NameKind, name: str, id: str, sign: str, shown: str = ""
    ) -> str:
        if not name:
            return ""
        others = self._ids.get((kind, name), set()) - {id}
        return f"{sign}{name} ({shown or id})" if others else f"{sign}{name}"
