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

    A turn moves down this list only, except that one released at shutdown returns to
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
    #: The text that Claude read for it; None until it was sent once.
    content: str | None = None
    #: Whether it may show the sign that it waits.
    is_signed: bool = False


@dataclass(frozen=True, slots=True)
class WaitingThread:
    """A thread with an open turn."""

    thread: ThreadKey
    #: The author of its first open question; "" if that was deleted.
    asker: str
    #: The time of that question, in seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One question (perhaps of several messages) and its answer.

    All that a worker needs is in here or in the store, so that any process can resume
    a turn after a crash.
    """

    id: int
    #: Unique over all databases; written into posts, so that they can be found.
    key: str
    thread: ThreadKey
    state: TurnState
    #: The number of times that answering began.
    attempts: int
    #: The time of the last progress, in seconds since 1970.
    touched: float
    #: The time at which its first message was stored, in seconds since 1970.
    received: float = 0.0
    #: The answer so far; complete from UNDELIVERED on.
    text: str = ""
    #: The line shown above the text that names files that were not read.
    head: str = ""
    ended: Ended | None = None
    #: A note shown below the text, for example how the answer ended.
    note: str = ""
    shown: tuple[PostedPart, ...] = ()
    #: Whether it answers the root of its thread, which addressed the bot.
    begins: bool = False
    #: The first question of its thread, unless it was deleted.
    opening: Message | None = None
    #: The author of its first question; "" if all were deleted.
    asker: str = ""
    #: See `Outcome`.
    stop_reason: str | None = None
    calls: str = ""
    #: How many messages the summary covers that it is the first to use; 0 for none.
    summarised: int = 0
    #: The pages of each of its files whose price people are to decide about; 0 for a
    #: file that has none.
    waiting: tuple[int, ...] = ()
    #: The files below its answer, in the order of posting.
    uploads: tuple[Upload, ...] = ()
    #: How often its thread was taken by a process, and which one has it; "" for none.
    epoch: int = 0
    owner: str = ""
    #: Whether somebody asked for it to be stopped, in any process.
    is_stopped: bool = False


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """The state of a turn that decides what its controls may do."""

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
    """The end of a turn: all that is stored about it."""

    ended: Ended
    #: The answer as shown, without the head and the note.
    text: str
    #: The line shown above the text; "" for none.
    head: str = ""
    #: The assistant's message that later turns send; "" for nothing.
    replay: str = ""
    #: A note shown below the text.
    note: str = ""
    #: Why it did not end well, for operators; never what people wrote.
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
    #: About how many messages of the thread were left out of its middle; None for an
    #: unknown number.
    missing: int | None = 0
    #: How many messages of people and answers the request had, if some were left out.
    sent: tuple[int, int] | None = None
    #: The settings that it was written with; empty if no request was composed.
    applied: tuple[AppliedSetting, ...] = ()
    #: The user to notify once all of it is shown (edits notify nobody); "" for nobody.
    calls: str = ""
    #: The tools of MCP servers that the request had; the calls of them, and the servers
    #: without which it was answered.
    tools: str = ""
    asked: tuple[ToolCall, ...] = ()
    left_out: tuple[str, ...] = ()
    #: As in `Turn`; stored with the summary, and with the files.
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
    #: The time at which the answer ended, in seconds since 1970.
    at: float
    good: bool
    model: str
    #: The id of the prompt version.
    prompt: int | None
    #: The question, unless it was deleted, and the answer.
    question: str
    answer: str


#: The default number of turns that run at once. Each holds a stream from Claude open
#: and a thread's text in memory.
ANSWERS_AT_ONCE = 100
