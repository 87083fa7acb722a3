"""The operator's reports. Frozen values."""

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

    #: The name in the audit.
    name: str
    #: Whether they may read private threads, which only some people of a workspace may
    #: read.
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

    #: The values of the group's dimensions; their names; and labels that distinguish
    #: equal names. "" for an unknown name.
    keys: tuple[str, ...]
    names: tuple[str, ...]
    labels: tuple[str, ...]
    #: The number of calls, and of those that answered a question.
    calls: int
    answers: int
    usage: Usage
    #: In USD: the cost of the calls with a known price, and the amount that caching
    #: saved.
    cost: float
    saved: float
    #: The number of calls without a known price, and of calls booked at an upper bound.
    unpriced: int = 0
    bounded: int = 0


@dataclass(frozen=True, slots=True)
class Pace:
    """One budget, and its projected spending if the period goes on as it began."""

    budget: Budget
    #: The name of the scope; "" if unknown.
    name: str
    balance: Balance
    #: The share of the period that has passed, above 0 and at most 1.
    passed: float

    @property
    def projected(self) -> float:
        """The projected spending at the end of the period, in USD."""
        return self.balance.spent / self.passed


@dataclass(frozen=True, slots=True)
class AnswerReport:
    """The numbers of one answer, without its text."""

    #: The key of its turn.
    turn: str
    thread: ThreadKey
    #: The name of its channel; "" if unknown.
    name: str
    #: The time of its end, in seconds since 1970.
    at: float
    ended: Ended
    #: Why the answer did not succeed; "" if it did, or if the reason is unknown.
    reason: str
    model: str
    #: The seconds from the question to Claude's first words, None if there are none;
    #: and to the end.
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
    #: The 50th, 90th and 99th percentiles, in seconds, of the time to Claude's first
    #: words and to the end; empty without answers.
    first_words: tuple[float, ...] = ()
    seconds: tuple[float, ...] = ()
    slowest: tuple[AnswerReport, ...] = ()
    #: The latest answers that were refused, interrupted or failed, and the latest ones
    #: that were rated as bad.
    unfinished: tuple[AnswerReport, ...] = ()
    disliked: tuple[AnswerReport, ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadReport:
    """One row of a list of threads."""

    #: Counts up with each stored thread.
    id: int
    thread: ThreadKey
    #: The name of its channel; "" if unknown.
    name: str
    #: The beginning of its first message; "" if the reader may not read the thread.
    title: str
    #: The number of turns.
    turns: int
    #: The time of its last message, in seconds since 1970.
    last: float
    #: In USD.
    cost: float
    #: Whether only some people of its workspace may read the thread, as far as known.
    is_private: bool


@dataclass(frozen=True, slots=True)
class TranscriptLine:
    """One message of a thread."""

    #: The platform's user id, "" for the bot; and the name, "" if unknown.
    author: str
    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Transcript:
    """A thread with the messages that the reader may read."""

    report: ThreadReport
    lines: tuple[TranscriptLine, ...]
    #: The numbers of its completed answers.
    answers: tuple[AnswerReport, ...]


@dataclass(frozen=True, slots=True)
class SettingReport:
    """One setting, described for people."""

    place: Scope
    #: The name of the scope; "" if unknown.
    place_name: str
    name: str
    #: The value as people read it; texts are complete.
    value: str
    who: str
    who_name: str
    at: float


@dataclass(frozen=True, slots=True)
class ChangeReport:
    """One entry of the audit, with the texts before and after."""

    id: int
    at: float
    place: Scope
    place_name: str
    who: str
    who_name: str
    action: str
    name: str
    #: The values as people read them; texts are complete. None for no value.
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
