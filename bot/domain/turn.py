"""Turns: one question and its answer, from waiting to delivered. Frozen values."""

import enum
from dataclasses import dataclass, field

from bot.domain.answer_file import Upload
from bot.domain.completion import Usage
from bot.domain.mcp import ToolCall
from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.setting import AppliedSetting


class TurnState(enum.Enum):
    """The progress of a turn.

    A turn only moves down this list, except that a turn released at shutdown returns to
    WAITING.
    """

    WAITING = "waiting"
    ANSWERING = "answering"
    #: The answer is final and stored; its last write to the platform is unconfirmed.
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


class Ended(enum.Enum):
    """The outcome of an answer."""

    DONE = "done"
    STOPPED = "stopped"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """A person's message that belongs to a turn."""

    message: Message
    #: The text that Claude read for the message; None until it has been sent once.
    content: str | None = None
    #: Whether the message may have a reaction that shows that it waits.
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class WaitingThread:
    """A thread with an open turn."""

    thread: ThreadKey
    #: The author of its first open question; "" if the question was deleted.
    asker: str
    #: The time of that question, in seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One question (perhaps of several messages) and its answer.

    Everything that a worker needs is here or in the store, so that any process can
    resume a turn after a crash.
    """

    id: int
    #: Unique across all databases. Written into posts, so that they can be found.
    key: str
    thread: ThreadKey
    state: TurnState
    #: The number of attempts to answer.
    attempts: int
    #: The time of the last progress, in seconds since 1970.
    touched: float
    #: The time of storing its first message, in seconds since 1970.
    received: float = 0.0
    #: The answer so far; complete from UNDELIVERED on.
    text: str = ""
    #: The line above the text, which names the files that were not read.
    head: str = ""
    ended: Ended | None = None
    #: A note shown below the text, for example how the answer ended.
    note: str = ""
    shown: tuple[PostedPart, ...] = ()
    #: Whether the turn answers the root of its thread, which addressed the bot.
    begins: bool = False
    #: The first question of its thread, unless it was deleted.
    opening: Message | None = None
    #: The author of its first question; "" if all were deleted.
    asker: str = ""
    #: See `Outcome`.
    stop_reason: str | None = None
    calls: str = ""
    #: The number of messages covered by a summary that this turn is the first to use; 0
    #: for none.
    summarised: int = 0
    #: The number of pages of each file that waits for people's decision because of its
    #: price; 0 for a file without pages.
    waiting: tuple[int, ...] = ()
    #: The files below the answer, in the order of posting.
    uploads: tuple[Upload, ...] = ()
    #: The number of times that a process acquired the thread, and the process that
    #: holds it; "" for none.
    epoch: int = 0
    owner: str = ""
    #: Whether somebody asked to stop the turn, in any process.
    is_stopped: bool = False

    @property
    def is_repeat(self) -> bool:
        """True before the first attempt to write an earlier answer again."""
        is_new = self.state is TurnState.WAITING and not self.attempts
        return is_new and any(each.message for each in self.shown)


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """The facts about a turn that its controls depend on."""

    key: str
    state: TurnState
    ended: Ended | None
    stop_reason: str | None
    #: Whether its answer has any text.
    has_text: bool
    #: The authors of its questions.
    askers: frozenset[str]
    #: Whether all its questions were deleted.
    withdrawn: bool
    #: Whether it is the last turn of its thread.
    newest: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of a turn: everything stored when it ends."""

    ended: Ended
    #: The answer as shown, without the head and the note.
    text: str
    #: The line shown above the text; "" for none.
    head: str = ""
    #: The assistant message that later turns send; "" for none.
    replay: str = ""
    #: A note shown below the text.
    note: str = ""
    #: Why the turn did not succeed, for operators; never people's words.
    reason: str = ""
    model: str = ""
    stop_reason: str | None = None
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    #: In USD; None when the price is unknown.
    cost: float | None = None
    #: Whether `cost` is an upper bound, since the usage is unknown.
    bounded: bool = False
    #: The time of the first text, in seconds since 1970; None without text.
    first_text: float | None = None
    #: The id of the prompt version, and the effort.
    prompt: int | None = None
    effort: str = ""
    #: About how many messages were left out of the middle of the thread; None if
    #: unknown.
    missing: int | None = 0
    #: The numbers of people's messages and of answers in the request, if some were left
    #: out; else None.
    sent: tuple[int, int] | None = None
    #: The settings that the answer used; empty if no request was composed.
    applied: tuple[AppliedSetting, ...] = ()
    #: The user to notify when the answer is complete, since edits notify nobody; "" for
    #: nobody.
    calls: str = ""
    #: The MCP tools of the request, its tool calls, and the servers that were left out
    #: because they failed.
    tools: str = ""
    asked: tuple[ToolCall, ...] = ()
    left_out: tuple[str, ...] = ()
    #: As in `Turn`. Stored with the summary and with the files, respectively.
    summarised: int = 0
    waiting: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """One row of a list of threads."""

    thread: ThreadKey
    #: The beginning of its first message.
    title: str
    turns: int
    #: The time of its last message, in seconds since 1970.
    last: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """A reader's rating of an answer."""

    thread: ThreadKey
    #: The key of the turn.
    turn: str
    #: The time of the answer's end, in seconds since 1970.
    at: float
    good: bool
    model: str
    #: The id of the prompt version.
    prompt: int | None
    #: The question, unless it was deleted, and the answer.
    question: str
    answer: str


#: The default number of turns that run at once. Each keeps a stream from Claude open
#: and a thread's text in memory.
ANSWERS_AT_ONCE = 100
