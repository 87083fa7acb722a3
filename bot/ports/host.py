"""Protocols of the core's services for an adapter: `Host` and its parts."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.domain.answer_options import AnswerOptions
from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.api_token import ApiToken
from bot.domain.message import Message
from bot.domain.outage import Outage
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
    for every workspace: deleted messages must not be kept.
    """

    async def receive(self, message: Message, *, held: bool = False) -> None:
        """Store `message`, and queue a turn if the message needs an answer.

        For a known message, add what this version contains beyond the stored one. If
        `held`, no other process answers in a new thread until `begin` is called or this
        process ends.

        When this returns, the message is durable and the platform's event may be
        acknowledged. Raises StorageError if the message is not stored.
        """

    async def begin(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Answer the held thread `thread` under the key `to`. Raises StorageError."""

    async def receive_unaddressed(self, message: Message) -> None:
        """Queue `message` for triage if the channel's admins enabled that.

        `message` is at the top of a channel and does not address the bot. Durable when
        this returns. Raises StorageError.
        """

    async def supplement(self, message: Message) -> None:
        """Add to the stored `message` what this version contains beyond it, such as
        link previews.

        The additions are no edits by people. Content that Claude has already read stays
        as it is; the additions are then read in the next turn. Does nothing if the
        message was never stored. Raises StorageError.
        """

    async def amend(self, message: Message, *, newly_addressed: bool = False) -> None:
        """Replace the stored text of `message` with its edited text.

        `newly_addressed` says that the message addresses the bot since this edit, as
        far as the platform tells. The message is then answered as if it had addressed
        the bot from the start, unless it was answered before or is more than a day old.
        Otherwise, does nothing if the message was never stored. Durable when this
        returns. Raises StorageError.
        """

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        """Delete `messages`, the ids of messages that people deleted.

        Messages with these ids that arrive later are not stored. A question that is not
        being answered yet is withdrawn. `channel` is None where message ids are unique
        in the whole workspace. Raises StorageError.
        """

    async def hold(self, message: Message, holder: str) -> None:
        """Link the stored `message` to `holder`, the id of a message that shows the
        same text.

        Deleting `holder` then deletes `message`. Raises StorageError.
        """

    async def forget(self, place: Scope) -> None:
        """Delete everything stored of a thread or channel that people deleted.

        Raises StorageError.
        """

    async def move(self, channel: Scope, to: str) -> None:
        """Give everything stored of `channel` the id `to`, which the platform gave the
        channel.

        In every workspace that knows the channel. Answers in progress there begin anew
        under the new id. Messages that arrive later with the old id are received under
        the new one. Raises StorageError.
        """

    async def current_channel(self, channel: Scope) -> str:
        """Return the id that the platform's `channel` has now: for an event that may be
        older than the id. Raises StorageError."""
        ...


class Commands(Protocol):
    """Carries out commands that people issue by text, button, menu or form.

    In workspaces that are not served, each call returns one sentence that says so.
    """

    @property
    def catalog(self) -> Sequence[CommandSpec]:
        """Return every command, including those that only buttons and forms issue."""
        ...

    def parse(self, text: str) -> Command | None:
        """Return the command if the whole of `text` is one, else None."""
        ...

    async def run(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """Carry out `command`, given by `person` in `place`, if the person may.

        Returns the response or the form to show. `place.thread` is "" outside a thread,
        and `place.channel` is "" on the bot's own page. Raises StorageError.
        """
        ...

    async def triage(self, message: Message, person: Person) -> Response:
        """Classify `message` on behalf of `person`, if the person may. Raises
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
        """Stop the answer in progress in `thread`. Returns False if there is none.
        Raises StorageError."""
        ...

    async def answering(self, thread: ThreadKey) -> bool:
        """Return whether an answer in `thread` is pending or incomplete. Raises
        StorageError."""
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
        """Return the threads with a message at or after `since`, each with the id of
        its last stored message.

        `since` is in seconds since 1970.
        """
        ...

    async def said(self, place: Scope, since: float) -> list[Message]:
        """Return people's stored messages in a thread or channel at or after `since`,
        in seconds since 1970; only the newest 1,000. Raises StorageError."""
        ...

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """Return the messages of `thread` as (author, text), oldest first. The bot's
        author is ""."""
        ...


class FirstContact(Protocol):
    """Greets each person once. Failures are logged and never raised."""

    async def opened(self, place: Scope, user: str) -> None:
        """Greet `user`, unless they talked to the bot in direct messages before.

        `place` is the direct messages, which the user opened or in which they wrote.
        """

    async def added(self, place: Scope, inviter: str) -> None:
        """Show `inviter`, who added the bot to the channel `place`, how to set up the
        channel."""

    async def joined(self, place: Scope, owner: str, name: str) -> None:
        """Tell `owner` that the bot was added to their workspace `place`, called
        `name`."""


class Health(Protocol):
    """Records what an adapter knows of its connection. Nothing here waits or raises."""

    def local(self, platform: str) -> None:
        """Record that `platform` is served by this process itself, so that there is no
        connection to lose."""

    def connected(self, platform: str, connection: str = "", of: int = 1) -> None:
        """Record that `connection` is open, one of the `of` connections that `platform`
        needs.

        Does nothing if the connection is already open.
        """

    def lost(self, platform: str, connection: str = "") -> None:
        """Record that `connection` is no longer open."""

    def heard(self, platform: str, echo: str = "") -> None:
        """Record that an event of `platform` arrived.

        `echo` is the id of the probe if the event is one of the bot's probes, else "".
        """


class Api(Protocol):
    """The requests of programs over the web API. Workspaces that are not served look
    empty."""

    async def authenticate(self, text: str) -> ApiToken | None:
        """Return the token with this text if the token is accepted now. Raises
        StorageError."""
        ...

    async def known(self, id: str) -> ApiToken | None:
        """Return the token with this id if the token is accepted now. Raises
        StorageError."""
        ...

    async def seal(self, id: str, words: str) -> str:
        """Return a proof that this server wrote `words` for the token with this id.

        The proof is 64 hexadecimal digits, or "" if the token is not accepted now.
        Raises StorageError.
        """
        ...

    async def has_tokens(self) -> bool:
        """Return whether any token is not revoked. Raises StorageError."""
        ...

    async def refusal(self, thread: ThreadKey, options: AnswerOptions) -> str:
        """Return in one sentence why `options` are not possible in `thread`, or "" if
        they are.

        `thread` may be new. Raises StorageError.
        """
        ...

    async def threads(
        self, channel: Scope, owner: str, most: int, before: int | None
    ) -> list[ApiThread]:
        """Return at most `most` threads of `channel`, newest first.

        With an `owner`, only the threads that `owner` began; "" for all. With `before`,
        only the threads with lower numbers than `before`. Raises StorageError.
        """
        ...

    async def thread(self, thread: ThreadKey) -> ApiThread | None:
        """Return a thread, or None if the thread is unknown or its messages were
        deleted. Raises StorageError."""
        ...

    async def messages(self, thread: ThreadKey, most: int) -> list[ApiMessage]:
        """Return the newest `most` messages and answers of `thread`, oldest first.
        Raises StorageError."""
        ...

    async def answer(self, thread: ThreadKey, message: str) -> AnswerSoFar | None:
        """Return the answer to `message` as it is stored now.

        None if the message is unknown or not answered. Raises StorageError.
        """
        ...

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        """Return the receipt of the turn with the key `turn`: its inputs and its cost.

        None if there is no such turn. Raises StorageError.
        """
        ...


class WorkspaceAccess(Protocol):
    """Records which workspaces accept our credentials, on platforms with credentials
    per workspace.

    Nothing here waits or raises. Repeated calls do nothing.
    """

    def suspend(self, platform: str, workspace: str, error: ConfigError) -> None:
        """Stop serving a workspace because of `error`.

        Open turns of the workspace stay in the store, and nothing in it is answered.
        """

    def resume(self, platform: str, workspace: str) -> None:
        """Resume serving a suspended workspace."""


class Outages(Protocol):
    """Catches up with missed events, in one process at a time.

    If that process ends before it has caught up, another process or the next one takes
    over.
    """

    async def note(self, name: str, since: float) -> None:
        """Store that events of `name` may be missing since `since`, for `keep` to catch
        up with.

        `since` is in seconds since 1970. Nothing is stored if another process catches
        up already. Durable when this returns.
        """

    async def keep(
        self, name: str, fetch: Callable[[Outage], Awaitable[object]]
    ) -> None:
        """Call `fetch` with each outage of `name` or of a part of it, until cancelled.

        `fetch` takes in the missed events. Raises what `fetch` raises.
        """


#: Reports a problem that only the operator can correct: the name of the problem, and a
#: clause that says what to do. Neither waits nor raises. Repeats within an hour are
#: ignored.
Alert = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class Host:
    """The core, as an adapter uses it."""

    inbox: Inbox
    commands: Commands
    conversations: Conversations
    first_contact: FirstContact
    #: The workspaces that the operator serves, for adapters that can save calls to the
    #: platform. The other parts check this in any case.
    served: Served
    alert: Alert
    health: Health
    api: Api
    reports: Reports
    access: WorkspaceAccess
    outages: Outages
    #: Coordinates with other processes on the same database. None if this process has
    #: the database to itself.
    gateways: Gateways | None = None
