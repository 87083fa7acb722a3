"""Protocols between the core and the platforms.

`Adapter` and `Surface` are what an adapter offers to the core; `bot.ports.host` is what
the core offers to it. Each implementation passes the contract tests under
`tests/contracts/`.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from typing import BinaryIO, Protocol

from bot.domain.attachment import Attachment
from bot.domain.channel_access import ChannelAccess
from bot.domain.completion import Activity
from bot.domain.message import EarlierMessages, Message
from bot.domain.names import PlaceNames
from bot.domain.person import Person
from bot.domain.platform import Limits, WriteKind
from bot.domain.reply import Part
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn
from bot.ports.host import Host
from bot.ports.uploads import Uploads
from bot.ports.wakeups import Chore
from bot.ui.elements import Response


class Progress(Protocol):
    """The sign of `Surface.announce`, on a platform where it has words."""

    def progress(self, activity: Activity) -> None:
        """Let the sign, while it shows, say what Claude does; and the messages, where
        they can beside their text. Returns at once."""
        ...


class Deletions(Protocol):
    """The messages of a reply, on a platform that deletes messages."""

    async def remove(self, index: int) -> None:
        """Delete message `index`, left over by an earlier attempt; none if there is
        none. Raises DeliveryError."""
        ...

    async def take_back(self, index: int, known: Collection[str]) -> None:
        """Delete what was posted here as message `index`, posts of unknown outcome
        included, unless the message is one of those `known`: another process has posted
        it meanwhile. Also called once the surface is closed. Raises DeliveryError."""
        ...


class Surface(Protocol):
    """The messages of one reply. Carries out writes; the core decides what and when.

    What only some platforms have is an optional part: `sign`, `deletions`, `uploads`.
    """

    async def announce(self) -> bool:
        """Show the platform's own sign that an answer is coming, until the answer is
        there; return whether people see it. Never raises for a refused sign."""
        ...

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """Return how message `part.index` can be made to read as `part`, best first;
        at least one.

        CLOSE beside APPEND means that only the asker sees what is appended, and that
        the stream is to be closed whenever others would see an edit.
        """
        ...

    async def show(self, part: Part, way: WriteKind) -> str:
        """Make message `part.index` read `part.text`, in one of its `ways`; return its
        platform id.

        Empty text asks for a placeholder, or for the call that `part` is. Raises
        Throttled, ThreadGone, Rerouted, Unfit, another DeliveryError (worth
        repeating) or AccessRevoked.
        """
        ...

    @property
    def sign(self) -> Progress | None:
        """The sign of `announce`; None where it has no words."""
        ...

    @property
    def deletions(self) -> Deletions | None:
        """The same messages, to delete; None where what is shown stays."""
        ...

    @property
    def uploads(self) -> Uploads | None:
        """The files below the reply; None where there are none, so that all of an
        answer is shown as text."""
        ...


class Directory(Protocol):
    """The people of a platform, and their rights in channels.

    Answers may be some minutes old, but `access` that grants nothing is current.
    """

    async def person(self, place: Scope, user: str) -> Person:
        """Return who `user` is in `place`. Raises DeliveryError if the platform cannot
        tell now."""
        ...

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return what `user` and the bot may do in the channel of `place`, or in its
        thread if that has members of its own.

        `NOWHERE` for a channel that does not exist, is in another workspace, or whose
        id is malformed. Raises DeliveryError if the platform cannot tell now.
        """
        ...

    async def names(self, place: Scope, user: str) -> PlaceNames:
        """Return the names of `user`, of the channel of `place` and of its workspace;
        "" for an id that is "" or unknown. Raises DeliveryError if the platform cannot
        tell now."""
        ...

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is a channel of direct messages, or the workspace
        that stands for those which belong to none."""
        ...


class MessageHistory(Protocol):
    """Messages that the platform has stored, sent before the bot received any."""

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """Return the newest messages at the top of a channel; oldest first, at most
        `most`.

        `since`, in seconds since 1970, leaves out older ones. Raises DeliveryError.
        """
        ...

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        """Return the messages of `thread` before the one with the id `message`, or all:
        of a long thread, the beginning and the newest. Raises DeliveryError."""
        ...


class FileSource(Protocol):
    """The files of messages, as the platform hands them out."""

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        """Write the bytes of `file`, of a message in `place`, to `into`; at most `most`
        bytes, from the platform's own hosts only.

        Raises FileUnread, or DeliveryError if it may be there later; `into` may hold a
        part then.
        """
        ...


class Messenger(Protocol):
    """Writes into channels and threads, apart from replies."""

    #: Whether nobody but its reader sees a notice.
    private: bool

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        """Tell the author of `message` something of passing interest, where they wrote
        it; others see as little of it as the platform allows.

        With `in_thread`, what is about the first message of a thread is told in the
        thread, which is there already. Raises DeliveryError.
        """
        ...

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """Add the emoji `sign` to `message` as a reaction. Raises DeliveryError."""
        ...

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        """Remove the bot's reaction `sign` from `message`, if it is there. Raises
        DeliveryError."""
        ...

    async def post(self, place: Scope, response: Response, about: str = "") -> None:
        """Post `response` in a thread or at the top of a channel, visible to all; as a
        reply to the message `about` if that is given. Raises DeliveryError."""
        ...

    async def link(self, place: Scope, message: str) -> str:
        """Return the address of `message`. Raises DeliveryError."""
        ...


class Prober(Protocol):
    """Messages of the bot that are to come back to it as events."""

    async def probe(self, channel: str) -> str:
        """Post a message in `channel` that says what it is for; return its id, as
        `Health.heard` is told it. Raises DeliveryError or AccessRevoked."""
        ...

    async def remove(self, channel: str, message: str) -> None:
        """Delete such a message. Raises DeliveryError or AccessRevoked."""


class Adapter(Protocol):
    """One platform."""

    name: str
    limits: Limits

    @property
    def directory(self) -> Directory:
        """The people and channels of the platform."""
        ...

    @property
    def history(self) -> MessageHistory | None:
        """Earlier messages; None if the platform has none that the bot did not
        receive."""
        ...

    @property
    def messenger(self) -> Messenger | None:
        """Messages that are not replies; None if the platform has no channels to post
        in."""
        ...

    @property
    def files(self) -> FileSource | None:
        """The files of messages; None if the platform's messages have none."""
        ...

    @property
    def prober(self) -> Prober | None:
        """Messages that come back; None if the platform is this process itself."""
        ...

    @property
    def chores(self) -> Sequence[Chore]:
        """The periodic tasks that one process of all does for the platform."""
        ...

    async def run(self, host: Host) -> None:
        """Receive events until cancelled, or until there are no more.

        Raises ConfigError if the platform rejects the bot.
        """

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        """Return the thread in which `turn` is to be answered: its own, unless that
        was only asked for and is created by this call.

        Idempotent, also after a crash. Raises DeliveryError or AccessRevoked.
        """
        ...

    def surface(self, turn: Turn) -> AbstractAsyncContextManager[Surface]:
        """Open the reply to `turn`; `turn.shown` lists what earlier attempts posted.

        Leaving the context ends streams and typing indicators on the platform.
        """
        ...

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        """Return (author's name, text) of each message, with ids replaced by visible
        names and the bot's own mention removed. Unknown names stay ids."""
        ...

    def typed(self, message: Message) -> str:
        """Return what the author of `message` typed to the bot: its text without the
        bot's mention, and mentions of others in the form of settings ("user:1")."""
        ...

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Send `text`, in the Markdown subset of `bot.ui.elements`, to one person in
        private. Raises DeliveryError if they cannot be reached."""
        ...
