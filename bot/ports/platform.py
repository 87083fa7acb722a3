"""Protocols between the core and the platforms.

An adapter offers `Adapter` and `Surface` to the core; the core offers `bot.ports.host`
to the adapter. Each implementation passes the contract tests in `tests/contracts/`.
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
from bot.domain.post_key import PostKey
from bot.domain.reply import Part
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Turn
from bot.ports.host import Host
from bot.ports.uploads import Uploads
from bot.ports.wakeups import PeriodicTask
from bot.ui.elements import Response


class Progress(Protocol):
    """The sign of `Surface.announce`, on a platform where the sign can show text."""

    def progress(self, activity: Activity) -> None:
        """Show the activity of Claude in the sign while it is visible.

        The messages show the activity too, where they can show it beside their text.
        Returns at once.
        """
        ...


class Deletions(Protocol):
    """The messages of a reply, on a platform where the bot can delete messages."""

    async def remove(self, index: int) -> None:
        """Delete message `index`, left over by an earlier attempt, if it exists. Raises
        DeliveryError."""
        ...

    async def take_back(self, index: int, known: Collection[str]) -> None:
        """Delete what this process posted as message `index`, posts of unknown outcome
        included.

        Messages in `known` are kept: another process posted them in the meantime. May
        be called after the surface is closed. Raises DeliveryError.
        """
        ...


class Surface(Protocol):
    """The messages of one reply. Carries out writes; the core decides their content and
    time.

    Features that only some platforms have are optional: `sign`, `deletions`, `uploads`.
    """

    async def announce(self) -> bool:
        """Show the platform's own sign that an answer is coming, until the answer
        appears.

        Returns whether people see the sign. Never raises if the platform refuses the
        sign.
        """
        ...

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """Return the ways in which message `part.index` can be changed to read as
        `part`.

        Best first; at least one. CLOSE beside APPEND means that only the asker sees
        appended text, and that the stream must be closed whenever others should see an
        edit.
        """
        ...

    async def show(self, part: Part, way: WriteKind) -> str:
        """Make message `part.index` read `part.text`, in one of its `ways`.

        Returns the message's platform id. Empty text requests a placeholder, or the
        call that `part` is. Raises Throttled, ThreadGone, Rerouted, Unfit, another
        DeliveryError (worth retrying) or AccessRevoked.
        """
        ...

    @property
    def sign(self) -> Progress | None:
        """The sign of `announce`, or None if the platform's sign cannot show text."""
        ...

    @property
    def deletions(self) -> Deletions | None:
        """The same messages for deletion, or None if the platform cannot delete
        them."""
        ...

    @property
    def uploads(self) -> Uploads | None:
        """The files below the reply, or None if the platform has none.

        Without files, the whole answer is shown as text.
        """
        ...


class Directory(Protocol):
    """The people of a platform, and their rights in channels.

    Results may be some minutes old, but an `access` that grants nothing is current.
    """

    async def person(self, place: Scope, user: str) -> Person:
        """Return the person with the id `user` in `place`. Raises DeliveryError if the
        platform cannot tell now."""
        ...

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """Return the rights of `user` and of the bot in the channel of `place`.

        If the thread of `place` has its own members, the rights are those in the
        thread. Returns `NOWHERE` for a channel that does not exist, is in another
        workspace, or has a malformed id. Raises DeliveryError if the platform cannot
        tell now.
        """
        ...

    async def names(self, place: Scope, user: str) -> PlaceNames:
        """Return the names of `user`, of the channel of `place` and of its workspace.

        The name is "" for an id that is "" or unknown. Raises DeliveryError if the
        platform cannot tell now.
        """
        ...

    def is_direct(self, place: Scope) -> bool:
        """Return whether `place` is a channel of direct messages.

        Also True for the placeholder workspace of direct messages outside any
        workspace.
        """
        ...


class MessageHistory(Protocol):
    """Messages stored by the platform, including those from before the bot received
    any."""

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """Return at most `most` of the newest messages at the top of a channel, oldest
        first.

        With `since`, in seconds since 1970, older messages are left out. Raises
        DeliveryError.
        """
        ...

    async def before(
        self, thread: ThreadKey, message: str | None = None
    ) -> EarlierMessages:
        """Return the messages of `thread` before the one with the id `message`, or all.

        Of a long thread, only the beginning and the newest messages. Raises
        DeliveryError.
        """
        ...


