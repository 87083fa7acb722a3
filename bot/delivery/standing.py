"""The values that order the writes of replies, by which `bot.delivery.write_budget`
decides."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import field

from bot.delivery.rate_budget import Bucket, Names, RateBudget
from bot.domain.platform import WriteKind
from bot.domain.quick_dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Spent:
    """A write taken from `bucket` of `budget`; or one that only needs to be there."""

    bucket: Bucket
    budget: RateBudget
    takes: bool = True


@dataclass(slots=True)
class Standing:
    """The values that order a reply among requests of the same priority."""

    #: Its place in the order in which replies asked first.
    asked: int
    asked_at: float
    granted: float = float("-inf")
    #: When everybody could last see what it wrote.
    shared: float = float("-inf")
    #: The time at which its text became final.
    ended: float | None = None
    #: Whether it streams in place of a post that would have waited.
    owes_post: bool = False
    #: The budget of stops, while one is kept for its stream.
    stops: RateBudget | None = None
    budgets: list[RateBudget] = field(default_factory=list)
    #: What its write in progress takes.
    spent: list[Spent] = field(default_factory=list)
    #: The values of `granted`, `shared`, `owes_post` and `stops` before that.
    before: tuple[float, float, bool, RateBudget | None] = (0.0, 0.0, False, None)

    @property
    def unseen_since(self) -> float:
        """Return since when everybody has seen nothing new, before the write in
        progress: since its end or its first request, if that is what is due."""
        _, shared, _, _ = self.before
        if self.ended is not None:
            return self.ended
        return shared if shared > float("-inf") else self.asked_at

    def begin(self) -> None:
        """Note how things stand before a write is granted."""
        self.before = (self.granted, self.shared, self.owes_post, self.stops)

    def spend(self, budget: RateBudget, buckets: Iterable[Bucket]) -> None:
        """Count a write of `budget` that was taken from `buckets`."""
        self.spent += [Spent(each, budget) for each in buckets]

    def complete(self) -> None:
        """Count the write in progress no more."""
        for each in self.spent:
            each.bucket.in_progress -= each.takes
        self.spent.clear()

    def undo(self, reply: str) -> None:
        """Let things stand as before the last write was granted."""
        for each in self.spent:
            each.bucket.tokens += each.takes
        self.release_stop(reply)
        self.granted, self.shared, self.owes_post, self.stops = self.before
        if self.stops is not None:
            self.stops.streaming.add(reply)

    def keep_stop(self, reply: str, stops: RateBudget, names: Names) -> None:
        """Keep a stop for the stream that `reply` opens."""
        self.spent += [Spent(each, stops, takes=False) for each in stops.within(names)]
        self.stops = stops
        stops.streaming.add(reply)

    def release_stop(self, reply: str) -> None:
        """Keep no stop any more for the stream of `reply`."""
        if self.stops is not None:
            self.stops.streaming.discard(reply)
            self.stops = None


@dataclass(frozen=True, slots=True)
class BucketUse:
    """The remaining writes of one kind in one scope."""

    kind: WriteKind
    names: Names
    #: How many are allowed at once now, and at most.
    left: float
    most: float
    #: Seconds until the platform allows any again.
    closed: float
    #: How many replies wait for one.
    waiting: int


@dataclass(frozen=True, slots=True)
class Crowd:
    """The replies of one workspace that are written now."""

    #: Their places in the order of edits, sorted.
    turns: list[tuple[bool, float, int]]
    #: Of those that may be posted now, the last ones, as many as streams may be
    #: started: the later its edit, the longer a reply can be a stream.
    streams: frozenset[str]
    #: How many wait for a post, by the scopes that it counts in.
    waiting: Counter[Names]
