"""Values of the operator's reports. Frozen."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.domain.budget import Balance, Budget
from bot.domain.completion import Usage
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Ended


@dataclass(frozen=True, slots=True)
class Reader:
    """Somebody who looks at reports."""

    #: As the audit names them.
    name: str
    #: Whether they may read threads that only some people of their workspace may read.
    reads_private: bool = False


class UsageKey(enum.Enum):
    """The dimension that usage is grouped by."""

    DAY = "day"
    CHANNEL = "channel"
    PERSON = "person"
    MODEL = "model"
    THREAD = "thread"


@dataclass(frozen=True, slots=True)
class UsageRow:
    """The usage of one group."""

    #: The values of what it is grouped by; their names; and names that tell apart those
    #: that are called the same. "" for an unknown name.
    keys: tuple[str, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    #: How many calls there were, and how many of them answered a question.
    calls: int
    answers: int
    usage: Usage
    #: In USD: of the calls with a known price, and what caching saved.
    cost: float
    saved: float
    #: The number of calls without a known price, and of those booked at an upper bound.
    unpriced: int = 0
    bounded: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """One budget, and where its period ends if money goes on being spent as so far."""

    budget: Budget
    #: The place by name; "" if that is not known.
    name: str
    balance: Balance
    #: The share of the period that has passed, above 0 and at most 1.
    passed: float

    @property
    def projected(self) -> float:
        """Return the USD that will have been spent by the end of the period."""
        return self.balance.spent / self.passed


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """One answer, by numbers alone."""

    #: The key of its turn.
    turn: str
    thread: ThreadKey
    #: The name of its channel; "" if that is not known.
    name: str
    #: The time at which it ended, in seconds since 1970.
    at: float
    ended: Ended
    #: Why it did not end well; "" if it did, or for no known reason.
    reason: str
    model: str
    #: Seconds from the question to Claude's first words and to the end; None without
    #: text.
    first_words: float | None
    seconds: float
    #: In USD; None if the price is unknown.
    cost: float | None
    #: A reader's rating; None for none.
    good: bool | None


@dataclass(frozen=True, slots=True)
class Quality:
    """Outcomes, durations and ratings of answers."""

    ended: Mapping[Ended, int] = field(default_factory=dict)
    good: int = 0
    bad: int = 0
    #: Seconds that half, nine in ten and 99 in 100 answers took at most, to Claude's
    #: first words and to the end; empty without answers.
    first_words: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    slowest: tuple[AnswerReport, ...] = ()
    #: The last that were refused, interrupted or failed, and the last rated as bad.
    unfinished: tuple[AnswerReport, ...] = ()
    disliked: tuple[AnswerReport, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadReport:
    """One row of a list of threads."""

    #: Counts up with each thread that is stored.
    id: int
    thread: ThreadKey
    #: The name of its channel; "" if that is not known.
    name: str
    #: The beginning of its first message; "" for one that may not be read.
    title: str
    #: How many turns it has.
    turns: int
    #: The time of its last message, in seconds since 1970.
    last: float
    #: In USD.
    cost: float
    #: Whether only some people of its workspace may read it, as far as is known.
    is_private: bool


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One message of a thread."""

    #: The platform's user id, "" for the bot; and the name, "" if that is not known.
    author: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A thread, as it may be read."""

    report: ThreadReport
    lines: tuple[TranscriptLine, ...]
    #: Its answers that have ended, by numbers.
    answers: tuple[AnswerReport, ...]


@dataclass(frozen=True, slots=True)
class SettingReport:
    """One setting, in words."""

    place: Scope
    #: The place by name; "" if that is not known.
    place_name: str
    name: str
    #: As people read it; of a text, all of it.
    value: str
    who: str
    who_name: str
    at: float


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """One entry of the audit, with its texts."""

    id: int
    at: float
    place: Scope
    place_name: str
    who: str
    who_name: str
    action: str
    name: str
    #: As people read them; of a text, all of it. None for none.
    before: str | None
    after: str | None
    #: The lines of a unified diff; empty for texts that are too different.
    diff: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CallSum:
    """The calls of one kind to one model."""

    kind: str
    model: str
    calls: int
    usage: Usage
    #: In USD.
    cost: float
