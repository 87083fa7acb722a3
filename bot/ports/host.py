"""Protocols of what the core offers to an adapter: `Host` and its parts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.answer_options import AnswerOptions
from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.api_token import ApiToken
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.receipt import Receipt
from bot.domain.scope import Scope, ThreadKey
from bot.domain.served_workspaces import Served
from bot.domain.turn import ThreadSummary
from bot.errors import ConfigError
from bot.ports.operator_reports import Reports
from bot.ports.processes import Gateways
from bot.ui.command_spec import CommandSpec
from bot.ui.elements import Command, CommandResult, Page, Response


class Inbox(Protocol):
    """Takes in messages, their edits and their deletions.

    Messages of workspaces that are not served are dropped. Deletions are carried out
    for every workspace: what people deleted must not be kept.
    """

    async def receive(self, message: Message, *, held: bool = False) -> None:
        """Store `message`, and queue a turn if it is to be answered. Add to a known
        message what this version of it has more.

        If `held`, no other process begins in a new thread until `begin`, or until this
        process has ended.

        When this returns, the message is durable and the platform's event may be
        acknowledged. Raises StorageError if it is not.
        """

    async def begin(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Have `thread`, in which a message was held, answered as the thread `to`.
        Raises StorageError."""

    async def receive_unaddressed(self, message: Message) -> None:
        """Queue `message`, which is at the top of a channel and not for the bot, for
        triage if the channel's admins switched that on.

        Durable when this returns. Raises StorageError.
        """

    async def supplement(self, message: Message) -> None:
        """Add to the stored `message` what this version of it has more and what nobody
        edited, such as previews of links. What Claude has read stays as it is; the rest
        is read in the next turn.

        Does nothing if the message was never stored. Raises StorageError.
        """

    async def amend(self, message: Message, *, newly_addressed: bool = False) -> None:
        """Replace the stored text of `message` with its edited text.

        `newly_addressed` says that it addresses the bot since this edit, as far as the
        platform tells: it is then answered as if it had from the start, unless it was
        answered before or is more than a day old. Otherwise does nothing if the message
        was never stored. Durable when this returns. Raises StorageError.
        """

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        """Delete `messages`, ids of messages that people deleted, also from what is
        received later.

        A question that is not being answered yet is withdrawn. `channel` is None
        where message ids are unique in the whole workspace. Raises StorageError.
        """

    async def hold(self, message: Message, holder: str) -> None:
        """Delete the stored `message` when the message with the id `holder`, which
        shows its text, is deleted. Raises StorageError."""

    async def forget(self, place: Scope) -> None:
        """Delete everything stored of a thread or channel that people deleted.

        Raises StorageError.
        """


