"""The made-up members and channels of the local workspace.

Rule: the speaker is chosen on the page. A member is not an account: whoever can use the
workspace can be any member, so one person can see what members, admins and guests see.
"""

from dataclasses import dataclass

from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.scope import Scope
from bot.messages import web as texts

PLATFORM, WORKSPACE = "web", "local"
#: The id and the name by which people mention the bot.
BOT, BOT_NAME = "claude", "Claude"
#: The channel of the threads that programs start through the API.
API = "api"
#: The prefix of a member's id in the id of their direct messages, and the prefix of a
#: token's name in the author id of a program.
DIRECT, PROGRAM = "D", "token-"


@dataclass(frozen=True, slots=True)
class Member:
    """A member of the workspace."""

    id: str
    name: str
    about: str
    admin: bool = False
    guest: bool = False


@dataclass(frozen=True, slots=True)
class Channel:
    """A channel of the workspace; `members` is empty if everybody reads it."""

    id: str
    about: str
    members: frozenset[str] = frozenset()
    guests: bool = False


MEMBERS = (
    Member("olga", "Olga", texts.AN_ADMIN, admin=True),
    Member("ben", "Ben", texts.A_MEMBER),
    Member("mia", "Mia", texts.A_MEMBER),
    Member("gil", "Gil", texts.A_GUEST, guest=True),
)
CHANNELS = (
    Channel("welcome", texts.ABOUT_WELCOME, guests=True),
    Channel("engineering", texts.ABOUT_ENGINEERING),
    Channel("support", texts.ABOUT_SUPPORT),
    Channel("leads", texts.ABOUT_LEADS, members=frozenset({"olga"})),
)
_MEMBERS = {each.id: each for each in MEMBERS}
_CHANNELS = {each.id: each for each in CHANNELS}


def member(id: str) -> Member | None:
    """Return the member with this id, or None."""
    return _MEMBERS.get(id)


def channel(id: str) -> Channel | None:
    """Return the channel with this id; None for direct messages."""
    return _CHANNELS.get(id)


def name_of(user: str) -> str:
    """Return the name of a member, a program or the bot, or the id of anybody else."""
    if user in ("", BOT):
        return BOT_NAME
    found = _MEMBERS.get(user)
    return found.name if found else user.removeprefix(PROGRAM)


def channel_name(id: str) -> str:
    """Return the name of a channel with its "#" or "@", or "" if there is no such
    channel."""
    if id.startswith(DIRECT):
        found = _MEMBERS.get(id.removeprefix(DIRECT))
        return f"@{found.name}" if found else ""
    return f"#{id}" if id in _CHANNELS or id == API else ""


def reads(user: str, channel: str) -> bool:
    """Return whether `user` may read in the channel with this id."""
    if channel == API:
        return user.startswith(PROGRAM)
    if channel.startswith(DIRECT):
        return user in _MEMBERS and channel == f"{DIRECT}{user}"
    where, who = _CHANNELS.get(channel), _MEMBERS.get(user)
    if where is None or who is None:
        return False
    if who.guest and not where.guests:
        return False
    return not where.members or user in where.members


def channels_of(user: str) -> tuple[Channel, ...]:
    """Return the channels that `user` reads, without direct messages."""
    return tuple(each for each in CHANNELS if reads(user, each.id))


class WebDirectory:
    """Implements `bot.ports.platform.Directory` for the local workspace."""

    async def person(self, place: Scope, user: str) -> Person:
        """Return the member `user`, or a person with only an id and a name if there is
        no such member."""
        found = _MEMBERS.get(user)
        if found is None:
            return Person(user, name_of(user))
        return Person(
            user, found.name, runs_workspace=found.admin, outsider=found.guest
        )

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return what `user` may do in the channel of `place`."""
        if (place.platform, place.workspace) != (PLATFORM, WORKSPACE):
            return NOWHERE
        if not channel_name(place.channel):
            return NOWHERE
        may = reads(user, place.channel)
        where = _CHANNELS.get(place.channel)
        # Whoever may see the console may read the threads of all programs.
        is_public = place.channel == API or (where is not None and not where.members)
        return ChannelAccess(
            exists=True, reads=may, writes=may, bot_writes=True, is_public=is_public
        )

    async def names(self, place: Scope, user: str) -> PlaceNames:
        """Return the names of `user`, of the channel and of the workspace."""
        person = name_of(user) if user in _MEMBERS or user.startswith(PROGRAM) else ""
        return PlaceNames(person, channel_name(place.channel), texts.WORKSPACE)

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is a member's direct messages with the bot."""
        return place.channel.startswith(DIRECT)
