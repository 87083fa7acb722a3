"""The seams: what the core asks of the world, and what it offers to adapters.

Each implementation passes the contract tests under `tests/contracts/`.
"""

from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bot.values import (
    Heard,
    Limits,
    Outcome,
    Part,
    Report,
    Request,
    Said,
    Shown,
    Spending,
    Spoken,
    ThreadFacts,
    ThreadKey,
    ThreadSummary,
    Turn,
    Verdict,
)

#: Judges a message; is given None for a thread that is not known yet. Pure, so
#: that a store may call it inside a transaction.
Judge = Callable[[Heard, ThreadFacts | None], Verdict]


class Host(Protocol):
    """What the core offers to an adapter."""

    async def deliver(self, heard: Heard) -> None:
        """Remember `heard` and have it answered if it is to be.

        When this returns, the message is durable and the platform's event may
        be acknowledged. Raises StorageError when it is not.
        """

    async def amend(self, heard: Heard) -> None:
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
        """Forget what was said in `messages`: people deleted them.

        A question that is not being answered yet is answered no more. `channel` is
        None where ids are unique in the whole workspace. Raises StorageError.
        """

    def stop(self, thread: ThreadKey) -> bool:
        """End the running answer in `thread`; say whether there was one."""
        ...

    async def command(self, verb: str, thread: ThreadKey) -> str:
        """Carry out one of `bot.verbs` in `thread`; return, in Markdown, what the
        one who gave it is told. Raises StorageError."""
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

    async def show(self, part: Part) -> str:
        """Make message `part.index` read `part.text`; return its platform id.

        Empty text asks for a placeholder. Posts only if the message is not
        there yet. Raises Throttled, ThreadGone, another DeliveryError (worth
        repeating) or AccessRevoked.
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

    async def readable(self, heard: Sequence[Heard]) -> list[tuple[str, str]]:
        """(author's name, text) of each: ids replaced by names that people
        see, the bot's own mention taken out. Never raises for a name that
        cannot be found."""
        ...

    async def history(self, thread: ThreadKey, before: str) -> list[Heard]:
        """What was said in `thread` before message `before`, oldest first.

        Empty where a platform has no history. Raises DeliveryError when it
        cannot be read now.
        """
        ...


class Store(Protocol):
    """What is remembered. Each verb is one transaction, durable on return.

    Every verb may raise StorageError.
    """

    async def hear(self, heard: Heard, judge: Judge) -> Verdict:
        """Judge `heard` and remember it accordingly.

        A message known already is IGNOREd: nothing changes. KEEP stores the
        message. ANSWER stores it and sees to it that a turn in state WAITING
        exists in the thread and holds it; creates the thread if it is new
        (with `follows` = opens and addressed).

        What a stored message `quotes` is stored before it, in the same turn, to
        be read and not to be answered. It makes no thread follow; our own words
        are skipped, and those messages that are known stay as they are.
        """
        ...

    async def move(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Let what is remembered of `thread` be remembered of `to`, which is not
        known yet. Nothing happens if `thread` is unknown or `to` is known."""

    async def recall(self, thread: ThreadKey, message: str) -> str | None:
        """What a person's `message` reads; None if it is unknown or erased."""
        ...

    async def amend(self, heard: Heard, content: str, now: float) -> None:
        """Let a known message read `heard.text`, with the names `heard.files`,
        also where it was quoted in another thread of its channel.

        Where Claude has read it, or is about to in a turn that was begun, it reads
        `content` from now on. Unknown and erased messages stay as they are.
        """

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None,
        now: float,
    ) -> None:
        """Forget what people said in `messages`: text, files and what Claude read.

        Only that there was a message is kept, so that it cannot come again. A
        `channel` of None means any in the workspace. Answers stay as they are. A
        turn may lose all that it was to answer; `begin` then returns none.
        """

    async def renew(self, thread: ThreadKey) -> bool:
        """Let Claude read nothing from now on of what was said in `thread` so far,
        kept messages and an open turn's included; it is not `unread` any more.
        Say whether the thread is known.

        People still see all of it. What a message quotes later on is read if it
        was not known before.
        """
        ...

    async def repeat(self, thread: ThreadKey, now: float) -> bool:
        """Have the last answer in `thread` given anew; say whether that can be.

        A new turn in state WAITING takes over the messages of the last one, its
        preface, what it has `shown` and when it was asked. The old turn keeps
        its text, usage and ending; nobody reads its answer any more. Not possible
        while a turn is open, or where the last one has nothing (left) to answer.
        """
        ...

    async def backfill(self, turn: Turn, history: Sequence[Heard]) -> list[Spoken]:
        """Give `turn` what was said in its thread before we came, once; return
        all of its messages in the platform's order.

        Skips known messages and our own, and all of them if the thread is not
        `unread`. Marks it as read, so that `unread` is False from now on; the
        thread begins to follow if its root addressed the bot.
        """
        ...

    async def unread(self, thread: ThreadKey) -> bool:
        """Whether the thread had begun before we came, and was neither backfilled
        nor renewed since."""
        ...

    async def open_threads(self) -> list[ThreadKey]:
        """Threads with a turn that is not DELIVERED, oldest question first."""
        ...

    async def next_turn(self, thread: ThreadKey) -> Turn | None:
        """The oldest turn of `thread` that is not DELIVERED.

        It `begins` if the thread follows and no earlier turn holds messages that
        people wrote.
        """
        ...

    async def begin(self, turn: Turn, now: float) -> list[Spoken]:
        """Set `turn` to ANSWERING, count the attempt, and give it every
        message of the thread that no turn has yet; return all of its messages
        in the platform's order, but for those that are not to be read any more.

        If none is left that it is to answer, it gets none and returns none.
        """
        ...

    async def freeze(
        self, turn: Turn, preface: str, contents: Mapping[str, str]
    ) -> None:
        """Store what Claude is given: `contents` by message id, for messages
        that have none yet, and the `preface` unless the turn has one."""

    async def conversation(self, thread: ThreadKey) -> list[Said]:
        """Everything that Claude is to read, oldest first, byte for byte.

        Per turn: one "user" entry (its preface, then its messages' contents,
        joined by a newline), then one "assistant" entry where the answer is
        replayed. REFUSED turns and messages without a content are left out. Of
        a turn whose messages were all erased, the preface stands before the
        answer; without either, the turn is left out. One indexed query.
        """
        ...

    async def intend(self, turn: Turn, index: int) -> None:
        """Note that message `index` of the reply is about to be posted."""

    async def show(self, turn: Turn, shown: Shown, text: str, now: float) -> None:
        """Note what message `shown.index` now reads, and the answer so far."""

    async def unshow(self, turn: Turn, index: int) -> None:
        """Forget message `index` of the reply: it was taken back."""

    async def finish(self, turn: Turn, outcome: Outcome, now: float) -> None:
        """Store the outcome whole and set the turn to UNDELIVERED."""

    async def delivered(self, turn: Turn, now: float) -> None:
        """Set the turn to DELIVERED."""

    async def hand_over(self, turn: Turn) -> None:
        """Set an ANSWERING turn back to WAITING, for the next process."""

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """The threads of a channel, the last used first."""
        ...

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """Threads of `platform` in which people said something at or after `since`,
        each with the platform's id of the last message that is known, erased or
        not; the oldest first."""
        ...

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """(author, text as heard) of everything said, oldest first; the
        author of the bot's answers is "". Left out are erased messages, and
        answers that were given anew."""
        ...

    async def spending(self, since: float) -> list[Spending]:
        """Usage and cost of turns that ended at or after `since`."""
        ...


class Model(Protocol):
    """Something that answers."""

    def answer(self, request: Request) -> AsyncGenerator[str | Report, None]:
        """Yield the answer's text as it comes, and what is known of the call.

        Yields a Report as soon as something is billed, and last one with a
        `stop_reason`. Raises a ModelError: before any text after its own
        retries are used up, or ModelCut when the answer breaks off.
        """
        ...
