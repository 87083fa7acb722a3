"""User groups: usergroups.list and usergroups.users.list (scope usergroups:read).

Shapes and errors are those of Slack's pages on the two methods.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.emulators.slack.blocks import Json
from tests.emulators.slack.calls import Call, Refused
from tests.emulators.slack.world import World


@dataclass(slots=True)
class Group:
    """A group of people in the workspace with a handle."""

    id: str
    name: str
    #: Without the "@".
    handle: str
    users: list[str]
    disabled: bool = False

    def json(self, team: str, *, users: bool, count: bool) -> Json:
        """Return the group as usergroups.list shows it."""
        return {
            "id": self.id,
            "team_id": team,
            "is_usergroup": True,
            "is_subteam": True,
            "name": self.name,
            "description": "",
            "handle": self.handle,
            "is_external": False,
            "date_create": 1795000000,
            "date_update": 1795000000,
            "date_delete": 1795000000 if self.disabled else 0,
            "auto_type": None,
            "created_by": "U00000000",
            "updated_by": "U00000000",
            "deleted_by": None,
            "prefs": {"channels": [], "groups": []},
            **({"users": self.users} if users else {}),
            **({"user_count": len(self.users)} if count else {}),
        }


class Groups:
    """The user groups of the workspace."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._groups: dict[str, Group] = {}

    def methods(self) -> Mapping[str, Callable[[Call], Json]]:
        """Return the methods by name."""
        return {"usergroups.list": self._list, "usergroups.users.list": self._users}

    def add(self, name: str, handle: str, users: list[str]) -> Group:
        """Make a group of `users`."""
        group = Group(self._world.number("S"), name, handle, users)
        self._groups[group.id] = group
        self._world.handles[group.id] = handle
        return group

    def change(self, group: str, users: list[str], *, disabled: bool = False) -> None:
        """Replace the members of a group, or disable it."""
        self._groups[group].users = users
        self._groups[group].disabled = disabled

    def _list(self, call: Call) -> Json:
        if self._world.is_org_wide and not call.text("team_id"):
            # An organisation's token does not identify the workspace (A14).
            raise Refused("missing_argument")
        shown = [
            group.json(
                self._world.team,
                users=call.flag("include_users"),
                count=call.flag("include_count"),
            )
            for group in self._groups.values()
            if call.flag("include_disabled") or not group.disabled
        ]
        return {"ok": True, "usergroups": shown}

    def _users(self, call: Call) -> Json:
        group = self._groups.get(call.text("usergroup"))
        if group is None or (group.disabled and not call.flag("include_disabled")):
            raise Refused("no_such_subteam")
        return {"ok": True, "users": group.users}
