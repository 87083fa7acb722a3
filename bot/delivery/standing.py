"""The values that order the writes of replies, by which `bot.delivery.write_budget`
decides."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from bot.delivery.bucket import Bucket
from bot.delivery.rate_budget import Names, RateBudget
from bot.domain.platform import WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.shared_rate import Use


@dataclass(frozen=True, slots=True)
class Spent:
    """The use of `bucket` of `budget` for a write."""

    bucket: Bucket
    budget: RateBudget
    use: Use = Use.TAKE
    #: See `bot.domain.shared_rate.RateAsk`.
    known: int | None = None

    @property
    def takes(self) -> bool:
        """Return whether the write counts there."""
        return self.use is Use.TAKE


@dataclass(slots=True)
class Standing:
    """The values that order a reply among requests of the same priority."""

    #: Its place in the order in which replies asked first.
    asked: int
    asked_at: float
    thread: ThreadKey
    granted: float = float("-inf")
    #: When everybody could last see what it wrote.
    shared: float = float("-inf")
    #: Whether it streams in place of a post that would have waited.
    owes_post: bool = False
    #: The budget of stops, while one is kept for its stream.
    stops: RateBudget | None = None
    budgets: list[RateBudget] = field(default_factory=list)
    #: Whether other processes were before it; then its way of a first text stands.
    refused: bool = False
    #: The tokens that its write in progress took.
    spent: list[Spent] = field(default_factory=list)
    #: The values of `granted`, `shared`, `owes_post` and `stops` before that.
    before: tuple[float, float, bool, RateBudget | None] = (0.0, 0.0, False, None)

    def unseen_since(self, kind: WriteKind) -> float:
        """Return since when those who see a write of this kind have seen nothing new,
        before the write in progress: since its first request, if they have seen
        nothing."""
        granted, shared, _, _ = self.before
        if kind is WriteKind.APPEND and granted > float("-inf"):
            return granted
        return shared if shared > float("-inf") else self.asked_at

    def begin(self) -> None:
        """Note how things stand before a write is granted."""
        self.before = (self.granted, self.shared, self.owes_post, self.stops)

    def spend(
        self, budget: RateBudget, buckets: Iterable[Bucket], use: Use = Use.TAKE
    ) -> None:
        """Count a write of `budget` that uses `buckets`."""
        self.note(*(Spent(each, budget, use) for each in buckets))

    def note(self, *spent: Spent) -> None:
        """Count the use of what was `spent` until the write completes."""
        for each in spent:
            each.bucket.looked_at += not each.takes
        self.spent += spent

    def look(self, looks: Iterable[Spent]) -> None:
        """Count `looks` at the rows by which the write in progress was chosen."""
        taken = {id(each.bucket): nth for nth, each in enumerate(self.spent)}
        for look in looks:
            if (nth := taken.get(id(look.bucket))) is not None:
                self.spent[nth] = replace(self.spent[nth], known=look.known)
            else:
                self.note(look)

    def complete(self) -> None:
        """Count the write in progress no more."""
        for each in self.spent:
            each.bucket.in_progress -= each.takes
            each.bucket.looked_at -= not each.takes
        self.spent.clear()

    def undo(self, reply: str) -> None:
        """Let things stand as before the last write was granted."""
        self.refused = True
        for each in self.spent:
            if each.takes:
                each.bucket.give_back()
        self.release_stop(reply)
        self.granted, self.shared, self.owes_post, self.stops = self.before
        if self.stops is not None:
            self.stops.streaming.add(reply)

    def keep_stop(self, reply: str, stops: RateBudget, names: Names) -> None:
        """Keep a stop for the stream that `reply` opens."""
        self.spend(stops, stops.within(names), Use.KEEP)
        self.stops = stops
        stops.streaming.add(reply)

    def release_stop(self, reply: str) -> None:
        """Release the stop that is kept for the stream of `reply`."""
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
    #: The last ones of those that may be posted now, as many as streams may be started:
    #: the later its edit, the longer a reply can be a stream.
    streams: frozenset[str]
    #: How many wait for a post, by the scopes that it counts in.
    waiting: Counter[Names]
