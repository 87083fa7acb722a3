"""The writes of one kind that a platform allows, as token buckets. Pure.

`bot.delivery.write_budget` decides who gets them.
"""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from math import exp

from bot.delivery.write_request import Priority, WriteRequest
from bot.domain.platform import Rate, WriteKind
from bot.domain.shared_rate import PRESENT, RateState

# Refilling and predicting differ in the last bit.
ROUNDING = 1e-6

#: The time, in seconds, in which refreshes would use up what they may take of a burst
#: if they did not come more slowly the less is left. Nobody knows how long an answer
#: will be. Of 1 to 4 s, in simulations of one to five answers of 2 to 25 s, this shows
#: the text soonest: a longer time leaves some of the burst unused when they end.
DRAIN = 2.0

#: An edit that comes within so many seconds suffices for all readers. Until a later
#: one, who asked could see more of a stream.
SOON = 0.5

#: Tokens a second from which none are kept, since the next comes soon enough.
QUICK = 5.0

# The buckets of a budget that are kept without looking which of them are full.
MOST_BUCKETS = 100

#: Names of the scopes that a write counts in, widest first.
Names = tuple[str, ...]

#: When writes could be granted, by kind, priority, scopes, and whether a stop is kept.
Known = dict[tuple[WriteKind, Priority, Names, bool], float]


