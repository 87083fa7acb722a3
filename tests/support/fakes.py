"""In-memory fakes that behave like the real things. A fake of a port passes its
contract tests."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Self

from bot.domain.answer_file import AnswerFile, Upload
from bot.domain.answer_options import AnswerOptions
from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.api_token import ApiToken
from bot.domain.attachment import Attachment
from bot.domain.channel_access import ChannelAccess
from bot.domain.completion import Activity
from bot.domain.message import EarlierMessages, Message
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.platform import Limits, WriteKind
from bot.domain.post_key import PostKey
from bot.domain.receipt import Receipt
from bot.domain.reply import Part
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn, TurnState
from bot.errors import (
    DeliveryError,
    FileUnread,
    ThreadGone,
    ThreadkeepError,
    Unread,
    UploadLost,
)
from bot.ports.host import Host
from bot.ports.platform import (
    Directory,
    FileSource,
    MessageHistory,
    Messenger,
    Prober,
    Surface,
)
from bot.ports.wakeups import PeriodicTask
from bot.ui.elements import Button, Response
from tests.emulators.changes import PATIENCE, Changes

FAST = Limits(part_chars=200)

#: A public channel that the bot is in.
OPEN = ChannelAccess(
    exists=True, reads=True, writes=True, bot_writes=True, is_public=True
)
#: The rights in somebody else's direct messages.
ALONE = ChannelAccess(exists=True, bot_writes=True)


async def show(surface: Surface, part: Part) -> str:
    """Show `part` in the way that `surface` prefers."""
    return await surface.show(part, surface.ways(part)[0])


class NoPrograms:
    """The web API of a core without API users."""

    async def authenticate(self, text: str) -> ApiToken | None:
        return None

    async def known(self, id: str) -> ApiToken | None:
        return None

    async def seal(self, id: str, words: str) -> str:
        return ""

    async def has_tokens(self) -> bool:
        return False

    async def refusal(self, thread: ThreadKey, options: AnswerOptions) -> str:
        return ""

    async def threads(
        self, channel: Scope, owner: str, most: int, before: int | None
    ) -> list[ApiThread]:
        return []

    async def thread(self, thread: ThreadKey) -> ApiThread | None:
        return None

    async def messages(self, thread: ThreadKey, most: int) -> list[ApiMessage]:
        return []

    async def answer(self, thread: ThreadKey, message: str) -> AnswerSoFar | None:
        return None

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        return None


class FakeAdapter:
    """A platform in memory. `seen` has the messages that people see, by thread. The
    adapter is its own directory, history, file source and messenger."""

    def __init__(self, name: str = "fake", limits: Limits = FAST) -> None:
        self.name = name
        self.limits = limits
        self.private = True
        self.directory: Directory = self
        self.history: MessageHistory | None = self
        self.files: FileSource | None = self
        #: The bytes of files, or the error of fetching them, by address.
        self.stored_files: dict[str, bytes | ThreadkeepError] = {}
        self.messenger: Messenger | None = self
        self.prober: Prober | None = None
        self.periodic_tasks: Sequence[PeriodicTask] = ()
        #: Whether answers have files. The uploaded files by id and the visible files by
        #: thread, each as (name, text). The errors that the next calls raise.
        self.attaches = False
        self.sent_files: dict[str, tuple[str, str]] = {}
        self.attached: dict[ThreadKey, dict[str, tuple[str, str]]] = {}
        self.file_troubles: list[ThreadkeepError | None] = []
        #: Message texts by thread and platform id, as a reader sees them now.
        self.seen: dict[ThreadKey, dict[str, str]] = {}
        #: Every part that was ever shown, in order: (turn key, index, part).
        self.writes: list[tuple[str, int, Part]] = []
        self.past: list[Message] = []
        #: Threads for which `resolve_thread` fails.
        self.nowhere: set[ThreadKey] = set()
        #: The threads that `resolve_thread` returns, by the thread asked for.
        self.moves: dict[ThreadKey, ThreadKey] = {}
        #: How many surfaces are open, and how many were closed.
        self.open = self.closed = 0
        #: The errors that the next writes raise, in order.
        self.troubles: list[ThreadkeepError | None] = []
        #: Entered before each write, so that a test can delay it.
        self.before_write: Callable[[Part], AbstractAsyncContextManager[None]] | None
        self.before_write = None
        #: Facts about people, by id. For other people, only the name is known.
        self.people: dict[str, Person] = {}
        #: People whose look-ups fail.
        self.unknown: set[str] = set()
        #: How many messages are missing from the history, and after how many of `past`.
        self.past_missing, self.past_gap = 0, 0
        #: People's rights in channels, by channel and user; with "" as user, those of
        #: the bot and of all people without an entry. Without an entry, everybody may
        #: do everything in channels.
        self.may: dict[tuple[str, str], ChannelAccess] = {}
        #: Private messages to people: (user, text).
        self.told: list[tuple[str, str]] = []
        #: Notices to the authors of messages: (user, text).
        self.noticed: list[tuple[str, str]] = []
        #: The buttons of each notice.
        self.offered: list[tuple[Button, ...]] = []
        #: Emoji on messages, and posts other than answers.
        self.marks: dict[str, str] = {}
        self.posts: list[tuple[Scope, Response]] = []
        #: The errors that the next marks, notices and posts raise.
        self.post_troubles: list[ThreadkeepError] = []
        #: Whether the platform itself shows people that an answer is coming.
        self.signs = False
        #: The activities of Claude that were passed to signs.
        self.activities: list[Activity] = []
        self._host: asyncio.Future[Host] | None = None
        self._changes = Changes()

    async def run(self, host: Host) -> None:
        self.listening.set_result(host)
        host.health.local(self.name)
        await asyncio.Event().wait()

    @property
    def listening(self) -> "asyncio.Future[Host]":
        if self._host is None:
            self._host = asyncio.get_running_loop().create_future()
        return self._host

    async def receive(self, message: Message, *, held: bool = False) -> None:
        """Let the core receive `message`, once it listens."""
        await (await asyncio.shield(self.listening)).inbox.receive(message)

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        found = self.stored_files.get(file.url, FileUnread(Unread.UNAVAILABLE))
        if isinstance(found, ThreadkeepError):
            raise found
        if len(found) > most:
            raise FileUnread(Unread.TOO_LARGE)
        into.write(found)

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        if turn.thread in self.nowhere:
            raise ThreadGone("nowhere")
        return self.moves.get(turn.thread, turn.thread)

    @contextlib.asynccontextmanager
    async def surface(self, turn: Turn) -> AsyncIterator["FakeSurface"]:
        if turn.state is TurnState.DELIVERED:
            # Only its controls are removed.
            yield FakeSurface(self, turn)
            return
        self.open += 1
        self.changed()
        try:
            yield FakeSurface(self, turn)
        finally:
            self.open -= 1
            self.closed += 1
            self.changed()

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        return [(each.author.title(), each.text) for each in messages]

    async def person(self, place: Scope, user: str) -> Person:
        if user in self.unknown:
            raise DeliveryError("no answer")
        return self.people.get(user, Person(user, user.title()))

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        if user in self.unknown:
            raise DeliveryError("no answer")
        # A test states whose direct messages these are, in `may`.
        public = ALONE if self.is_direct(place) else OPEN
        whole = self.may.get((place.channel, ""), public)
        return self.may.get((place.channel, user), whole)

    async def names(self, place: Scope, user: str) -> PlaceNames:
        if user in self.unknown:
            raise DeliveryError("no answer")
        channel = f"#{place.channel}" if place.channel else ""
        if self.is_direct(place):
            channel = f"@{user.title()}"
        return PlaceNames(user.title(), channel, place.workspace.upper())

    def is_direct(self, place: Scope) -> bool:
        return place.channel.startswith("D")

    def typed(self, message: Message) -> str:
        return message.text.removeprefix("@bot").strip()

    async def tell(self, workspace: str, user: str, text: str) -> None:
        self.told.append((user, text))
        self.changed()

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        self._stumble()
        self.noticed.append((message.author, response.text))
        self.offered.append(response.buttons)
        self.changed()

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        here = [each for each in self.past if place.holds(Scope.of(each.thread))]
        return [h for h in here if since is None or h.at >= since][-most:]

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        self._stumble()
        self.marks[message] = sign
        self.changed()

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        self._stumble()
        if self.marks.get(message) == sign:
            del self.marks[message]
        self.changed()

    async def post(
        self,
        place: Scope,
        response: Response,
        about: str = "",
        key: PostKey | None = None,
    ) -> None:
        self._stumble()
        self.posts.append((place, response))
        self.changed()

    async def link(self, place: Scope, message: str) -> str:
        return f"https://fake/{place.channel}/{message}"

    def _stumble(self) -> None:
        if self.post_troubles:
            self.changed()
            raise self.post_troubles.pop(0)

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        found = (
            each for each in self.past if message is None or each.message < message
        )
        return EarlierMessages(tuple(found), self.past_missing, self.past_gap)

    def texts(self, thread: ThreadKey) -> list[str]:
        """Return the texts of the bot's messages in `thread`, from top to bottom."""
        return list(self.seen.get(thread, {}).values())

    async def until(
        self, condition: Callable[[], bool], timeout: float = PATIENCE
    ) -> None:
        """Wait until `condition()` is true. It is tested after each change."""
        await self._changes.until(condition, timeout=timeout, dump=self._dump)

    def _dump(self) -> str:
        return f"{self.seen}, {self.closed} closed, {self.open} open"

    def changed(self) -> None:
        self._changes.mark()


