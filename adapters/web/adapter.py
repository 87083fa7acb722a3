"""The local workspace in the browser: connects `bot.ports.platform` to the web server.

Threads, answers and commands go through the core, as on every other platform.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO

from adapters.web import config, directory, messages, server
from adapters.web.board import HERE, Board
from adapters.web.directory import WebDirectory
from adapters.web.encoding import stored
from adapters.web.messages import LIMITS
from adapters.web.surface import WebSurface
from adapters.web.threads import Threads
from bot.domain.attachment import Attachment
from bot.domain.message import EarlierMessages, Message
from bot.domain.post import Post
from bot.domain.post_key import PostKey
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn
from bot.errors import (
    DeliveryError,
    FileUnread,
    StorageError,
    ThreadGone,
    Unread,
)
from bot.ports.host import Host
from bot.ports.posts import PostStore, WebStore
from bot.ports.wakeups import PeriodicTask
from bot.ui.elements import Response

# How many of the newest threads of a channel are searched for recent messages.
MOST_TOPICS = 200
# The age, in seconds, of the oldest message that is passed to the core after a restart.
# Older messages would not be answered.
CAUGHT_UP = 3600.0


class WebAdapter:
    """The local workspace."""

    name = directory.PLATFORM
    limits = LIMITS
    prober = None
    periodic_tasks: Sequence[PeriodicTask] = ()

    def __init__(
        self,
        settings: config.WebConfig,
        store: PostStore,
        listening: Callable[[str], None],
    ) -> None:
        self.settings = settings
        self.threads = Threads()
        self.board = Board(store, self.threads)
        self.directory = WebDirectory()
        self.history = WebHistory(self.board)
        self.messenger = WebMessenger(self.board, self.address)
        self.files = WebFiles(self.board)
        self._listening = listening
        self._address = ""

    async def run(self, host: Host) -> None:
        """Serve until cancelled. Raises ConfigError if the address cannot be used."""
        host.health.local(self.name)
        await self._catch_up(host)
        async with server.serving(
            self.settings, host, self.board, self.threads
        ) as address:
            self._address = address
            self._listening(address)
            await server.forever()

    async def _catch_up(self, host: Host) -> None:
        """Pass recent messages to the core again, because an earlier process may have
        ended between storing a message and passing it on. The core ignores known
        messages."""
        since = time.time() - CAUGHT_UP
        for post in await self.board.store.posts_since(HERE, since):
            await host.inbox.receive(messages.message_of(post))

    def address(self) -> str:
        """Return the address of the server; "" before it listens."""
        return self._address

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        """Return the thread of `turn`, which always exists here."""
        return turn.thread

    def surface(self, turn: Turn) -> AbstractAsyncContextManager[WebSurface]:
        """Open the reply to `turn`."""
        return contextlib.nullcontext(WebSurface(self.board, turn))

    async def readable(self, messages_: Sequence[Message]) -> list[tuple[str, str]]:
        """Return (author's name, text without the bot's mention) of each message."""
        return [
            (directory.name_of(each.author), messages.without_mention(each.text))
            for each in messages_
        ]

    def typed(self, message: Message) -> str:
        """Return the text of `message` without mentions of the bot, and with other
        mentions in the form of settings ("user:olga")."""
        return messages.typed_text(message.text)

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Post `text` in the direct messages of `user`. Raises DeliveryError."""
        if directory.member(user) is None:
            raise ThreadGone("there is no such member")
        await self.messenger.post(
            Scope(self.name, workspace, f"{directory.DIRECT}{user}"), Response(text)
        )


class WebHistory:
    """Implements `bot.ports.platform.MessageHistory` for the local workspace."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """Return the newest messages at the top of a channel. Raises DeliveryError."""
        with translated():
            topics = await self._board.store.topics(place, min(most, MOST_TOPICS))
        return [
            messages.message_of(each.root)
            for each in topics
            if since is None or each.root.at >= since
        ]

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        """Return the messages of `thread` before `message`, or all of its messages.
        Raises DeliveryError."""
        with translated():
            posts = await self._board.store.posts(thread)
        earlier: list[Post] = []
        for each in posts:
            if each.message == message:
                break
            if not each.reader:
                earlier.append(each)
        return EarlierMessages(tuple(map(messages.message_of, earlier)))


class WebMessenger:
    """Implements `bot.ports.platform.Messenger` for the local workspace."""

    private = True

    def __init__(self, board: Board, address: Callable[[], str]) -> None:
        self._board = board
        self._address = address

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        """Show `response` in the thread of `message`, to its author only. Raises
        DeliveryError."""
        at = message.thread
        with translated():
            await self._board.post(
                *(at.channel, at.thread, "", messages.render(response.text)),
                body=stored(response),
                reader=message.author,
            )

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """Add the reaction `sign` to `message`. Raises DeliveryError."""
        with translated():
            await self._board.sign(message, sign, add=True)

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        """Remove the reaction `sign` from `message`. Raises DeliveryError."""
        with translated():
            await self._board.sign(message, sign, add=False)

    async def post(
        self,
        place: Scope,
        response: Response,
        about: str = "",
        key: PostKey | None = None,
    ) -> None:
        """Post `response` in a thread, or at the top of a channel. Raises
        DeliveryError."""
        # A post replaces the stored post with its id.
        id = key.name if key is not None else ""
        with translated():
            await self._board.post(
                *(place.channel, place.thread, "", messages.render(response.text)),
                body=stored(response),
                id=id,
            )

    async def link(self, place: Scope, message: str) -> str:
        """Return the address of `message`."""
        thread = place.thread or message
        return f"{self._address()}/c/{place.channel}/t/{thread}#m-{message}"


class WebFiles:
    """Implements `bot.ports.platform.FileSource` for the local workspace."""

    def __init__(self, board: Board) -> None:
        self._board = board

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        """Write the bytes of `file` to `into`. Raises FileUnread, or DeliveryError."""
        if file.url != f"upload:{file.id}":
            raise FileUnread(Unread.ELSEWHERE)
        with translated():
            found = await self._board.store.posted_file(HERE, file.id)
        if found is None or found[0].thread.channel != place.channel:
            raise FileUnread(Unread.DELETED)
        if len(found[1]) > most:
            raise FileUnread(Unread.TOO_LARGE)
        into.write(found[1])


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Raise DeliveryError for a StorageError, because the platform is our own store."""
    try:
        yield
    except StorageError as error:
        raise DeliveryError(str(error)) from error


@contextlib.asynccontextmanager
async def connect(
    env: Mapping[str, str],
    store: WebStore,
    listening: Callable[[str], None] = lambda address: None,
) -> AsyncIterator[WebAdapter]:
    """Yield the local workspace; `store` keeps its messages, and `listening` is called
    with the address once the server listens. Raises ConfigError."""
    settings = config.read(env)
    await server.require_guarded(settings, store)
    yield WebAdapter(settings, store, listening)
