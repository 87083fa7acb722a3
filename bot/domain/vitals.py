"""The state of a running process: connections, turns, writes, errors. Frozen values.

Rule: they hold ids, numbers and names of our own, never what people wrote.
"""

from dataclasses import dataclass, field

#: Upper bounds of the buckets that durations are counted in, in seconds.
BUCKETS = (0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 8.0, 13.0, 20.0, 30.0, 60.0, 120.0, 300.0)


@dataclass(frozen=True, slots=True)
class Connection:
    """One platform, as this process is connected to it."""

    platform: str
    #: The times of connecting and of the last event, in seconds since 1970; None if it
    #: is not connected, or has heard nothing since the start.
    since: float | None = None
    heard: float | None = None
    #: How often it was connected again.
    reconnects: int = 0
    #: How many events arrived.
    events: int = 0
    #: Whether it is this process itself, which nothing can cut off.
    is_local: bool = False
    #: Why it was shut down; "" if it was not.
    failure: str = ""


@dataclass(frozen=True, slots=True)
class Durations:
    """A histogram of durations, counted in `BUCKETS`."""

    #: The number up to each bound, and that of all.
    upto: tuple[int, ...] = (0,) * len(BUCKETS)
    count: int = 0
    #: In seconds.
    total: float = 0.0


@dataclass(frozen=True, slots=True)
class AnswerTimes:
    """Durations of one platform's answers since the start of the process."""

    platform: str
    #: From the arrival of the question to the first words shown, and to the end.
    first_words: Durations = field(default_factory=Durations)
    end: Durations = field(default_factory=Durations)


@dataclass(frozen=True, slots=True)
class BudgetUse:
    """The writes of one kind that a platform allows now, in one scope."""

    platform: str
    kind: str
    #: The platform's ids of the scope, the widest first, joined by ":".
    scope: str
    #: How many writes are allowed at once now, and at most.
    left: float
    most: float
    #: Seconds until the platform lets anything be written again after it refused.
    closed: float
    #: How many replies wait for such a write.
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
    """The number of times that a warning or an error was logged."""

    #: The event of ours, such as "turn.crashed", or the name of a library.
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
    """The state of a process, as it tells it."""

    #: Time of the report and of the start, in seconds since 1970.
    at: float
    started: float
    version: str = ""
    pid: int = 0
    connections: tuple[Connection, ...] = ()
    #: How many answers are being written, and how many may be at once.
    running: int = 0
    at_once: int = 0
    #: How many threads wait for one of those places.
    queued: int = 0
    budgets: tuple[BudgetUse, ...] = ()
    writes: tuple[WriteCount, ...] = ()
    answers: tuple[AnswerTimes, ...] = ()
    log: tuple[LogCount, ...] = ()
    #: How late the event loop was at last, and at most in the last minute, in seconds.
    lag: float = 0.0
    worst_lag: float = 0.0
    #: The last probes that came back as events.
    echoes: tuple[str, ...] = ()