class FakeUploads:
    """The files of an answer on a FakeAdapter, which assigns ids before it shows
    files."""

    def __init__(self, adapter: FakeAdapter, turn: Turn) -> None:
        self._adapter = adapter
        self._thread = turn.thread

    async def prepare(self, files: Sequence[AnswerFile]) -> Sequence[str]:
        self._stumble()
        ids = []
        for each in files:
            ids.append(f"F{len(self._adapter.sent_files) + 1}")
            self._adapter.sent_files[ids[-1]] = (each.name, each.text)
        return ids

    async def post(
        self, files: Sequence[AnswerFile], uploads: Sequence[Upload], *, again: bool
    ) -> Sequence[str]:
        self._stumble()
        shown = self._adapter.attached.setdefault(self._thread, {})
        ids = [each.id for each in uploads]
        assert again or not shown.keys() & ids
        if not self._adapter.sent_files.keys() >= set(ids):
            raise UploadLost("not kept")
        shown.update((each, self._adapter.sent_files[each]) for each in ids)
        self._stumble()
        return ids

    async def remove(self, uploads: Sequence[Upload]) -> None:
        shown = self._adapter.attached.get(self._thread, {})
        for each in uploads:
            shown.pop(each.id, None)

    def _stumble(self) -> None:
        if self._adapter.file_troubles and (
            trouble := self._adapter.file_troubles.pop(0)
        ):
            raise trouble


