"""Ports of the store for messages, threads and turns, and the sums of ports.

Consumers use the narrowest port as their type. Sums of several ports for one consumer
are at the end of this module. `Store`, the sum of all, is for the composition root.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Protocol

from bot.domain.budget import NO_LIMITS, Alert, BudgetLimits
from bot.domain.completion import ChatMessage
from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ThreadKey
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
from bot.ports.earlier_turns import EarlierTurns
from bot.ports.files import FileStore
from bot.ports.inbox import HeldThreads, InboxStore, MovedChannels
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


class PromptStore(Protocol):
    """The messages of a thread that the model reads."""

    async def backfill(
        self, turn: Turn, history: Sequence[Message]
    ) -> list[TurnMessage]:
        """Add `history`, the earlier messages of the thread, to `turn` if the thread
        needs a backfill.

        Returns all messages of the turn in the platform's order. Known messages and the
        bot's own are skipped. The thread follows if its root addressed the bot. Once
        `store_prompt` was called after this, the thread needs no backfill.
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
        """Store the input of the model, and return what the model then reads.

        `contents`, by message id, are stored for messages without content, and
        `preface` is stored unless the turn has one. `version` is the id of the system
        prompt's version, which is returned too. The thread keeps the settings `pinned`,
        if given, from now on.
        """
        ...

    async def conversation(self, thread: ThreadKey) -> list[ChatMessage]:
        """Return everything that the model reads, oldest first, byte for byte.

        A turn is one "user" entry (its preface and its messages' contents, joined by
        line feeds), and one "assistant" entry if its answer is replayed. REFUSED turns
        and messages without content are left out. If all messages of a turn were
        deleted, the preface comes before the answer; without either, the turn is left
        out. A summary (`SummaryStore`) is one "user" entry in place of the turns that
        it covers. The files of an entry are those of its messages, without their bytes.
        One indexed query, and one for each message with files.
        """
        ...


