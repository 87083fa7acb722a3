"""What is remembered, as the core asks for it. Each implementation passes the contract
tests under `tests/contracts/`.

Every verb is one transaction, durable on return, and may raise StorageError.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.budget import NO_LIMITS, Alert, BudgetLimits
from bot.domain.completion import ChatMessage
from bot.domain.message import Disposition, Message, ThreadFacts
from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ThreadKey
from bot.domain.setting import (
    AuditEntry,
    Change,
    Draft,
    EditConflict,
    Refusal,
    Setting,
    StoredSettings,
    Version,
)
from bot.domain.turn import (
    Outcome,
    ThreadSummary,
    Turn,
    TurnFacts,
    TurnMessage,
    WaitingThread,
)
from bot.ports.cases import CaseStore
from bot.ports.ledger import Ledger

#: Judges a message; is given None for a thread that is not known yet. Pure, so
#: that a store may call it inside a transaction.
Judge = Callable[[Message, ThreadFacts | None], Disposition]

#: Whether the operator lets the bot serve the workspace of a thread.
Serves = Callable[[ThreadKey], bool]


def all_threads(thread: ThreadKey) -> bool:
    """Let every thread through."""
    return True


class ThreadStore(Protocol):
    """Threads, what was said in them, and the turns that answer it."""

    async def hear(self, heard: Message, judge: Judge) -> Disposition:
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

    async def amend(self, heard: Message, content: str, now: float) -> None:
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

        So is every message that holds one of them, the question that a thread on one
        of them began with, the cases made of them, and an answer that one of them is a
        message of; of an answer that is still being written, once it is delivered.
        Other answers stay as they are.

        Only that there was a message is kept, so that it cannot come again, and the
        ids, so that what was not heard yet is not stored when it comes. A `channel` of
        None means any in the workspace. A turn may lose all that it was to answer;
        `begin` then returns none.
        """

    async def hold(self, heard: Message, holder: str, now: float) -> None:
        """Let `heard`, which is known, be forgotten when people delete the message
        `holder`, which shows its words; at once, if they have."""

    async def forget(self, place: Scope, now: float) -> None:
        """Forget all that was said in the thread or channel `place`, answers included,
        as with `erase`, and the cases and drafts in it: people deleted it. What is
        said there and heard only now is not stored."""

    async def renew(self, thread: ThreadKey) -> bool:
        """Let Claude read nothing from now on of what was said in `thread` so far,
        kept messages and an open turn's included; it is not `unread` any more.
        Say whether the thread is known.

        People still see all of it. What a message quotes later on is read if it
        was not known before.
        """
        ...

    async def askers(self, thread: ThreadKey) -> frozenset[str]:
        """Everybody who ever asked something in `thread`, also where they deleted the
        question since."""
        ...

    async def facts(self, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
        """What is known of the turn of `thread` with this key, or of its newest; None
        if there is none. People whose question was erased still asked it."""
        ...

    async def repeat(self, thread: ThreadKey, turn: str, now: float) -> bool:
        """Have the last answer in `thread`, which is that of the turn with this key,
        given anew; say whether that can be.

        A new turn in state WAITING takes over the messages of the last one, its
        preface, what it has `shown` and when it was asked. The old turn keeps
        its text, usage and ending; nobody reads its answer any more. Not possible
        while a turn is open, where the last one has another key, or nothing (left)
        to answer.
        """
        ...

    async def backfill(
        self, turn: Turn, history: Sequence[Message]
    ) -> list[TurnMessage]:
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

    async def waiting_threads(
        self, platforms: Collection[str], most: int, serves: Serves = all_threads
    ) -> list[WaitingThread]:
        """Return at most `most` threads of `platforms` with a turn that is not
        DELIVERED, of those that `serves` lets through, fairly: everybody's oldest
        question first, then everybody's second oldest, and so on; the oldest first
        among those."""
        ...

    async def next_turn(self, thread: ThreadKey) -> Turn | None:
        """The oldest turn of `thread` that is not DELIVERED.

        It `begins` if the thread follows and no earlier turn holds messages that
        people wrote.
        """
        ...

    async def begin(self, turn: Turn, now: float) -> list[TurnMessage]:
        """Set `turn` to ANSWERING, count the attempt, and give it every
        message of the thread that no turn has yet; return all of its messages
        in the platform's order, but for those that are not to be read any more.

        If none is left that it is to answer, it gets none and returns none. What was
        set aside for an earlier attempt is booked, for nobody knows what that cost.
        """
        ...

    async def freeze(
        self, turn: Turn, preface: str, contents: Mapping[str, str]
    ) -> None:
        """Store what Claude is given: `contents` by message id, for messages
        that have none yet, and the `preface` unless the turn has one."""

    async def conversation(self, thread: ThreadKey) -> list[ChatMessage]:
        """Everything that Claude is to read, oldest first, byte for byte.

        Per turn: one "user" entry (its preface, then its messages' contents,
        joined by a newline), then one "assistant" entry where the answer is
        replayed. REFUSED turns and messages without a content are left out. Of
        a turn whose messages were all erased, the preface stands before the
        answer; without either, the turn is left out. One indexed query.
        """
        ...

    async def show(self, turn: Turn, shown: PostedPart, text: str, now: float) -> None:
        """Note what message `shown.index` now reads, or is about to, and the answer so
        far. Without an id it is about to be posted, which is no sign of life yet; a
        known id is kept."""

    async def unshow(self, turn: Turn, index: int) -> None:
        """Forget message `index` of the reply: it was taken back."""

    async def finish(
        self, turn: Turn, outcome: Outcome, now: float, caps: BudgetLimits = NO_LIMITS
    ) -> list[Alert]:
        """Store the outcome whole and set the turn to UNDELIVERED. It is a sign of life
        unless the outcome of a post is unknown, which is to be looked for from the
        last one on.

        What was reserved for it is given back and its cost booked instead; where
        the cost is not known, what was reserved is booked. Returns the alerts that
        the budgets of `caps` have come to and nobody was told of, but for those of
        the operator's place (`alerts`).
        """
        ...

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """Note how good people found the finished answer of the turn with this key;
        say whether `thread` has one."""
        ...

    async def delivered(self, turn: Turn, now: float) -> None:
        """Set the turn to DELIVERED."""

    async def hand_over(self, turn: Turn) -> None:
        """Set an ANSWERING turn back to WAITING, for the next process. Of one that is
        UNDELIVERED the last failure does not count."""

    async def record_failure(self, turn: Turn, weight: int = 1) -> int:
        """Count, with `weight`, that taking `turn` to its end failed, or may fail now;
        return the sum, earlier processes included."""
        ...

    async def abandon(self, turn: Turn, reason: str, now: float) -> None:
        """Set the turn to DELIVERED though nobody may have seen its answer: as FAILED
        for `reason`, unless it has ended. What was set aside for it is booked."""

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """The threads of a channel, the last used first."""
        ...

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """Threads of `platform` in which people said something at or after `since`,
        each with the platform's id of the last message that is known, erased or
        not; the oldest first. What a control said has no such id, and is not one."""
        ...

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """(author, text as heard) of everything said, oldest first; the
        author of the bot's answers is "". Left out are erased messages, and
        answers that were given anew."""
        ...


class SettingsStore(Protocol):
    """Settings, their versions, and who changed them."""

    async def rules(self, place: Scope) -> StoredSettings:
        """What is set at `place` and around it and, of a thread, what it keeps. One
        indexed query."""
        ...

    async def settings(self, within: Scope) -> list[Setting]:
        """All that is set in `within`, itself included, by place and name. The
        operator's place holds everything."""
        ...

    async def change(
        self,
        changes: Sequence[Change],
        *,
        who: str,
        now: float,
        action: str = "set",
        base: int | None = None,
        running: bool = False,
    ) -> list[AuditEntry] | EditConflict:
        """Make all of `changes`, each noted in the audit, or none of them.

        What is as it was already is left out. Where `base` is given, nothing is done
        if somebody changed one of the same settings at one of the same places after
        entry number `base`, unless to what is wanted now. With `running`, and at a
        thread's own place always, running threads do not keep these options any
        more. A value of None is noted as "cleared" if the action is "set".
        """
        ...

    async def keep(self, thread: ThreadKey, values: Mapping[str, str]) -> None:
        """Let `thread` keep exactly `values` from now on, and none of them be
        stale."""

    async def adopt(self, name: str, text: str, now: float) -> int:
        """The id of the operator's version of option `name` that reads `text`: the
        last one, or a new one if that reads differently."""
        ...

    async def version(self, version: int) -> Version | None:
        """The version with this id."""
        ...

    async def versions(self, place: Scope, name: str) -> list[Version]:
        """All versions of option `name` at exactly `place`, the newest first."""
        ...

    async def note(self, entry: AuditEntry) -> None:
        """Note `entry`, whose action is "denied"; its id does not count. Refusals are
        counted by hour, channel, person and what was refused, so that however many
        there are, they hide no change; see `refusals`."""

    async def audit(self, within: Scope, since: float, most: int) -> list[AuditEntry]:
        """The changes at and in `within` from `since` on, the newest first, and no more
        than `most` of them."""
        ...

    async def refusals(self, within: Scope, since: float, most: int) -> list[Refusal]:
        """What was refused at and in `within`, or its channel, from `since` on, the
        last refused first, and no more than `most` lines of it."""
        ...

    async def save_draft(self, draft: Draft) -> int:
        """Keep `draft`, whose id does not count; return its id. Drafts that are a
        week older than it are thrown away."""
        ...

    async def draft(self, draft: int) -> Draft | None:
        """The draft with this id."""
        ...


class Store(ThreadStore, SettingsStore, Ledger, CaseStore, Protocol):
    """All that is remembered."""

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        """Delete what was kept for longer than `retention` says, and what the store
        keeps for a while by itself; return how much of each kind.

        Not one transaction but many small ones, and what was deleted is in none of the
        store's files afterwards, unless somebody was reading just then.
        """
        ...
