"""Receipts: the input and the cost of an answer. Frozen values.

Rule: a receipt holds ids, numbers and names of files, never people's messages.
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

    #: The platform's id, or the id of a button press (`bot.domain.reply.PRESSED`).
    message: str
    author: str
    #: Seconds since 1970.
    at: float
    #: Whether the message has been deleted since.
    deleted: bool = False


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file of a message that Claude read, and the result of reading the file."""

    name: str
    #: In bytes; None if unknown.
    size: int | None = None
    #: The stored file; None if Claude read only the name, as for files received by
    #: earlier versions.
    stored: StoredFile | None = None

    @property
    def is_read(self) -> bool:
        """True if Claude was given the content of the file."""
        return self.stored is not None and self.stored.unread is None


@dataclass(frozen=True, slots=True)
class ReadMessages:
    """The messages in a request, and counts of the thread's messages left out of it."""

    #: The number of people's messages, and of answers.
    messages: int
    answers: int
    #: The first and the last message of people.
    first: MessageRef | None
    last: MessageRef | None
    #: The messages that the turn answers: the newest ones.
    questions: tuple[MessageRef, ...]
    #: The numbers of messages that were deleted, preceded the last reset, or belong to
    #: declined questions.
    deleted: int = 0
    before_reset: int = 0
    declined: int = 0
    #: Whether the thread's earlier messages could not be fetched.
    history_failed: bool = False
    #: About how many of the messages counted above were left out of the middle of a
    #: long thread; None if unknown.
    missing: int | None = 0
    #: Whether `missing` was stored. False if the process crashed before that.
    is_complete: bool = True
    #: The number of messages that arrived while the turn was being answered.
    later: int = 0
    #: The number of messages that Claude read as a summary, and the model for which the
    #: API's compaction made the summary; "" for our own summary.
    summarised: int = 0
    compacted_by: str = ""
    #: The newest files of the messages, and the number of further files.
    files: tuple[ReadFile, ...] = ()
    more_files: int = 0


@dataclass(frozen=True, slots=True)
class TurnTimes:
    """The times of a turn's steps, in seconds since 1970.

    None means that a step did not happen.
    """

    #: By the platform's clock. The other times are by ours.
    asked: float
    stored: float
    begun: float | None = None
    reserved: float | None = None
    first_text: float | None = None
    ended: float | None = None
    delivered: float | None = None


@dataclass(frozen=True, slots=True)
class PastRequest:
    """The facts about one request of a thread that the prompt cache depends on."""

    #: The time of sending, in seconds since 1970.
    at: float
    model: str
    #: The id of the prompt version.
    prompt: int | None
    usage: Usage
    applied: tuple[AppliedSetting, ...] = ()
    #: As in `ReadMessages`.
    deleted: int = 0
    missing: int | None = 0
    summarised: int = 0
    #: The MCP tools of the request, and the number of its tool calls.
    tools: str = ""
    asked: int = 0

    def value(self, setting: str) -> str:
        """Return the applied value of `setting`; "" if the model does not use it."""
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
    #: The number of attempts to answer.
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
    #: USD reserved for the answer.
    held: float = 0.0
    #: None if no request was made, or if the turn predates receipts.
    read: ReadMessages | None = None
    applied: tuple[AppliedSetting, ...] = ()
    #: The MCP tools of the request, its tool calls, and the labels of the servers that
    #: failed.
    tools: str = ""
    asked: tuple[ToolCall, ...] = ()
    left_out: tuple[str, ...] = ()
    #: The last earlier request that read the same beginning of the thread; None if
    #: there is none.
    before: PastRequest | None = None
    #: For operators.
    stop_reason: str = ""
    request_id: str = ""
    reason: str = ""

    @property
    def request(self) -> PastRequest | None:
        """The turn's own request, for comparison with a later one.

        None if no request was answered, or if the turn predates receipts.
        """
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