class FileSource(Protocol):
    """The files of messages, downloaded from the platform."""

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        """Write at most `most` bytes of `file`, of a message in `place`, to `into`.

        Only the platform's own hosts are contacted. Raises FileUnread, or DeliveryError
        if the file may be available later; `into` may then contain a part.
        """
        ...


class Messenger(Protocol):
    """Writes messages other than replies into channels and threads."""

    #: Whether a notice is visible only to its reader.
    private: bool

    async def notice(
        self, message: Message, response: Response, *, in_thread: bool = False
    ) -> None:
        """Show the author of `message` a transient notice where they wrote the message.

        Others see as little of the notice as the platform allows. With `in_thread`, a
        notice about the first message of a thread is shown in the thread, which already
        exists. Raises DeliveryError.
        """
        ...

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """Add the emoji `sign` to `message` as a reaction. Raises DeliveryError."""
        ...

    async def unmark(self, place: Scope, message: str, sign: str) -> None:
        """Remove the bot's reaction `sign` from `message`, if it is there. Raises
        DeliveryError."""
        ...

    async def post(
        self,
        place: Scope,
        response: Response,
        about: str = "",
        key: PostKey | None = None,
    ) -> None:
        """Post `response` in a thread or at the top of a channel, visible to all.

        With `about`, post it as a reply to that message. With `key`, post it unless an
        earlier attempt with this key succeeded. Raises DeliveryError.
        """
        ...

    async def link(self, place: Scope, message: str) -> str:
        """Return the URL of `message`. Raises DeliveryError."""
        ...


class Prober(Protocol):
    """Messages of the bot that must come back to it as events."""

    async def probe(self, channel: str) -> str:
        """Post a message in `channel` that explains its purpose.

        Returns the message's id, which the adapter passes to `Health.heard`. Raises
        DeliveryError or AccessRevoked.
        """
        ...

    async def remove(self, channel: str, message: str) -> None:
        """Delete a probe message. Raises DeliveryError or AccessRevoked."""


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
        """Earlier messages; None if the platform has only messages that the bot
        received."""
        ...

    @property
    def messenger(self) -> Messenger | None:
        """Messages that are not replies; None if the platform has no channels for
        posting."""
        ...

    @property
    def files(self) -> FileSource | None:
        """The files of messages; None if the platform's messages have no files."""
        ...

    @property
    def prober(self) -> Prober | None:
        """The probe messages; None if the platform is this process itself."""
        ...

    @property
    def periodic_tasks(self) -> Sequence[PeriodicTask]:
        """The periodic tasks for the platform, each run by one process at a time."""
        ...

    async def run(self, host: Host) -> None:
        """Receive events until cancelled, or until there are no more.

        Raises ConfigError if the platform rejects the bot.
        """

    async def resolve_thread(self, turn: Turn) -> ThreadKey:
        """Return the thread in which to answer `turn`.

        This is the turn's own thread, or a thread that was requested and that this call
        creates. Idempotent, also after a crash. Raises DeliveryError or AccessRevoked.
        """
        ...

    def surface(self, turn: Turn) -> AbstractAsyncContextManager[Surface]:
        """Open the reply to `turn`; `turn.shown` lists what earlier attempts posted.

        Leaving the context ends streams and typing indicators on the platform.
        """
        ...

    async def readable(self, messages: Sequence[Message]) -> list[tuple[str, str]]:
        """Return (author's name, text) of each message, in readable form.

        Ids are replaced by visible names and the bot's own mention is removed. Unknown
        names stay ids.
        """
        ...

    def typed(self, message: Message) -> str:
        """Return the text of `message` without the bot's mention.

        Mentions of others have the form used in settings ("user:1").
        """
        ...

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Send `text`, in the Markdown subset of `bot.ui.elements`, privately to one
        person.

        Raises DeliveryError if the person cannot be reached.
        """
        ...