@dataclass(slots=True)
class Bucket:
    """Token bucket of one scope: `burst` tokens, refilled at the rate.

    Without a rate it is never empty, but it can be closed by a rate limit error.
    """

    rate: Rate | None
    refilled: float
    tokens: float = field(init=False)
    in_progress: int = 0
    #: How many writes in progress were granted by it, without counting there.
    looked_at: int = 0
    #: No write before this time.
    closed_until: float = 0.0
    #: The time of the last refresh.
    refreshed: float = float("-inf")
    #: Nothing of this priority, or a lower one, before the time: other processes are
    #: before.
    held: tuple[Priority, float] = (Priority.TIDY, float("-inf"))
    #: What is written, in which scope.
    kind: WriteKind = WriteKind.POST
    name: str = ""
    #: How many replies of other processes stream there, or wait for their posts, and
    #: until when that is worth knowing.
    others: int = 0
    others_until: float = float("-inf")
    #: The rate of all processes together, where there are several.
    whole: Rate | None = field(init=False)

    def __post_init__(self) -> None:
        self.whole = self.rate
        self.tokens = float(self.rate.burst) if self.rate else float("inf")

    def refill(self, now: float) -> None:
        """Add the tokens gained since the last refill."""
        if self.rate is not None:
            gained = max(0.0, now - self.refilled) * self.rate.count / self.rate.seconds
            self.tokens = min(self.most, self.tokens + gained)
        self.refilled = max(self.refilled, now)

    @property
    def most(self) -> float:
        """Return the most tokens there can be now: the burst without the writes in
        progress, but at least 1."""
        assert self.rate is not None
        return max(1.0, float(self.rate.burst - self.in_progress))

    def kept(self, priority: Priority, replies: int) -> float:
        """Return the tokens that a write of this priority must leave for others, while
        so many `replies` stream."""
        if self.rate is None or priority < Priority.REFRESH:
            return 0.0
        if priority is Priority.TIDY:
            return self.rate.burst - 1.0
        if self.rate.count / self.rate.seconds >= QUICK:
            return 0.0
        # Some may be in progress at once; else a slow platform would get fewer.
        most = max(self.rate.burst * 2 // 3, self.rate.burst - 1 - self.in_progress)
        return float(min(replies, most))

    def paced(self, kept: float) -> float:
        """Return when the next refresh is due, so that a burst is spent over some time:
        the more tokens above those `kept` are left, the sooner."""
        if self.rate is None or self.rate.burst == 1:
            return float("-inf")
        free = max(0.0, self.tokens - 1.0 - kept)
        speed = self.rate.count / self.rate.seconds + free / DRAIN
        return self.refreshed + 1.0 / speed

    def waits(self, before: float, replies: int, now: float) -> float:
        """Return about when the refresh comes that so many others are `before`, while
        so many `replies` stream; SOON or more only if it comes no sooner."""
        assert self.rate is not None
        free = self.tokens - self.kept(Priority.REFRESH, replies)
        each, closed = self.rate.seconds / self.rate.count, self.closed_until - now
        # Refreshes get a share of a burst that falls with what is left: see `paced`.
        share = 1.0 - exp(-SOON / DRAIN) if free > 0.0 else 1.0
        if closed < SOON and free * share + SOON / each > before:
            return 0.0
        return max(SOON, (before + 1 - free) * each, closed)

    def opens(self, kept: float) -> float:
        """Return when a write that leaves `kept` tokens could be granted if no other
        came first; infinity if one in progress must complete first."""
        if self.rate is None:
            return self.closed_until
        if 1.0 + kept > self.most:
            return float("inf")
        short = 1.0 + kept - self.tokens
        if short <= 0:
            return self.closed_until
        wait = short * self.rate.seconds / self.rate.count
        return max(self.closed_until, self.refilled + wait)

    def hold(self, priority: Priority) -> float:
        """Return the time before which other processes come before a request of this
        priority."""
        least, until = self.held
        return until if priority >= least else float("-inf")

    def back_off(self, until: float) -> None:
        """Grant nothing before `until`, and one write then."""
        self.closed_until = max(self.closed_until, until)
        if self.rate is not None:
            self.tokens, self.refilled = 1.0, max(self.refilled, self.closed_until)

    def agree(self, state: RateState, now: float) -> None:
        """Take over what all processes together have left."""
        self.rate = self.whole
        self.tokens, self.refilled = state.tokens, now
        self.closed_until = now + state.closed
        self.others, self.others_until = state.others, now + PRESENT
        self.held = (Priority.TIDY, float("-inf"))

    def keep_to_share(self, processes: int, now: float) -> None:
        """Allow no more than one of so many `processes` may take."""
        self.refill(now)
        if self.whole is not None and self.rate is self.whole:
            most = max(1, self.whole.burst // processes)
            seconds = self.whole.seconds * processes
            self.rate = replace(self.whole, seconds=seconds, burst=most)
            self.tokens = max(0.0, self.tokens - (self.whole.burst - most))

    def left(self, now: float) -> float:
        """Return how many writes could be granted now, without changing anything."""
        if self.rate is None:
            return self.tokens
        gained = max(0.0, now - self.refilled) * self.rate.count / self.rate.seconds
        return max(0.0, min(self.most, self.tokens + gained))

    def is_full(self, now: float) -> bool:
        """Return whether forgetting the bucket would change nothing."""
        full = self.rate is None or (
            # What is left to one process is not to become all of it.
            self.rate is self.whole and self.tokens >= self.rate.burst
        )
        until = max(self.closed_until, self.others_until if self.others else 0.0)
        busy = self.in_progress or self.looked_at
        return full and not busy and until <= now


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits in one budget."""

    request: WriteRequest
    names: Names
    #: The budget of the stops of streams, for what starts or stops one in the turn of
    #: another kind of write; with its scopes.
    stops: tuple["RateBudget", Names] | None = None

    def ready(self, budget: "RateBudget", known: Known | None = None) -> float:
        """Return when it could be granted from `budget` if no other came first.

        `known` holds what was found out for other requests at the same time."""
        request, known = self.request, {} if known is None else known
        ready = max(request.earliest, budget.opens(request, self.names, known))
        if self.stops:
            stops, names = self.stops
            ready = max(ready, stops.opens(request, names, known))
        return ready


@dataclass(slots=True)
class RateBudget:
    """The writes of one kind within one widest scope."""

    kind: WriteKind
    #: By scope names, of which the first is the same for all.
    buckets: dict[Names, Bucket] = field(default_factory=dict)
    #: The streaming replies that have asked for this kind of write.
    replies: set[str] = field(default_factory=set)
    #: The replies with an open stream, for each of which a stop is kept.
    streaming: set[str] = field(default_factory=set)
    #: The replies that wait in another budget for what needs a stop from this one.
    awaited: set[str] = field(default_factory=set)
    #: How many buckets there may be before those that are full are dropped.
    most_buckets: int = MOST_BUCKETS
    #: By priority, then by reply.
    requests: dict[Priority, dict[str, Pending]] = field(
        default_factory=lambda: {priority: {} for priority in Priority}
    )

    @property
    def others(self) -> int:
        """Return how many replies of other processes count in the widest scope."""
        return max(
            (each.others for names, each in self.buckets.items() if len(names) == 1),
            default=0,
        )

    def within(self, names: Names) -> Iterator[Bucket]:
        """Yield the buckets of the scopes `names`, widest first."""
        for length in range(1, len(names) + 1):
            yield self.buckets[names[:length]]

    def opens(self, request: WriteRequest, names: Names, known: Known) -> float:
        """Return when `request` could be granted in the scopes `names`."""
        has_own = request.reply in self.streaming
        place = self.kind, request.priority, names, has_own
        if place not in known:
            known[place] = self._opens(request.priority, names, has_own)
        return known[place]

    def _opens(self, priority: Priority, names: Names, has_own: bool) -> float:
        if self.kind is WriteKind.CLOSE:
            # What is kept for others is not kept from who has a stop of its own.
            kept = 0 if has_own else len(self.streaming)
            return max(
                max(bucket.opens(kept), bucket.hold(priority))
                for bucket in self.within(names)
            )
        return self.soonest_of(priority, names)

    def waiting(self) -> Counter[Names]:
        """Return how many first and final texts wait in each scope."""
        return Counter(
            pending.names[:length]
            for priority in (Priority.FINAL, Priority.FIRST)
            for pending in self.requests[priority].values()
            for length in range(1, len(pending.names) + 1)
        )

    def soonest_of(self, priority: Priority, names: Names) -> float:
        """Return when a request of this priority could be granted at the soonest."""
        if self.kind is WriteKind.CLOSE:
            return max(bucket.opens(0) for bucket in self.within(names))
        # First and final texts are no appends, so nothing is kept of these.
        count = 0 if self.kind is WriteKind.APPEND else len(self.replies)
        soonest = float("-inf")
        for bucket in self.within(names):
            kept = bucket.kept(priority, count)
            soonest = max(soonest, bucket.opens(kept), bucket.hold(priority))
            if priority is Priority.REFRESH:
                soonest = max(soonest, bucket.paced(kept))
        return soonest

    def soonest(self) -> float:
        """Return when the first request could be granted; infinity without any.

        Most requests wait for the widest scope only, so that the first of a priority
        usually decides for all of it.
        """
        soonest = float("inf")
        known: Known = {}
        for priority, requests in self.requests.items():
            least: float | None = None
            for pending in requests.values():
                if least is None:
                    # All of a budget count in the same widest scope.
                    least = self.soonest_of(priority, pending.names[:1])
                soonest = min(soonest, pending.ready(self, known))
                if soonest <= least:
                    break
        return soonest

    def refill(self, now: float) -> None:
        """Refill every bucket."""
        for bucket in self.buckets.values():
            bucket.refill(now)

    def take(self, names: Names, priority: Priority, now: float) -> list[Bucket]:
        """Count a write in the scopes `names`; return the buckets it counts in."""
        taken = list(self.within(names))
        for bucket in taken:
            bucket.tokens -= 1.0
            bucket.in_progress += 1
        if priority is Priority.REFRESH:
            self.pace(names, now)
        return taken

    def pace(self, names: Names, now: float) -> None:
        """Count a refresh in the scopes `names`, for the time of the next."""
        for bucket in self.within(names):
            bucket.refreshed = now

    def forget_idle(self, now: float) -> bool:
        """Drop the buckets if all of them are full and nothing is pending; return
        whether they are dropped. Of many, drop those that are full."""
        if len(self.buckets) > self.most_buckets:
            self._sweep(now)
        if self.streaming or self.awaited or any(self.requests.values()):
            return False
        if all(bucket.is_full(now) for bucket in self.buckets.values()):
            self.buckets.clear()
        return not self.buckets

    def _sweep(self, now: float) -> None:
        needed = {
            pending.names[:length]
            for requests in self.requests.values()
            for pending in requests.values()
            for length in range(1, len(pending.names) + 1)
        }
        for names, bucket in list(self.buckets.items()):
            # The widest is everybody's.
            if len(names) > 1 and names not in needed and bucket.is_full(now):
                del self.buckets[names]
        self.most_buckets = max(MOST_BUCKETS, 2 * len(self.buckets))
