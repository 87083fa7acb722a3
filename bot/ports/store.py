"""Ports of the store for messages, threads and turns, and the sums of ports.

A consumer is typed by the port that it uses. Where it uses several, their sum is at
the end of this module. `Store`, the sum of all, is for the composition root.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.budget import NO_LIMITS, Alert, BudgetLimits
from bot.domain.completion import ChatMessage
from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.scope import ThreadKey
from bot.domain.shared_rate import RateAsk, RateState
from bot.domain.thread_state import StoredPrompt
from bot.domain.turn import (
    Outcome,
    ThreadSummary,
    Turn,
    TurnFacts,
    TurnMessage,
    WaitingThread,
)
from bot.ports.api_threads import ApiThreadStore
from bot.ports.api_tokens import TokenStore
from bot.ports.cases import CaseQueue, CaseStore
from bot.ports.files import FileStore
from bot.ports.inbox import HeldThreads, InboxStore
from bot.ports.installations import InstallationStore
from bot.ports.ledger import Accounts, Charges, Ledger
from bot.ports.mcp import ListingStore
from bot.ports.names import NameStore
from bot.ports.notices import NoticeStore, SignStore
from bot.ports.posts import PostStore
from bot.ports.processes import (
    Gateways,
    LateWriteStore,
    OwnedThreads,
    RateStore,
    SharedTurns,
)
from bot.ports.receipts import ReceiptStore
from bot.ports.reports import ReportStore
from bot.ports.search import SearchStore
from bot.ports.settings import (
    AccessStore,
    ChangeStore,
    DraftStore,
    PinStore,
    SettingsStore,
)
from bot.ports.summaries import SummaryStore
from bot.ports.thread_states import ThreadStates
from bot.ports.uploads import UploadStore

#: Returns whether the operator lets the bot serve the workspace of a thread.
Serves = Callable[[ThreadKey], bool]


def all_threads(thread: ThreadKey) -> bool:
    """Return True: every workspace is served."""
    return True


class EarlierTurns(Protocol):
    """Turns that were delivered."""

    async def previous_turn(self, turn: Turn) -> Turn | None:
        """Return the last DELIVERED turn before `turn` in its thread of whose answer
        messages were posted."""
        ...

    async def question_times(self, thread: ThreadKey, most: int) -> list[float]:
        """Return the times of the newest questions of `thread`, at most `most`, in
        seconds since 1970, oldest first."""
        ...


class PromptStore(Protocol):
    """The messages of a thread that the model reads."""

    async def backfill(
        self, turn: Turn, history: Sequence[Message]
    ) -> list[TurnMessage]:
        """Add `history`, the earlier messages of the thread, to `turn` if the thread
        needs a backfill; return all messages of the turn in the platform's order.

        Skips known messages and the bot's own. The thread follows if its root addressed
        the bot. It needs no backfill once `store_prompt` was called after this.
        """
        ...

    async def store_prompt(
        self,
        turn: Turn,
        preface: str,
        contents: Mapping[str, str],
        version: int | None = None,
        pinned: Mapping[str, str] | None = None,
    ) -> StoredPrompt:
        """Store what the model is given: `contents` by message id for messages that
        have none yet, and `preface` unless the turn has one. Return what it is to read
        then, with the version of the system prompt that has the id `version`. The
        thread keeps the settings `pinned` from now on, if they are given."""
        ...

    async def conversation(self, thread: ThreadKey) -> list[ChatMessage]:
        """Return everything that the model is to read, oldest first, byte for byte.

        A turn is one "user" entry (its preface and its messages' contents, joined by
        line feeds), and one "assistant" entry if its answer is replayed. REFUSED
        turns and messages without content are left out. If all messages of a turn were
        deleted, the preface stands before the answer; without either, the turn is left
        out. A summary (`SummaryStore`) is one "user" entry in place of what it covers.
        The files of an entry are those of its messages, without their bytes. One
        indexed query, and one for each message with files.
        """
        ...


class PendingTurns(Protocol):
    """Turns that are not delivered yet."""

    async def next_turn(self, thread: ThreadKey) -> Turn | None:
        """Return the oldest turn of `thread` that is not DELIVERED.

        It `begins` if the thread follows and no earlier turn has messages of people.
        """
        ...


class PartStore(Protocol):
    """The posted parts of a reply."""

    async def store_part(
        self,
        turn: Turn,
        part: PostedPart | None,
        text: str,
        now: float,
        head: str = "",
        asks: Sequence[RateAsk] = (),
    ) -> Sequence[RateState]:
        """Store the answer so far, with the line above it, which readers are about to
        see; and what message `part.index` of the reply shows, unless it is None.

        With `asks`, processes that share the database are asked for the write first, by
        the same clock; return what each is answered. Nothing is stored if the write has
        to wait.

        The part is stored before a post, without an id, and after it, and once it is
        final: while it grows, its text is stored with the answer alone. A known id is
        kept. Each call updates `touched` but one without an id: recovery searches for a
        post of unknown outcome from the old value on.
        """

    async def forget_part(self, turn: Turn, index: int) -> None:
        """Delete message `index` of the reply, which was deleted on the platform."""


class TurnStore(PendingTurns, PartStore, Protocol):
    """The life of a turn: WAITING, ANSWERING, UNDELIVERED, DELIVERED."""

    async def begin_turn(self, turn: Turn, now: float) -> list[TurnMessage]:
        """Set `turn` to ANSWERING, count the attempt, and assign to it the messages of
        the thread that have no turn; return all of its messages in the platform's
        order, without those before the last reset.

        If no message to answer is left, none is assigned and none returned. What an
        earlier attempt reserved is booked, because its cost is unknown.
        """
        ...

    async def finish_turn(
        self, turn: Turn, outcome: Outcome, now: float, caps: BudgetLimits = NO_LIMITS
    ) -> list[Alert]:
        """Store the whole outcome and set the turn to UNDELIVERED.

        Updates `touched`, unless a post is unconfirmed: recovery searches from the old
        value. Releases the turn's reserve and books its cost, or the reserve if the
        cost is unknown. Returns the alerts that are due for the budgets of `caps` and
        marks them sent; those of the operator's budgets are left to `Accounts.alerts`.
        """
        ...

    async def mark_delivered(self, turn: Turn, now: float) -> None:
        """Set the turn, which has ended, to DELIVERED. One whose outcome is not stored,
        or no longer, stays open."""

    async def release_turn(self, turn: Turn) -> None:
        """Leave the turn to the next process: an ANSWERING turn is WAITING again, and
        the last failure of an UNDELIVERED one does not count."""

    async def record_failure(self, turn: Turn, weight: int = 1) -> int:
        """Add `weight` to the number of failures of `turn` and return the sum, earlier
        processes included. Also called before an attempt that may end the process."""
        ...

    async def abandon_turn(self, turn: Turn, reason: str, now: float) -> None:
        """Set the turn to DELIVERED though its answer may not be visible; as FAILED for
        `reason` unless it has ended. Books its reserve."""

    async def move_thread(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Store everything about `thread` under the key `to`. Does nothing if `thread`
        is unknown or `to` is known."""


