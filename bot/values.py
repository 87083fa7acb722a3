"""The values that the rest of Threadkeep hands around. All of them are frozen.

They hold facts, never behaviour that needs the outside: what was heard, what a
turn is, what a reply should read, what a platform allows.
"""

import enum
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
    #: The platform's ids of other messages whose words `text` holds, such as the one
    #: that was forwarded: this one is forgotten with them. Only told when it is heard.
    holds: tuple[str, ...] = ()


class Verdict(enum.Enum):
    """What becomes of something heard."""

    #: Not ours, or known already: nothing was written.
    IGNORE = "ignore"
    #: Remembered, for the next turn to read; not answered.
    KEEP = "keep"
    #: Remembered, and a turn waits to answer it.
    ANSWER = "answer"


#: How long, in seconds, it is remembered how much other programs said, lest they and
#: we answer each other for ever.
LOOP_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class ThreadFacts:
    """What is known of a thread when a message for it is judged."""

    #: The bot was addressed by the thread's root: people may go on unaddressed.
    follows: bool
    #: How many messages of other programs came in the `LOOP_SECONDS` before the one
    #: that is judged.
    automated: int = 0


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
class Waiting:
    """A thread with an open turn."""

    thread: ThreadKey
    #: Who asked first of what is open; "" if that is gone.
    asker: str
    #: When that was asked, in seconds since 1970.
    at: float


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
    #: Who asked it first; "" if all that was asked is gone.
    asker: str = ""
    #: As in `Outcome`.
    stop_reason: str | None = None
    calls: str = ""


@dataclass(frozen=True, slots=True)
class TurnFacts:
    """What is known of a turn when somebody uses the controls of its answer."""

    key: str
    state: State
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
    #: The JSON schema that the answer is to keep to, as JSON; "" for prose.
    schema: str = ""
    #: Whether nothing comes after it that reads the same messages, so that the system
    #: prompt alone is worth keeping.
    alone: bool = False
    #: The most tokens that its prompt can have, where they were counted.
    prompt_most: int | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """One request to the API that is or may be billed."""

    #: The model asked for and the one that answered; the dearer one's price counts.
    models: tuple[str, ...]
    #: What it used, or the most that it can have used.
    usage: Usage
    #: Whether `usage` is the API's own last word on the whole request.
    exact: bool = False
    #: What its prices are multiplied by.
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Report:
    """What is known of an answer that a model gives. A model reports more than once;
    the last report counts. `stop_reason` is None until the answer is complete."""

    #: The model that answered, by its own word.
    model: str
    request_id: str | None = None
    usage: Usage = field(default_factory=Usage)
    stop_reason: str | None = None
    #: Every request for this answer that may be billed; None if the model cannot say.
    calls: tuple[Call, ...] | None = None
    #: Whether the last of `calls` is only about to be made: whoever cannot pay for
    #: all of them hangs up now.
    ahead: bool = False


class Control(enum.Enum):
    """What readers can do with an answer."""

    #: While it is written.
    STOP = "stop"
    #: Write it again, in the same place.
    RETRY = "retry"
    #: Go on where it was cut.
    CONTINUE = "continue"
    #: Say how good it is.
    FEEDBACK = "feedback"


#: Begins the id of a message that nobody wrote: a control said it.
PRESSED = "+"


# How every platform says that there are no words yet, that more of them come (the
# adapters' limits leave room for it), and, to whoever waited long, that all are there.
PLACEHOLDER = "_Thinking…_"
MORE = " …"
READY = "your answer is complete."


@dataclass(frozen=True, slots=True)
class Part:
    """Message number `index` of a reply should now read `text`.

    Until `final`, later texts of the same part only add to the end of it.
    """

    index: int
    text: str
    final: bool = False
    #: What readers can do with the answer once all of it is there.
    controls: tuple[Control, ...] = ()
    #: Who is called by this message, in place of any text; "" for nobody.
    calls: str = ""

    @property
    def offers(self) -> tuple[Control, ...]:
        """What readers can do below it: as long as it grows, stop it."""
        return self.controls if self.final else (Control.STOP,)


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
