"""The seams: what the core asks of the world, and what it offers to adapters.

Each implementation passes the contract tests under `tests/contracts/`.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bot.domain.channel_access import ChannelAccess
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.platform import Limits, WriteKind
from bot.domain.reply import Part
from bot.domain.scope import Scope, ThreadKey
from bot.domain.served_workspaces import Served
from bot.domain.turn import ThreadSummary, Turn
from bot.ui.elements import Command, CommandResult, Page, Response


class Host(Protocol):
    """What the core offers to an adapter.

    People of workspaces that are not served are turned away here: what they say is
    neither stored nor answered, and their commands lead to one sentence.
    """

    @property
    def served(self) -> Served:
        """Which workspaces are served."""
        ...

    async def deliver(self, heard: Message) -> None:
        """Remember `heard` and have it answered if it is to be.

        When this returns, the message is durable and the platform's event may
        be acknowledged. Raises StorageError when it is not.
        """

    async def overhear(self, heard: Message) -> None:
        """Take in a message at the top of a channel that is not for us: it is sorted
        there if admins want that, and else forgotten. Durable when this returns.
        Raises StorageError."""

    async def amend(self, heard: Message) -> None:
        """Let a message that was delivered read as it does now.

        What was never remembered stays so. Raises StorageError.
        """

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        """Forget what was said in `messages`: people deleted them. Those that are heard
        only later are forgotten, too.

        A question that is not being answered yet is answered no more. `channel` is
        None where ids are unique in the whole workspace. Raises StorageError.
        """

    async def hold(self, heard: Message, holder: str) -> None:
        """Forget `heard`, which was delivered, when people delete the message `holder`,
        in which everybody sees its words. Raises StorageError."""

    async def forget(self, place: Scope) -> None:
        """Forget all that was said in a thread or channel: people deleted it. Raises
        StorageError."""

    def stop(self, thread: ThreadKey) -> bool:
        """End the running answer in `thread`; say whether there was one."""
        ...

    def understood(self, text: str) -> Command | None:
        """The command that `text` is, if all of it is one (`bot.commands.catalog`)."""
        ...

    async def command(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """Carry out `command`, which `person` gave at `place`, if they may; return
        what they are told, or asked.

        A place outside any thread has no `thread`; the bot's own page has no
        `channel`, either. Raises StorageError.
        """
        ...

    async def triage(self, heard: Message, person: Person) -> Response:
        """Have one message sorted, for `person`, if they may; return what everybody is
        told, or they alone. Raises StorageError."""
        ...

    async def page(self, place: Scope, person: Person) -> Page:
        """What `person` sees who opens the bot itself in the workspace `place`.

        Raises StorageError.
        """
        ...

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """Remember how good a reader of `thread` found the answer of the turn whose
        key is `turn`; say whether there is such an answer. Raises StorageError."""
        ...

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """The threads of a channel, the last used first."""
        ...

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """Threads in which people said something at or after `since`, each with the
        id of the last message that we know."""
        ...

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """What was said in `thread`, oldest first: (author, text); the author
        is "" for the bot."""
        ...


class Surface(Protocol):
    """Where one reply appears. It carries out; what and when is decided above."""

    async def announce(self) -> bool:
        """Let people see by the platform's own sign that an answer is coming, until
        it is there; say whether they do. Never raises for a sign that cannot be given.
        """
        ...

    def ways(self, part: Part) -> Sequence[WriteKind]:
        """How message `part.index` could be made to read as `part` says, best first;
        at least one."""
        ...

    async def show(self, part: Part, way: WriteKind) -> str:
        """Make message `part.index` read `part.text`, in one of its `ways`; return its
        platform id.

        Empty text asks for a placeholder, or for the call that `part` is. Raises
        Throttled, ThreadGone, Rerouted, another DeliveryError (worth repeating) or
        AccessRevoked.
        """
        ...

    async def remove(self, index: int) -> None:
        """Take back message `index`, left over by an earlier attempt."""


class Adapter(Protocol):
    """A place where people talk."""

    name: str
    limits: Limits

    async def run(self, host: Host) -> None:
        """Listen until cancelled, or until there is nothing more to hear.

        Raises ConfigError when the platform does not accept us.
        """

    async def settle(self, turn: Turn) -> ThreadKey:
        """Where `turn` is to be answered: in its own thread, unless that was only
        asked for and is made by this call.

        Repeated after a crash, it comes to the same thread. Raises DeliveryError
        or AccessRevoked.
        """
        ...

    def surface(self, turn: Turn) -> AbstractAsyncContextManager[Surface]:
        """Open the reply to `turn`.

        `turn.shown` says what an earlier attempt showed. Whatever leaves the
        context leaves nothing half open on the platform.
        """
        ...

    async def readable(self, heard: Sequence[Message]) -> list[tuple[str, str]]:
        """(author's name, text) of each: ids replaced by names that people
        see, the bot's own mention taken out. Never raises for a name that
        cannot be found."""
        ...

    async def person(self, place: Scope, user: str) -> Person:
        """Who `user` is at `place`, as of some minutes ago at the most.

        Raises DeliveryError when that cannot be found out now.
        """
        ...

    async def access(self, place: Scope, user: str) -> ChannelAccess:
        """What `user` may in the channel of `place`, or in its thread where that has
        members of its own; and what the bot may there. As of some minutes ago at the
        most where it grants something, and of now where it does not.

        `NOWHERE` for what is not there, is no id of a channel, or is in another
        workspace. Raises DeliveryError when that cannot be found out now.
        """
        ...

    def is_direct(self, place: Scope) -> bool:
        """Whether `place` is a channel of direct messages, or the workspace that
        stands for those which belong to none."""
        ...

    async def tell(self, workspace: str, user: str, text: str) -> None:
        """Tell one person something in private, in the small Markdown of
        `bot.ui.elements`. Raises DeliveryError when they cannot be reached."""
        ...

    async def notice(self, heard: Message, text: str) -> None:
        """Tell who said `heard` something that matters only now, where they said it;
        others see as little of it as the platform allows. Raises DeliveryError."""
        ...

    async def recent(
        self, place: Scope, most: int, since: float | None = None
    ) -> list[Message]:
        """The newest messages of a thread, or those at the top of a channel, said at
        or after `since` if that is given; at most so many, oldest first.

        Empty where a platform has no history. Raises DeliveryError.
        """
        ...

    async def mark(self, place: Scope, message: str, sign: str) -> None:
        """Put an emoji under `message`, where all see it. Raises DeliveryError."""
        ...

    async def post(self, place: Scope, told: Response, about: str = "") -> None:
        """Say something to all in a thread, or at the top of a channel; below message
        `about` if it is given. Raises DeliveryError."""
        ...

    async def link(self, place: Scope, message: str) -> str:
        """An address that leads people to a message. Raises DeliveryError."""
        ...

    async def history(self, thread: ThreadKey, before: str) -> list[Message]:
        """What was said in `thread` before message `before`, oldest first.

        Empty where a platform has no history. Raises DeliveryError when it
        cannot be read now.
        """
        ...
