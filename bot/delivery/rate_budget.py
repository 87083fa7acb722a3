"""The writes of one kind that a platform allows, and the requests for them. Pure.

`bot.delivery.write_budget` decides who gets them.
"""

from collections import Counter
from dataclasses import dataclass, field

from bot.delivery.bucket import Bucket
from bot.delivery.write_request import PRIORITIES, Priority, WriteRequest
from bot.domain.platform import WriteKind

# The buckets of a budget that are kept without looking which of them are full.
MOST_BUCKETS = 100

#: Names of the scopes that a write counts in, widest first.
Names = tuple[str, ...]

#: When writes could be granted, by kind, priority, scopes, and whether a stop is kept.
Known = dict[tuple[WriteKind, Priority, Names, bool], float]


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that waits in one budget."""

    request: WriteRequest
    names: Names
    #: The budget of the stops of streams, for what starts or stops one in the turn of
    #: another kind of write; with its scopes.
    stops: tuple["RateBudget", Names] | None = None

    def refill(self, budget: "RateBudget", now: float) -> None:
        """Refill the buckets that it waits for."""
        for bucket in budget.within(self.names):
            bucket.refill(now)
        if self.stops:
            stops, names = self.stops
            for bucket in stops.within(names):
                bucket.refill(now)

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
        default_factory=lambda: {priority: {} for priority in PRIORITIES}
    )

    @property
    def others(self) -> int:
        """Return how many replies of other processes count in the widest scope."""
        return max(
            (each.others for names, each in self.buckets.items() if len(names) == 1),
            default=0,
        )

    def within(self, names: Names) -> list[Bucket]:
        """Return the buckets of the scopes `names`, widest first."""
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
            # A reply that has a stop of its own may also use those kept for others.
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
        taken = self.within(names)
        for bucket in taken:
            bucket.take(now)
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
            # The widest is everybody's.
            if len(names) > 1 and names not in needed and bucket.is_full(now):
                del self.buckets[names]
        self.most_buckets = max(MOST_BUCKETS, 2 * len(self.buckets))
