"""Turns: one question and its answer, from waiting to delivered. Frozen values."""

import enum
from dataclasses import dataclass, field

from bot.domain.completion import Usage
from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.scope import ThreadKey


class TurnState(enum.Enum):
    """How far a turn has come. A turn only ever moves down this list, except
    that a turn handed over at shutdown goes back to WAITING."""

    WAITING = "waiting"
    ANSWERING = "answering"
    #: The answer is final and stored; its last write to the platform is not
    #: known to have succeeded.
    UNDELIVERED = "undelivered"
    DELIVERED = "delivered"


class Ended(enum.Enum):
    """How an answer ended."""

    DONE = "done"
    STOPPED = "stopped"
    REFUSED = "refused"
    FAILED = "failed"
    INTERRUPTED = "interrupted"


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """A person's message that belongs to a turn."""

    heard: Message
    #: What Claude was given for it; None until it was given to Claude once.
    content: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingThread:
    """A thread with an open turn."""

    thread: ThreadKey
    #: Who asked first of what is open; "" if that is gone.
    asker: str
    #: When that was asked, in seconds since 1970.
    at: float


@dataclass(frozen=True, slots=True)
class Turn:
    """One question (perhaps of several messages) and its answer.

    Everything that a worker needs is in here or in the store; nothing lives
    in a closure, so any process may take a turn up after a crash.
    """

    id: int
    #: Unique over all databases: what we write into a post to find it again.
    key: str
    thread: ThreadKey
    state: TurnState
    #: How often answering began.
    attempts: int
    #: When this turn last gave a sign of life, in seconds since 1970.
    touched: float
    #: The answer so far; whole once the state is UNDELIVERED.
    text: str = ""
    ended: Ended | None = None
    #: What the thread is told below the text, for example how it ended.
    note: str = ""
    shown: tuple[PostedPart, ...] = ()
    #: It answers the message that its thread began with, which addressed the bot.
    begins: bool = False
    #: The first message in its thread that was to be answered, if it is still there.
    opening: Message | None = None
    #: Who asked it first; "" if all that was asked is gone.
    asker: str = ""
    #: As in `Outcome`.
    stop_reason: str | None = None
    calls: str = ""


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What is known of a turn when somebody uses the controls of its answer."""

    key: str
    state: TurnState
    ended: Ended | None
    stop_reason: str | None
    #: Whether there is any text of an answer.
    has_text: bool
    #: Everybody who asked it.
    askers: frozenset[str]
    #: No turn of its thread came after it.
    newest: bool


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a turn ended: everything about it that is remembered."""

    ended: Ended
    #: The answer as shown, without the note.
    text: str
    #: What the next turns replay as the assistant's words; "" means that the
    #: answer is not replayed.
    replay: str = ""
    #: What the thread is told below the text.
    note: str = ""
    #: Why it did not end well, for operators; never what people said.
    reason: str = ""
    model: str = ""
    stop_reason: str | None = None
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    #: In USD; None when the price is unknown.
    cost: float | None = None
    #: Whether `cost` is the most that it can have been, since nobody said.
    bounded: bool = False
    #: Seconds since 1970 when the first text arrived; None without text.
    first_text: float | None = None
    #: The id of the prompt's version that Claude was given, and the effort.
    prompt: int | None = None
    effort: str = ""
    #: Who is called once all of it is shown, since edits notify nobody; "" for none.
    calls: str = ""


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """A thread, as a list of threads shows it."""

    thread: ThreadKey
    #: The beginning of what was first said in it.
    title: str
    turns: int
    #: When something was last said, in seconds since 1970.
    last: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """How good a reader found an answer."""

    thread: ThreadKey
    #: The key of the turn.
    turn: str
    #: When the answer ended, in seconds since 1970.
    at: float
    good: bool
    model: str
    #: The id of the prompt's version that Claude was given.
    prompt: int | None
    #: What was asked, as far as it was not taken back, and what was answered.
    question: str
    answer: str


#: How many turns run at once, where the operator sets no other number. Each holds a
#: stream from Claude open and a thread's text in memory.
ANSWERS_AT_ONCE = 100
