"""Receipts: what an answer was made from, and what it cost. Frozen values.

Rule: a receipt holds ids, numbers and names of files, never what people wrote.
"""

from dataclasses import dataclass, field

from bot.domain.attachment import StoredFile
from bot.domain.completion import Usage
from bot.domain.mcp import ToolCall
from bot.domain.scope import ThreadKey
from bot.domain.setting import AppliedSetting, Version
from bot.domain.turn import Ended, TurnState


@dataclass(frozen=True, slots=True)
class MessageRef:
    """A message that a receipt names."""

    #: The platform's id; it may be that of a button press (`bot.domain.reply.PRESSED`).
    message: str
    author: str
    #: Seconds since 1970.
    at: float
    #: Whether it was deleted since.
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file of a message that Claude read, and what became of the file."""

    name: str
    #: Bytes; None if unknown.
    size: int | None = None
    #: The stored file; None if only its name was read, as of files that earlier
    #: versions received.
    stored: StoredFile | None = None

    @property
    def is_read(self) -> bool:
        """True if Claude was given the content of the file."""
        return self.stored is not None and self.stored.unread is None


@dataclass(frozen=True, slots=True)
class ReadMessages:
    """The messages that the request had, and those of the thread that it had not."""

    #: How many messages of people, and how many answers.
    messages: int
    answers: int
    #: The first and the last message of people.
    first: MessageRef | None
    last: MessageRef | None
    #: The messages that it answers: the newest ones.
    questions: tuple[MessageRef, ...]
    #: How many were deleted before, were before the last reset, or belong to questions
    #: that were declined.
    deleted: int = 0
    before_reset: int = 0
    declined: int = 0
    #: Whether the thread's earlier messages could not be fetched.
    history_failed: bool = False
    #: About how many are missing in the middle of a long thread, of the numbers above;
    #: None for an unknown number.
    missing: int | None = 0
    #: Whether `missing` was stored: not if a crash came first.
    is_complete: bool = True
    #: How many arrived while it was answered.
    later: int = 0
    #: How many of those read were read as a summary, and the model for which the API's
    #: compaction made that; "" for a summary of ours.
    summarised: int = 0
    compacted_by: str = ""
    #: The newest files of the messages, and the number of the others.
    files: tuple[ReadFile, ...] = ()
    more_files: int = 0


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """The times of a turn's steps, in seconds since 1970; None for a step that did not
    happen."""

    #: By the platform's clock; the others are by ours.
    asked: float
    stored: float
    begun: float | None = None
    reserved: float | None = None
    first_text: float | None = None
    ended: float | None = None
    delivered: float | None = None


@dataclass(frozen=True, slots=True)
class PastRequest:
    """One request of a thread, as far as the prompt cache depends on it."""

    #: When it was sent, in seconds since 1970.
    at: float
    model: str
    #: The id of the version of the prompt.
    prompt: int | None
    usage: Usage
    applied: tuple[AppliedSetting, ...] = ()
    #: As of `ReadMessages`.
    deleted: int = 0
    missing: int | None = 0
    summarised: int = 0
    #: The tools of MCP servers that it had, and how many calls of them it made.
    tools: str = ""
    asked: int = 0

    def value(self, setting: str) -> str:
        """Return the value of `setting` that applied; "" if the model does not use
        it."""
        return next((s.value for s in self.applied if s.name == setting), "")


@dataclass(frozen=True, slots=True)
class Receipt:
    """The origin of the answer to one turn: its input, model, cost and waits."""

    #: The key of the turn.
    turn: str
    thread: ThreadKey
    state: TurnState
    ended: Ended | None
    times: TurnTimes
    #: The number of times that answering began.
    attempts: int
    #: "" if no model has begun to answer.
    model: str = ""
    effort: str = ""
    #: The version of the prompt, without its text.
    prompt: Version | None = None
    usage: Usage = field(default_factory=Usage)
    #: In USD; None when the price is unknown.
    cost: float | None = None
    #: Whether `cost` is an upper bound.
    bounded: bool = False
    #: USD that were reserved for it.
    held: float = 0.0
    #: None if no request was made, or before receipts were stored.
    read: ReadMessages | None = None
    applied: tuple[AppliedSetting, ...] = ()
    #: The tools of MCP servers that its request had; the calls of them, and the servers
    #: that failed, by their labels.
    tools: str = ""
    asked: tuple[ToolCall, ...] = ()
    left_out: tuple[str, ...] = ()
    #: The last request before it that read the same beginning of the thread; None for
    #: none.
    before: PastRequest | None = None
    #: For operators.
    stop_reason: str = ""
    request_id: str = ""
    reason: str = ""

    @property
    def request(self) -> PastRequest | None:
        """Its own request, as a later one compares itself with it; None if none was
        answered, or before receipts were stored."""
        at = self.times.reserved or self.times.begun
        if at is None or self.read is None or not self.model:
            return None
        return PastRequest(
            at,
            self.model,
            self.prompt.id if self.prompt else None,
            self.usage,
            self.applied,
            deleted=self.read.deleted,
            missing=self.read.missing,
            summarised=self.read.summarised,
            tools=self.tools,
            asked=len(self.asked),
        )


@dataclass(frozen=True, slots=True)
class ReceiptTexts:
    """The texts of the question and answer, for operators who ask for them."""

    question: str
    answer: str


@dataclass(frozen=True, slots=True)
class AnswerSummary:
    """One row of the list of a thread's turns."""

    turn: str
    #: Seconds since 1970.
    asked: float
    state: TurnState
    ended: Ended | None
    model: str
    #: In USD; None when it is unknown.
    cost: float | None