class FakeSurface:
    """A reply on a FakeAdapter."""

    def __init__(self, adapter: FakeAdapter, turn: Turn) -> None:
        self._adapter = adapter
        self._turn = turn
        self._ids = {each.index: each.message for each in turn.shown if each.message}

    @property
    def uploads(self) -> "FakeUploads | None":
        return (
            FakeUploads(self._adapter, self._turn) if self._adapter.attaches else None
        )

    @property
    def sign(self) -> Self:
        return self

    @property
    def deletions(self) -> Self:
        return self

    async def announce(self) -> bool:
        return self._adapter.signs

    def progress(self, activity: Activity) -> None:
        self._adapter.activities.append(activity)

    def ways(self, part: Part) -> Sequence[WriteKind]:
        return (WriteKind.EDIT if part.index in self._ids else WriteKind.POST,)

    async def show(self, part: Part, way: WriteKind) -> str:
        if self._adapter.before_write:
            async with self._adapter.before_write(part):
                pass
        if self._adapter.troubles and (trouble := self._adapter.troubles.pop(0)):
            raise trouble
        message = self._ids.setdefault(part.index, f"{self._turn.key}-{part.index}")
        shown = self._adapter.seen.setdefault(self._turn.thread, {})
        shown[message] = f"@{part.calls}" if part.calls else part.text
        self._adapter.writes.append((self._turn.key, part.index, part))
        self._adapter.changed()
        return message

    async def take_back(self, index: int, known: Collection[str]) -> None:
        if self._ids.get(index) not in known:
            await self.remove(index)

    async def remove(self, index: int) -> None:
        shown = self._adapter.seen.get(self._turn.thread, {})
        shown.pop(self._ids.get(index, f"{self._turn.key}-{index}"), None)
        self._adapter.changed()