class Commands(Protocol):
    """Carries out what people tell the bot by command, button, menu and form.

    In workspaces that are not served, each call returns one sentence that says so.
    """

    @property
    def catalog(self) -> Sequence[CommandSpec]:
        """Return every command, including those that only buttons and forms issue."""
        ...

    def parse(self, text: str) -> Command | None:
        """Return the command that the whole of `text` is, or None."""
        ...

    async def run(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """Carry out `command`, given by `person` in `place`, if they may; return the
        response or the form to show.

        `place.thread` is "" outside a thread, and `place.channel` is "" on the bot's
        own page. Raises StorageError.
        """
        ...

    async def triage(self, message: Message, person: Person) -> Response:
        """Classify `message` on behalf of `person`, if they may. Raises
        StorageError."""
        ...

    async def page(self, place: Scope, person: Person) -> Page:
        """Return the bot's own page in the workspace `place`, as `person` may see it.

        Raises StorageError.
        """
        ...


class Conversations(Protocol):
    """Reads and controls the stored threads of the workspaces that are served."""

    async def stop(self, thread: ThreadKey) -> bool:
        """Stop the answer in progress in `thread`; return False if there is none.
        Raises StorageError."""
        ...

    async def answering(self, thread: ThreadKey) -> bool:
        """Return whether an answer in `thread` is still to come or to be completed.
        Raises StorageError."""
        ...

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """Store a reader's rating of the answer to the turn with the key `turn`.

        Returns False if there is no such answer. Raises StorageError.
        """
        ...

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """Return the threads of a channel, the most recently used first."""
        ...

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """Return the threads with a message at or after `since`, in seconds since
        1970, each with the id of its last stored message."""
        ...

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """Return the messages of `thread` as (author, text), oldest first. The bot's
        author is ""."""
        ...


class FirstContact(Protocol):
    """Greets people, each once. What fails is logged, and never raised."""

    async def opened(self, place: Scope, user: str) -> None:
        """Greet `user`, who opened their direct messages `place` with the bot or writes
        there, unless they talked there before."""

    async def added(self, place: Scope, inviter: str) -> None:
        """Show `inviter`, who added the bot to the channel `place`, how to set it
        up."""

    async def joined(self, place: Scope, owner: str, name: str) -> None:
        """Tell the owner of the workspace `place` with this name that the bot was added
        to it."""


class Health(Protocol):
    """Takes what an adapter knows of its connection. Nothing here waits or raises."""

    def local(self, platform: str) -> None:
        """Record that `platform` is this process itself, which nothing cuts off."""

    def connected(self, platform: str, connection: str = "", of: int = 1) -> None:
        """Record that `connection`, one of as many as `of` that `platform` needs, is
        open. A second call for one that is open does nothing."""

    def lost(self, platform: str, connection: str = "") -> None:
        """Record that `connection` is no longer open."""

    def heard(self, platform: str, echo: str = "") -> None:
        """Record that an event of `platform` arrived: with `echo`, the id of a probe
        of the bot that came back."""


class Api(Protocol):
    """The requests of programs over the web API, which find nothing of a workspace that
    is not served."""

    async def authenticate(self, text: str) -> ApiToken | None:
        """Return the token with this text if it is accepted now. Raises
        StorageError."""
        ...

    async def known(self, id: str) -> ApiToken | None:
        """Return the token with this id if it is accepted now. Raises StorageError."""
        ...

    async def seal(self, id: str, words: str) -> str:
        """Return what proves that this server wrote `words` for the token with this id,
        64 hexadecimal digits; "" if the token is not accepted now. Raises
        StorageError."""
        ...

    async def has_tokens(self) -> bool:
        """Return whether there is a token that was not revoked. Raises StorageError."""
        ...

    async def refusal(self, thread: ThreadKey, options: AnswerOptions) -> str:
        """Return why `options` are not possible in `thread`, which may be new, in one
        sentence; "" if they are. Raises StorageError."""
        ...

    async def threads(
        self, channel: Scope, owner: str, most: int, before: int | None
    ) -> list[ApiThread]:
        """Return at most `most` threads of `channel` with lower numbers than `before`,
        the newest first: those that `owner` began, or all if that is "". Raises
        StorageError."""
        ...

    async def thread(self, thread: ThreadKey) -> ApiThread | None:
        """Return a thread; None if there is none, or if its messages were deleted.
        Raises StorageError."""
        ...

    async def messages(self, thread: ThreadKey, most: int) -> list[ApiMessage]:
        """Return the newest `most` messages and answers of `thread`, oldest first.
        Raises StorageError."""
        ...

    async def answer(self, thread: ThreadKey, message: str) -> AnswerSoFar | None:
        """Return the answer to `message` as it is stored now; None if there is no such
        message, or if it is not answered. Raises StorageError."""
        ...

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        """Return what the answer of the turn with the key `turn` was made from and what
        it cost; None if there is none. Raises StorageError."""
        ...


class WorkspaceAccess(Protocol):
    """Takes which workspaces accept our credentials, where each has some of its own.
    Nothing here waits or raises, and repeats do nothing."""

    def suspend(self, platform: str, workspace: str, error: ConfigError) -> None:
        """End the work of a workspace because of `error`. Its open turns stay in the
        store, and nothing in it is answered."""

    def resume(self, platform: str, workspace: str) -> None:
        """Go on with the work of a workspace that was suspended."""


class Outages(Protocol):
    """Has what was missed caught up with, by one process at a time. Whoever ends in the
    middle leaves it to the others, or to the next process."""

    async def note(self, name: str, since: float) -> None:
        """Have `keep` catch up with the events of `name` since then, in seconds since
        1970, unless another process does already. Waits until that is stored."""

    async def keep(
        self, name: str, fetch: Callable[[float], Awaitable[object]]
    ) -> None:
        """Have `fetch` take in what was missed of `name` since a time, whenever there
        is something, until cancelled. Raises what `fetch` does."""


#: Reports what only the operator can correct: what names the problem, and a clause that
#: says what to do. Neither waits nor raises; repeats within an hour do nothing.
Alert = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Host:
    """The core, as an adapter uses it."""

    inbox: Inbox
    commands: Commands
    conversations: Conversations
    first_contact: FirstContact
    #: The workspaces that the operator serves, for an adapter that can save calls to
    #: its platform. The parts above check it in any case.
    served: Served
    alert: Alert
    health: Health
    api: Api
    reports: Reports
    access: WorkspaceAccess
    outages: Outages
    #: Agrees with other processes on one database; None where there are none.
    gateways: Gateways | None = None
