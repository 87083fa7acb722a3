"""The state of a running process: connections, turns, writes, errors. Frozen values.

Rule: these values hold ids, numbers and our own names, never people's words.
"""

from dataclasses import dataclass, field

#: The upper bounds of the histogram buckets, in seconds.
BUCKETS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(frozen=True, slots=True)
class Connection:
    """The connection of this process to one platform."""

    platform: str
    #: The times of connecting and of the last event, in seconds since 1970; None while
    #: disconnected, or without an event since the start.
    since: float | None = None
    heard: float | None = None
    #: The number of reconnects.
    reconnects: int = 0
    #: The number of events received.
    events: int = 0
    #: Whether this process itself is the platform, so that it cannot be disconnected.
    is_local: bool = False
    #: Why the platform was shut down; "" if it was not.
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Durations:
    """A histogram of durations, counted in `BUCKETS`."""

    #: The number of durations up to each bound, and of all durations.
    upto: tuple[int, ...] = (0,) * len(BUCKETS)
    count: int = 0
    #: The sum, in seconds.
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Durations of one platform's answers since the start of the process."""

    platform: str
    #: From the arrival of the question to the first words shown, and to the end of the
    #: answer.
    first_words: Durations = field(default_factory=Durations)
    end: Durations = field(default_factory=Durations)


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """The current rate limit budget for one kind of write in one scope."""

    platform: str
    kind: str
    #: The platform's ids of the scope, the widest first, joined by ":".
    scope: str
    #: The number of writes allowed at once now, and its maximum.
    left: float
    most: float
    #: Seconds until writing is allowed again after a rate limit error.
    closed: float
    #: The number of replies that wait for such a write.
    waiting: int


@dataclass(frozen=True, slots=True)
class WriteCount:
    """The writes of one kind with one result since the start of the process."""

    platform: str
    kind: str
    #: "written", "limited" (HTTP 429), "refused" or "failed".
    result: str
    count: int


@dataclass(frozen=True, slots=True)
class LogCount:
    """The number of times that one warning or error was logged."""

    #: Our event, such as "turn.crashed", or the name of a library.
    event: str
    level: str
    #: In the last hour, and since the start.
    hour: int
    count: int
    #: The time of the last one, in seconds since 1970.
    last: float


@dataclass(frozen=True, slots=True)
class Ages:
    """Open turns of one platform in one state."""

    platform: str
    state: str
    count: int
    #: The time of the oldest question, in seconds since 1970.
    oldest: float


@dataclass(frozen=True, slots=True)
class Vitals:
    """The state of a process, as reported by the process."""

    #: The times of the report and of the start, in seconds since 1970.
    at: float
    started: float
    version: str = ""
    pid: int = 0
    connections: tuple[Connection, ...] = ()
    #: The number of answers being written, and its maximum.
    running: int = 0
    at_once: int = 0
    #: The number of threads that wait for their answer to begin.
    queued: int = 0
    budgets: tuple[BudgetUse, ...] = ()
    writes: tuple[WriteCount, ...] = ()
    answers: tuple[AnswerTimes, ...] = ()
    log: tuple[LogCount, ...] = ()
    #: The latest lag of the event loop, and the worst of the last minute, in seconds.
    lag: float = 0.0
    worst_lag: float = 0.0
    #: The latest probes that came back as events.
    echoes: tuple[str, ...] = ()