class ControlStore(PendingTurns, Protocol):
    """The turns behind the controls of a reply."""

    async def askers(self, thread: ThreadKey) -> frozenset[str]:
        """Return the people who ever asked in `thread`, deleted questions included."""
        ...

    async def turn_facts(self, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
        """Return facts about the turn of `thread` with the key `turn`, "" for the
        newest; None if there is none. People whose question was deleted still count
        as askers."""
        ...

    async def reset_context(self, thread: ThreadKey) -> bool:
        """Exclude all messages so far from what the model reads, those of an open turn
        included; return whether the thread is known. Nothing is to be backfilled.

        People still see the messages. A message that is quoted later is read if it was
        not known before.
        """
        ...

    async def retry_turn(self, thread: ThreadKey, turn: str, now: float) -> bool:
        """Have the last answer in `thread`, that of the turn with the key `turn`,
        written again; return whether that is possible.

        A new turn in state WAITING takes over the last turn's messages, preface, posted
        parts and time of asking. The old turn keeps its text, usage and outcome; its
        answer is no longer read. Not possible while a turn is open, if the last turn
        has another key, or if it has no message to answer (left).
        """
        ...


class ThreadStore(Protocol):
    """Threads, for lists of them, for recovery and for the people who read them."""

    async def open_threads(self) -> list[ThreadKey]:
        """Return the threads with a turn that is not DELIVERED, oldest question
        first."""
        ...

    async def waiting_threads(
        self, platforms: Collection[str], most: int, serves: Serves = all_threads
    ) -> list[WaitingThread]:
        """Return at most `most` threads of `platforms` with a turn that is not
        DELIVERED and that `serves` accepts, in fair order: each person's oldest
        question first, then each person's second oldest, and so on; the oldest first
        among those."""
        ...

    async def list_threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """Return the threads of a channel, the last used first."""
        ...

    async def newest_messages(
        self, platform: str, since: float
    ) -> list[tuple[ThreadKey, str]]:
        """Return the threads of `platform` with a message of a person at or after
        `since`, oldest first, each with the id of its newest message, deleted or not.
        Messages that a button created do not count."""
        ...

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """Return (author, text) of all messages and answers, oldest first; the author
        of an answer is "". Deleted messages and retried answers are left out."""
        ...

    async def record_feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """Store a person's rating of the finished answer of the turn with the key
        `turn`; return whether `thread` has one."""
        ...


class RetentionStore(Protocol):
    """Deletion of what was kept for long enough."""

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        """Delete what is older than `retention` allows, and what the store itself keeps
        for a limited time; return the number of deleted rows by kind.

        Many small transactions. What was deleted is in none of the store's files
        afterwards, unless somebody was reading meanwhile.
        """
        ...


class ReplyStore(PartStore, RateStore, Protocol):
    """The part of the store that the writing of replies uses."""


class AdmissionStore(NoticeStore, PinStore, Ledger, ThreadStates, Protocol):
    """The part of the store that the admission of a turn uses."""


class SummariserStore(SummaryStore, EarlierTurns, Charges, Protocol):
    """The part of the store that the summarising of threads uses."""


class EditorStore(SettingsStore, DraftStore, Protocol):
    """The part of the store that the editing of settings uses."""


class UndoStore(SettingsStore, ChangeStore, Protocol):
    """The part of the store that the undoing of a change uses."""


class TrialStore(SettingsStore, DraftStore, Charges, Protocol):
    """The part of the store that the trial of a prompt uses."""


class ClassifierStore(CaseStore, Charges, Protocol):
    """The part of the store that the classification of a message uses."""


class AutoTriageStore(CaseStore, CaseQueue, Protocol):
    """The part of the store that automatic triage uses."""


class Store(
    InboxStore,
    HeldThreads,
    PromptStore,
    ThreadStates,
    SummaryStore,
    TurnStore,
    EarlierTurns,
    ControlStore,
    ThreadStore,
    AccessStore,
    PinStore,
    SettingsStore,
    ChangeStore,
    DraftStore,
    Ledger,
    Accounts,
    CaseStore,
    CaseQueue,
    NoticeStore,
    SignStore,
    NameStore,
    ReportStore,
    ReceiptStore,
    SearchStore,
    ListingStore,
    RetentionStore,
    FileStore,
    PostStore,
    TokenStore,
    ApiThreadStore,
    UploadStore,
    OwnedThreads,
    LateWriteStore,
    InstallationStore,
    SharedTurns,
    RateStore,
    Gateways,
    Protocol,
):
    """The sum of all ports of the store, for the composition root."""
