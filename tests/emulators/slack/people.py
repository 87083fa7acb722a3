"""The workspace's users and channels, and their JSON.

Field sets: A5.5 (`users.info`, `conversations.info`).
"""

from dataclasses import dataclass, field

from tests.emulators.slack.blocks import Json


@dataclass(slots=True)
class User:
    """A person, or the user of an app, which has a `bot`."""

    id: str
    name: str
    team: str
    real_name: str
    admin: bool = False
    owner: bool = False
    primary_owner: bool = False
    #: A guest, of several channels or of a `single_channel`.
    guest: bool = False
    single_channel: bool = False
    deleted: bool = False
    #: The B… id of an app's user; "" for people.
    bot: str = ""
    app: str = ""
    #: Whether it posts like a classic app: subtype `bot_message`, no `user` (A1.3).
    classic: bool = False
    #: Whether `users.info` does not know them, like some people of other organisations.
    unknown: bool = False

    def json(self, home: str) -> Json:
        """Return the user as `users.info` shows it in the workspace `home` (A13)."""
        owner = self.owner or self.primary_owner
        # Only people of other organisations have this field.
        stranger = {"is_stranger": True} if self.team != home else {}
        return {
            "id": self.id,
            "team_id": self.team,
            "name": self.name.lower(),
            "deleted": self.deleted,
            "real_name": self.real_name,
            "tz": "Europe/Berlin",
            "tz_offset": 3600,
            "is_admin": self.admin or owner,
            "is_owner": owner,
            "is_primary_owner": self.primary_owner,
            "is_restricted": self.guest or self.single_channel,
            "is_ultra_restricted": self.single_channel,
            **stranger,
            "is_bot": bool(self.bot),
            "is_app_user": False,
            "updated": 1795000000,
            "profile": {
                "display_name": self.name,
                "real_name": self.real_name,
                "team": self.team,
            },
        }


@dataclass(slots=True)
class Channel:
    """A channel or direct messages. `kind` is Slack's `channel_type` (A1.2)."""

    id: str
    name: str
    kind: str
    team: str
    creator: str
    members: set[str] = field(default_factory=set)
    archived: bool = False
    #: Whether it is what remains of a channel that another organisation unshared (A14).
    frozen: bool = False
    #: The people who may write besides admins; None for everybody.
    posters: tuple[str, ...] | None = None

    @property
    def private(self) -> bool:
        return self.kind != "channel"

    def json(self, reader: str) -> Json:
        """Return the channel as `conversations.info` shows it to user `reader`."""
        if self.kind == "im":
            (other,) = self.members - {reader}
            return {
                "id": self.id,
                "created": 1795000000,
                "is_im": True,
                "is_archived": self.archived,
                "user": other,
                "context_team_id": self.team,
            }
        posting: Json = {}
        if self.posters is not None:
            only = {"type": ["admin"], "user": list(self.posters)}
            posting = {"properties": {"posting_restricted_to": only}}
        return {
            "id": self.id,
            "name": self.name,
            "is_channel": self.kind == "channel",
            "is_group": self.kind == "group",
            "is_im": False,
            "is_mpim": self.kind == "mpim",
            "is_private": self.private,
            "is_archived": self.archived,
            "is_frozen": self.frozen,
            **posting,
            "is_member": reader in self.members,
            "is_shared": False,
            "is_ext_shared": False,
            "is_org_shared": False,
            "creator": self.creator,
            "context_team_id": self.team,
            "topic": {"value": ""},
            "purpose": {"value": ""},
        }