class PendingTurns(Protocol):
    """Turns that are not delivered yet."""

    async def next_turn(self, thread: ThreadKey) -> Turn | None:
        """Return the oldest turn of `thread` that is not DELIVERED.

        The turn `begins` if the thread follows and no earlier turn has messages of
        people.
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
        """Store the answer so far and the line above it, before readers see them.

        Unless `part` is None, also store the text that message `part.index` of the
        reply shows. With `asks`, first ask the rates that processes share for the
        write, by the same clock, and return the answer to each ask. Nothing is stored
        if the write must wait.

        A part is stored before its post, without an id; after the post; and once it is
        final. While it grows, its text is stored only with the answer. A known id is
        kept. Each call updates `touched`, except for a part without an id: recovery
        searches for a post of unknown outcome from the old value on.
        """

    async def forget_part(self, turn: Turn, index: int) -> None:
        """Delete message `index` of the reply, because it was deleted on the
        platform."""


class TurnStore(PendingTurns, PartStore, Protocol):
    """The life of a turn: WAITING, ANSWERING, UNDELIVERED, DELIVERED."""

    async def begin_turn(self, turn: Turn, now: float) -> list[TurnMessage]:
        """Set `turn` to ANSWERING, count the attempt, and assign the thread's
        unassigned messages to it.

        Returns all messages of the turn since the last reset, in the platform's order.
        If none of them needs an answer, none is assigned and none returned. The reserve
        of an earlier attempt is booked, because the cost of that attempt is unknown.
        """
        ...

    async def finish_turn(
        self, turn: Turn, outcome: Outcome, now: float, caps: BudgetLimits = NO_LIMITS
    ) -> list[Alert]:
        """Store the whole outcome and set the turn to UNDELIVERED.

        Updates `touched`, unless a post is unconfirmed: recovery searches from the old
        value. Releases the turn's reserve and books its cost, or the reserve if the
        cost is unknown. Returns the alerts due for the budgets of `caps` and marks them
        sent; alerts of the operator's budgets are left to `Accounts.alerts`.
        """
        ...

    async def mark_delivered(self, turn: Turn, now: float) -> bool:
        """Set the ended turn to DELIVERED; return whether its thread has open turns. A
        turn without a stored outcome stays open."""
        ...

    async def release_turn(self, turn: Turn) -> None:
        """Release the turn to the next process.

        An ANSWERING turn becomes WAITING again, and the last failure of an UNDELIVERED
        turn does not count.
        """

    async def record_failure(self, turn: Turn, weight: int = 1) -> int:
        """Add `weight` to the number of failures of `turn` and return the sum over all
        processes.

        Also called before an attempt that may end the process.
        """
        ...

    async def abandon_turn(self, turn: Turn, reason: str, now: float) -> None:
        """Set the turn to DELIVERED although its answer may not be visible.

        A turn that has not ended becomes FAILED for `reason`. Books its reserve.
        """

    async def move_thread(self, thread: ThreadKey, to: ThreadKey) -> None:
        """Rename the key of `thread` to `to`. Does nothing if `thread` is unknown or
        `to` is known."""


class ControlStore(PendingTurns, Protocol):
    """Turns, for the controls of a reply."""

    async def askers(self, thread: ThreadKey) -> frozenset[str]:
        """Return the people who ever asked in `thread`, including those of deleted
        questions."""
        ...

    async def turn_facts(self, thread: ThreadKey, turn: str = "") -> TurnFacts | None:
        """Return facts about the turn of `thread` with the key `turn`, or None.

        "" as `turn` means the newest turn. People whose question was deleted still
        count as askers.
        """
        ...

    async def reset_context(self, thread: ThreadKey) -> bool:
        """Exclude all messages so far from the model's context, those of an open turn
        included.

        Returns whether the thread is known. Nothing is backfilled later. People still
        see the messages. A message that is quoted later is read unless it was already
        known.
        """
        ...

    async def retry_turn(self, thread: ThreadKey, turn: str, now: float) -> bool:
        """Queue another answer in place of the last one in `thread`, of the turn with
        the key `turn`.

        A new turn in state WAITING takes over the last turn's messages, preface, posted
        parts and time of asking. The old turn keeps its text, usage and outcome; its
        answer is no longer read. Returns False while a turn is open, if the last turn
        has another key, or if it has no message to answer (left).
        """
        ...


class ThreadStore(Protocol):
    """Threads, for listing, for recovery and for readers."""

    async def open_threads(self) -> list[ThreadKey]:
        """Return the threads with a turn that is not DELIVERED, oldest question
        first."""
        ...

    async def waiting_threads(
        self, platforms: Collection[str], most: int, serves: Serves = all_threads
    ) -> list[WaitingThread]:
        """Return at most `most` threads with a turn that is not DELIVERED, in fair
        order.

        Only threads of `platforms` that `serves` accepts. Fair order: each person's
        oldest question first, then each person's second oldest, and so on; within a
        round, the oldest question first.
        """
        ...

    async def list_threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """Return the threads of a channel, most recently used first."""
        ...

    async def newest_messages(
        self, platform: str, since: float
    ) -> list[tuple[ThreadKey, str]]:
        """Return the threads of `platform` with a person's message at or after `since`.

        Oldest first, each with the id of its newest message, deleted or not. Messages
        that a button created do not count.
        """
        ...

    async def said(self, place: Scope, since: float) -> list[Message]:
        """Return the newest 1,000 of people's messages in a thread or channel that were
        posted at or after `since`, without deleted ones."""
        ...

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """Return (author, text) of all messages and answers, oldest first; the author
        of an answer is "". Deleted messages and retried answers are left out."""
        ...

    async def record_feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """Store a person's rating of the finished answer of the turn with the key
        `turn`.

        Returns False if `thread` has no such answer.
        """
        ...


class RetentionStore(Protocol):
    """Deletion of data at the end of its retention."""

    async def clean_up(self, retention: Retention, now: float) -> Mapping[str, int]:
        """Delete the data that `retention` no longer allows, and the store's own
        expired data.

        Returns the number of deleted rows by kind. Runs many small transactions.
        Afterwards the deleted data is in none of the store's files, unless somebody was
        reading at the same time.
        """
        ...


class ReplyStore(PartStore, RateStore, Protocol):
    """The part of the store for writing replies."""


class AdmissionStore(NoticeStore, PinStore, Ledger, ThreadStates, Protocol):
    """The part of the store for admitting a turn."""


class SummariserStore(SummaryStore, EarlierTurns, Charges, Protocol):
    """The part of the store for summarising threads."""


class EditorStore(SettingsStore, DraftStore, Protocol):
    """The part of the store for editing settings."""


class UndoStore(SettingsStore, ChangeStore, Protocol):
    """The part of the store for undoing a change."""


class TrialStore(SettingsStore, DraftStore, Charges, Protocol):
    """The part of the store for trying a prompt."""


class ClassifierStore(CaseStore, Charges, Protocol):
    """The part of the store for classifying a message."""


class AutoTriageStore(CaseStore, CaseQueue, Protocol):
    """The part of the store for automatic triage."""


class Store(
    InboxStore,
    HeldThreads,
    MovedChannels,
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
    """All ports of the store, for the composition root."""
