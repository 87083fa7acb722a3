"""The writes of one kind that a platform allows, and the requests for them. Pure.

`bot.delivery.write_budget` decides which requests are granted.
"""

from collections import Counter
from dataclasses import dataclass, field

from bot.delivery.bucket import Bucket
from bot.delivery.write_request import PRIORITIES, Priority, WriteRequest
from bot.domain.platform import WriteKind

# How many buckets of a budget are kept before full ones are dropped.
MOST_BUCKETS = 100

#: Names of the scopes that a write counts in, the widest first.
Names = tuple[str, ...]

#: The times at which writes could be granted, by kind, priority, scopes, and whether a
#: stop is kept for the reply.
Known = dict[tuple[WriteKind, Priority, Names, bool], float]


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits in one budget."""

    request: WriteRequest
    names: Names
    #: The budget of stops, with its scopes, if the request opens a stream or stops one
    #: in the turn of another kind of write.
    stops: tuple["RateBudget", Names] | None = None

    def refill(self, budget: "RateBudget", now: float) -> None:
        """Refill the buckets that the request counts in."""
        for bucket in budget.within(self.names):
            bucket.refill(now)
        if self.stops:
            stops, names = self.stops
            for bucket in stops.within(names):
                bucket.refill(now)

    def ready(self, budget: "RateBudget", known: Known | None = None) -> float:
        """Return when the request could be granted from `budget` if it came next.

        `known` holds the results for other requests at the same time.
        """
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
    #: By scope names; the first name is the same for all.
    buckets: dict[Names, Bucket] = field(default_factory=dict)
    #: The streaming replies that have asked for this kind of write.
    replies: set[str] = field(default_factory=set)
    #: The replies with an open stream, for each of which a stop is kept.
    streaming: set[str] = field(default_factory=set)
    #: The replies that wait in another budget for a write that needs a stop from this
    #: one.
    awaited: set[str] = field(default_factory=set)
    #: How many buckets there may be before full ones are dropped.
    most_buckets: int = MOST_BUCKETS
    #: By priority, then by reply.
    requests: dict[Priority, dict[str, Pending]] = field(
        default_factory=lambda: {priority: {} for priority in PRIORITIES}
    )

    @property
    def others(self) -> int:
        """The number of replies of other processes that count in the widest scope."""
        return max(
            (each.others for names, each in self.buckets.items() if len(names) == 1),
            default=0,
        )

    def within(self, names: Names) -> list[Bucket]:
        """Return the buckets of the scopes `names`, the widest first."""
        return [self.buckets[names[: n + 1]] for n in range(len(names))]

    def opens(self, request: WriteRequest, names: Names, known: Known) -> float:
        """Return when `request` could be granted in the scopes `names`."""
        has_own = request.reply in self.streaming
        place = self.kind, request.priority, names, has_own
        if place not in known:
            known[place] = self._opens(request.priority, names, has_own)
        return known[place]

    def _opens(self, priority: Priority, names: Names, has_own: bool) -> float:
        if self.kind is WriteKind.CLOSE:
            # A reply with a stop of its own may also use the stops kept for others.
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
        """Return the earliest time at which a request of this priority could be
        granted."""
        if self.kind is WriteKind.CLOSE:
            return max(bucket.opens(0) for bucket in self.within(names))
        # First and final texts are never appends, so no appends are kept for them.
        count = 0 if self.kind is WriteKind.APPEND else len(self.replies)
        soonest = float("-inf")
        for bucket in self.within(names):
            kept = bucket.kept(priority, count)
            soonest = max(soonest, bucket.opens(kept), bucket.hold(priority))
            if priority is Priority.REFRESH:
                soonest = max(soonest, bucket.paced(kept))
        return soonest

    def soonest(self) -> float:
        """Return when the first request could be granted; infinity if there is none.

        Most requests wait only for the widest scope, so the first request of a priority
        usually decides for all of that priority.
        """
        soonest = float("inf")
        known: Known = {}
        for priority, requests in self.requests.items():
            least: float | None = None
            for pending in requests.values():
                if least is None:
                    # All requests of a budget count in the same widest scope.
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
        """Count a write in the scopes `names`; return the buckets that it counts in."""
        taken = self.within(names)
        for bucket in taken:
            bucket.take(now)
        if priority is Priority.REFRESH:
            self.pace(names, now)
        return taken

    def pace(self, names: Names, now: float) -> None:
        """Record a refresh in the scopes `names`, which delays the next one."""
        for bucket in self.within(names):
            bucket.refreshed = now

    def forget_idle(self, now: float) -> bool:
        """Drop the buckets if all are full and nothing is pending.

        Return whether they are dropped. If there are many buckets, drop the full ones
        first.
        """
        if len(self.buckets) > self.most_buckets:
            self._sweep(now)
        if self.streaming or self.awaited or any(self.requests.values()):
            return False
        for bucket in self.buckets.values():
            if not bucket.is_full(now):
                return False
        self.buckets.clear()
        return True

    def _sweep(self, now: float) -> None:
        needed = {
            pending.names[:length]
            for requests in self.requests.values()
            for pending in requests.values()
            for length in range(1, len(pending.names) + 1)
        }
        for names, bucket in list(self.buckets.items()):
            # The widest scope is needed by all.
            if len(names) > 1 and names not in needed and bucket.is_full(now):
                del self.buckets[names]
        self.most_buckets = max(MOST_BUCKETS, 2 * len(self.buckets))
