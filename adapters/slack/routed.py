"""Implements the ports of a platform by passing each call on to its workspace.

Rule: nothing is decided or remembered here.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, BinaryIO, Protocol

from aiohttp import web

from adapters.slack.workspace import Workspace
from bot.domain.attachment import Attachment
from bot.domain.channel_access import ChannelAccess
from bot.domain.message import EarlierMessages, Message
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.post_key import PostKey
from bot.domain.scope import Scope, ThreadKey
from bot.errors import AccessRevoked
from bot.ports.host import Host
from bot.ports.wakeups import PeriodicTask
from bot.ui.elements import Response


class Workspaces(Protocol):
    """The workspaces that the app is installed in."""

    @property
    def periodic_tasks(self) -> Sequence[PeriodicTask]:
        """The periodic tasks that one of all processes does for the workspaces."""
        ...

    async def get(self, team: str) -> Workspace:
        """Return the workspace `team`. Raises AccessRevoked if the app is not installed
        there, or DeliveryError if that is unknown now."""
        ...

    async def find(self, body: Mapping[str, Any]) -> Workspace | None:
        """Return the workspace that Slack's payload `body` is for; None if the app is
        not installed there. Raises StorageError if that is unknown now."""
        ...

    async def home(self, user: str) -> Workspace:
        """Return the workspace of the user with the id `user`. Raises DeliveryError if
        none is found."""
        ...

    def user(self, team: str) -> str:
        """Return the id of the bot's user in `team`; "" if that is not known yet."""
        ...

    def begin(self, host: Host, refused: Callable[[AccessRevoked], None]) -> None:
        """Begin to report Slack's refusals: to `host` if they concern one of many
        workspaces, to `refused` if they concern the only one."""

    def routes(self, host: Host) -> list[web.RouteDef]:
        """Return the routes on which people install the app; none if people cannot
        install it."""
        ...

    def listening(self, host: Host) -> None:
        """Log that events are received."""

    async def close(self) -> None:
        """Cancel the look-ups in progress."""


class RoutedDirectory:
    """`bot.ports.platform.Directory` of all workspaces."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def person(self, place: Scope, user: str) -> Person:
        """Return `user` with their rights in `place`. Raises DeliveryError or
        AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        return await there.directory.person(place, user)

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return the rights of `user` and the bot in the channel of `place`. Raises
        DeliveryError or AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        return await there.directory.access(place, user)

    async def names(self, place: Scope, user: str) -> PlaceNames:
        """Return the names of a person, a channel and the workspace. Raises
        DeliveryError or AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        return await there.directory.names(place, user)

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is a direct message, whose channel id begins with D
        (facts A1.2)."""
        return place.channel.startswith("D")


class RoutedHistory:
    """`bot.ports.platform.MessageHistory` of all workspaces."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """Return the newest messages of a channel. Raises DeliveryError or
        AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        return await there.history.recent(place, most, since)

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        """Return the messages of `thread` before `message`. Raises DeliveryError or
        AccessRevoked."""
        there = await self._workspaces.get(thread.workspace)
        return await there.history.before(thread, message)


class RoutedFiles:
    """`bot.ports.platform.FileSource` of all workspaces."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        """Write the bytes of `file` to `into`. Raises FileUnread, DeliveryError or
        AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        await there.files.fetch(place, file, into, most)


class RoutedMessenger:
    """`bot.ports.platform.Messenger` of all workspaces."""

    private = True

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        """Show `response` to the author of `message` only. Raises DeliveryError or
        AccessRevoked."""
        there = await self._workspaces.get(message.thread.workspace)
        await there.messenger.notice(message, response, in_thread=in_thread)

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """Add the emoji `sign` to `message`. Raises DeliveryError or AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        await there.messenger.mark(place, message, sign)

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        """Remove the emoji `sign` from `message`. Raises DeliveryError or
        AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        await there.messenger.unmark(place, message, sign)

    async def post(
        self,
        place: Scope,
        response: Response,
        about: str = "",
        key: PostKey | None = None,
    ) -> None:
        """Post `response` for everybody. Raises DeliveryError or AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        await there.messenger.post(place, response, about, key)

    async def link(self, place: Scope, message: str) -> str:
        """Return the permalink of `message`. Raises DeliveryError or AccessRevoked."""
        there = await self._workspaces.get(place.workspace)
        return await there.messenger.link(place, message)
