"""The values that the rest of Threadkeep hands around. All of them are frozen.

They hold facts, never behaviour that needs the outside: what was heard, what a
turn is, what a reply should read, what a platform allows.
"""

import enum
import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ThreadKey:
    """Names one conversation: the unit of memory, of ordering and of privacy.

    All four are the platform's own ids. Only the adapter that made them may
    look inside; everyone else compares them.
    """

    platform: str
    workspace: str
    channel: str
    thread: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.workspace}:{self.channel}:{self.thread}"


@dataclass(frozen=True, slots=True)
class Heard:
    """One message, as an adapter heard it. Facts only; it decides nothing."""

    thread: ThreadKey
    #: The platform's id of this message; unique within its channel.
    message: str
    #: When it was said by the platform's clock, in seconds since 1970.
    at: float
    #: The platform's id of who said it.
    author: str
    #: What was said, in the platform's own notation.
    text: str
    #: The bot was mentioned, or this was said where only the bot listens.
    addressed: bool
    #: This message is the root of its thread.
    opens: bool
    #: The bot itself said it.
    echo: bool = False
    #: Another program said it.
    automated: bool = False
    #: Names of the files that came with it.
    files: tuple[str, ...] = ()
    #: What it is about, when its author chose that: the message replied to, or
    #: asked about. Remembered with it, never answered for itself.
    quotes: tuple["Heard", ...] = ()


class Verdict(enum.Enum):
    """What becomes of something heard."""

    #: Not ours, or known already: nothing was written.
    IGNORE = "ignore"
    #: Remembered, for the next turn to read; not answered.
    KEEP = "keep"
    #: Remembered, and a turn waits to answer it.
    ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What is known of a thread when a message for it is judged."""

    #: The bot was addressed by the thread's root: people may go on unaddressed.
    follows: bool


class State(enum.Enum):
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
class Usage:
    """Tokens by the kinds that are priced apart. Zero means none."""

    #: Input that was neither read from the cache nor written to it.
    input: int = 0
    cache_write_5m: int = 0
    cache_write_1h: int = 0
    cache_read: int = 0
    #: Thinking included: it is billed as output.
    output: int = 0
    #: How often the web was searched, which is billed besides tokens.
    searches: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.input + other.input,
            self.cache_write_5m + other.cache_write_5m,
            self.cache_write_1h + other.cache_write_1h,
            self.cache_read + other.cache_read,
            self.output + other.output,
            self.searches + other.searches,
        )

    @property
    def prompt(self) -> int:
        """The whole prompt, however it was billed."""
        return self.input + self.cache_write_5m + self.cache_write_1h + self.cache_read


@dataclass(frozen=True, slots=True)
class Said:
    """One entry of a conversation, as Claude reads it, byte for byte."""

    #: "user" or "assistant".
    role: str
    content: str


@dataclass(frozen=True, slots=True)
class Spoken:
    """A person's message that belongs to a turn."""

    heard: Heard
    #: What Claude was given for it; None until it was given to Claude once.
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of a reply, as far as the platform is known to show it."""

    index: int
    #: The platform's id; None when a post was intended and its outcome is
    #: unknown.
    message: str | None
    text: str = ""


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
    state: State
    #: How often answering began.
    attempts: int
    #: When this turn last gave a sign of life, in seconds since 1970.
    touched: float
    #: The answer so far; whole once the state is UNDELIVERED.
    text: str = ""
    ended: Ended | None = None
    #: What the thread is told below the text, for example how it ended.
    note: str = ""
    shown: tuple[Shown, ...] = ()
    #: It answers the message that its thread began with, which addressed the bot.
    begins: bool = False
    #: The first message in its thread that was to be answered, if it is still there.
    opening: Heard | None = None


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
    #: Seconds since 1970 when the first text arrived; None without text.
    first_text: float | None = None
    #: The id of the prompt's version that Claude was given, and the effort.
    prompt: int | None = None
    effort: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What Claude is asked."""

    model: str
    system: str
    #: Ends with a "user" entry.
    messages: tuple[Said, ...]
    max_tokens: int
    #: An opaque, stable id of who asks; no name, no address.
    user: str = ""
    #: Where the model takes it: "low" to "max"; None leaves it to the model.
    effort: str | None = None
    #: Where the model takes it (`ModelFacts.takes_temperature`), from 0 to 1.
    temperature: float | None = None
    stop_sequences: tuple[str, ...] = ()
    #: How often the web may be searched for this answer.
    searches: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of a model call. A model reports more than once; the last
    report counts. `stop_reason` is None until the answer is complete."""

    #: The model that answered, by its own word.
    model: str
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None


@dataclass(frozen=True, slots=True)
class Part:
    """Message number `index` of a reply should now read `text`.

    Until `final`, later texts of the same part only add to the end of it.
    """

    index: int
    text: str
    final: bool = False
    #: Whether readers are to be asked how good the answer was, below this message.
    feedback: bool = False


class Scope(enum.Enum):
    """Over what a platform counts a rate limit."""

    WORKSPACE = "workspace"
    CHANNEL = "channel"
    THREAD = "thread"

    def of(self, thread: ThreadKey) -> str:
        """The name of the budget that a write into `thread` is counted on."""
        if self is Scope.WORKSPACE:
            return f"{thread.platform}:{thread.workspace}"
        if self is Scope.CHANNEL:
            return f"{thread.platform}:{thread.workspace}:{thread.channel}"
        return str(thread)


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` writes per `seconds` in one scope, at most `burst` at once."""

    count: int
    seconds: float
    scope: Scope
    burst: int = 1


@dataclass(frozen=True, slots=True)
class Limits:
    """What a platform allows, as data: the core never asks which one it is."""

    #: The most characters that one message may hold.
    part_chars: int
    #: The least seconds between two edits of one message.
    interval: float = 0.0
    #: How long, in seconds, the first words wait for company: a write that shows
    #: one word keeps the next ones away for a whole interval.
    settle: float = 0.0
    #: None where the platform does not count.
    posts: Rate | None = None
    edits: Rate | None = None
    #: Sequences that would notify people if the model wrote them. A zero-width
    #: space goes in after the first character of each match.
    pings: re.Pattern[str] | None = None
    #: The most lines of a message that readers see without unfolding it, where
    #: there is such a number.
    part_lines: int | None = None
    #: Whether a reply that has no text yet is shown as a placeholder. Not where
    #: the platform itself shows that the bot is writing.
    placeholder: bool = True
    #: Whether Markdown's tables and images are shown as such.
    tables: bool = True
    images: bool = True
    #: Whether it is known who created a channel.
    creators: bool = False
    #: Said once, below the first answer in a thread that was begun by addressing
    #: the bot: what people must know to go on.
    hint: str = ""


@dataclass(frozen=True, slots=True)
class ThreadSummary:
    """A thread, as a list of threads shows it."""

    thread: ThreadKey
    #: The beginning of what was first said in it.
    title: str
    turns: int
    #: When something was last said, in seconds since 1970.
    last: float


class Grade(enum.Enum):
    """How a finding of `threadkeep check` is to be taken."""

    GOOD = "ok"
    #: Not set up; nothing fails because of it.
    ABSENT = "not set"
    #: Works, and somebody should know.
    NOTE = "note"
    #: Must be set right before Threadkeep can run.
    BAD = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `threadkeep check` found."""

    subject: str
    grade: Grade
    text: str
