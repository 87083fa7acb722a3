"""Distributes the writes that a platform allows among all streaming replies. Pure.

Rule 1: this file never waits, never sends and never reads a clock. Callers pass the
time in and carry out what is granted.
Rule 2: a reply has at most one pending request, which always sends the latest text. So
a stale edit cannot queue.
Rule 3: requests are granted in the order final text, first text, refresh, placeholder,
tidying.
Final texts go in the order in which the answers ended; others in the order of their
last grant, the oldest first. Of each burst, one write for each streaming reply, but at
most two thirds, is kept for final and first texts. So nothing starves: those two are
finite, and refreshes take turns.
Rule 4: a write in progress may reach the platform at any moment. Until it completes it
counts as made now, so that delayed writes do not arrive together with later ones.
Rule 5: after a rate limit error, its scope grants nothing until the given time.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.domain.platform import Limits, Rate, WriteKind
from bot.domain.scope import ThreadKey

# Refilling and predicting differ in the last bit.
ROUNDING = 1e-6


class Priority(enum.IntEnum):
    """Order of grants: the lowest value first."""

    FINAL = 0
    FIRST = 1
    REFRESH = 2
    #: A message without any text of the answer.
    PLACEHOLDER = 3
    #: Nothing of an answer: granted only where no write was made for so long that all
    #: of the burst is there again.
    TIDY = 4


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """A reply asks for one write."""

    #: Identifies the reply; a newer request of the same reply replaces this one.
    reply: str
    thread: ThreadKey
    kind: WriteKind
    priority: Priority
    #: Grant it no earlier: the edit interval of the message, or a back-off.
    earliest: float = 0.0


@dataclass(slots=True)
class _Bucket:
    """Token bucket of one scope: `burst` tokens, refilled at the rate.

    Without a rate it is never empty, but it can be closed by a rate limit error.
    """

    rate: Rate | None
    refilled: float
    tokens: float = field(init=False)
    in_progress: int = 0
    #: No write before this time.
    closed_until: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = float(self.rate.burst) if self.rate else float("inf")

    def refill(self, now: float) -> None:
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

    def opens(self, priority: Priority, replies: int) -> float:
        """Return when a write of this priority could be granted if no other came first,
        while so many `replies` stream; infinity if one in progress must complete
        first."""
        if self.rate is None:
            return self.closed_until
        spare = self.rate.burst * 2 // 3
        kept: float = min(replies, spare) if priority >= Priority.REFRESH else 0
        if priority is Priority.TIDY:
            kept = self.rate.burst - 1.0
        if 1.0 + kept > self.most:
            return float("inf")
        short = 1.0 + kept - self.tokens
        if short <= 0:
            return self.closed_until
        wait = short * self.rate.seconds / self.rate.count
        return max(self.closed_until, self.refilled + wait)

    def back_off(self, until: float) -> None:
        """Grant nothing before `until`, and one write then."""
        self.closed_until = max(self.closed_until, until)
        if self.rate is not None:
            self.tokens, self.refilled = 1.0, max(self.refilled, self.closed_until)

    def is_full(self, now: float) -> bool:
        full = self.rate is None or self.tokens >= self.rate.burst
        return full and not self.in_progress and self.closed_until <= now


#: Names of the scopes that a write counts in, widest first.
_Names = tuple[str, ...]


@dataclass(slots=True)
class _Budget:
    """The writes of one kind within one widest scope."""

    #: By scope names, of which the first is the same for all.
    buckets: dict[_Names, _Bucket] = field(default_factory=dict)
    #: The streaming replies that have asked for this kind of write.
    replies: set[str] = field(default_factory=set)
    #: By priority, then by reply; each with the scopes that it counts in.
    requests: dict[Priority, dict[str, tuple[WriteRequest, _Names]]] = field(
        default_factory=lambda: {priority: {} for priority in Priority}
    )

    def within(self, names: _Names) -> Iterator[_Bucket]:
        """Yield the buckets of the scopes `names`, widest first."""
        for length in range(1, len(names) + 1):
            yield self.buckets[names[:length]]

    def ready(self, request: WriteRequest, names: _Names) -> float:
        """Return when `request` could be granted if no other came first."""
        return max(request.earliest, self.opens(request.priority, names))

    def opens(self, priority: Priority, names: _Names) -> float:
        """Return the same for any request of this priority in the scopes `names`."""
        count = len(self.replies)
        return max(bucket.opens(priority, count) for bucket in self.within(names))

    def soonest(self) -> float:
        """Return when the first request could be granted; infinity without any.

        Most requests wait for the widest scope only, so that the first of a priority
        usually decides for all of it.
        """
        soonest = float("inf")
        for priority, requests in self.requests.items():
            least = float("-inf")
            for request, names in requests.values():
                least = max(least, self.opens(priority, names[:1]))
                soonest = min(soonest, self.ready(request, names))
                if soonest <= least:
                    break
        return soonest

    def refill(self, now: float) -> None:
        for bucket in self.buckets.values():
            bucket.refill(now)

    def forget_idle(self, now: float) -> bool:
        """Drop the buckets if all of them are full and nothing is pending; return
        whether they are dropped."""
        if any(self.requests.values()):
            return False
        if all(bucket.is_full(now) for bucket in self.buckets.values()):
            self.buckets.clear()
        return not self.buckets


@dataclass(slots=True)
class _Standing:
    """Decides the order among requests of the same priority."""

    asked: float
    granted: float = float("-inf")
    #: The time at which its text became final.
    ended: float | None = None
    budgets: list[_Budget] = field(default_factory=list)
    #: The buckets that its write in progress counts in.
    counted: list[_Bucket] = field(default_factory=list)


class WriteBudget:
    """Decides which replies may write now, within the `limits` of one platform."""

    def __init__(self, limits: Limits) -> None:
        self._rates = limits.rates
        self._budgets: dict[tuple[WriteKind, str], _Budget] = {}
        self._placed: dict[str, tuple[_Budget, Priority]] = {}
        self._standings: dict[str, _Standing] = {}

    def ask(self, request: WriteRequest, now: float) -> None:
        """Add `request` in place of an earlier one of the same reply."""
        self.withdraw(request.reply)
        standing = self._standings.setdefault(request.reply, _Standing(asked=now))
        if request.priority is Priority.FINAL and standing.ended is None:
            standing.ended = now
        budget, names = self._budget(request.kind, request.thread, now)
        budget.requests[request.priority][request.reply] = request, names
        if request.reply not in budget.replies:
            budget.replies.add(request.reply)
            standing.budgets.append(budget)
        self._placed[request.reply] = budget, request.priority

    def withdraw(self, reply: str) -> None:
        """Drop the pending request of `reply`, if there is one."""
        if placed := self._placed.pop(reply, None):
            budget, priority = placed
            del budget.requests[priority][reply]

    def write_completed(self, reply: str) -> None:
        """Record that the write last granted to `reply` was made or abandoned."""
        if standing := self._standings.get(reply):
            for bucket in standing.counted:
                bucket.in_progress -= 1
            standing.counted.clear()

    def remove(self, reply: str) -> None:
        """Remove `reply`, which is finished."""
        self.withdraw(reply)
        self.write_completed(reply)
        if standing := self._standings.pop(reply, None):
            for budget in standing.budgets:
                budget.replies.discard(reply)

    def choose(
        self,
        thread: ThreadKey,
        kinds: Sequence[WriteKind],
        priority: Priority,
        now: float,
    ) -> WriteKind:
        """Return the first of `kinds` that could be granted now, else the one that
        could be granted soonest."""
        if len(kinds) == 1:
            return kinds[0]
        opens = {kind: self._opens(kind, thread, priority, now) for kind in kinds}
        return min(kinds, key=lambda kind: max(opens[kind], now + ROUNDING))

    def grant(self, now: float) -> list[WriteRequest]:
        """Return the requests to carry out now; each of them counts as a write."""
        granted = []
        for place, budget in list(self._budgets.items()):
            budget.refill(now)
            if budget.soonest() <= now + ROUNDING:
                granted += self._grant_from(budget, now)
            if budget.forget_idle(now):
                del self._budgets[place]
        return granted

    def next_grant(self, now: float) -> float | None:
        """Return when `grant` may next return a request; None if nothing is pending."""
        soonest = min(
            (budget.soonest() for budget in self._budgets.values()),
            default=float("inf"),
        )
        return max(now, soonest) if soonest < float("inf") else None

    def back_off(
        self, thread: ThreadKey, kind: WriteKind, until: float, now: float
    ) -> None:
        """Grant no write of this `kind` before `until` in the exhausted scope: of those
        that `thread` counts in, the one with the fewest tokens."""
        budget, names = self._budget(kind, thread, now)
        budget.refill(now)
        min(budget.within(names), key=lambda bucket: bucket.tokens).back_off(until)

    def _grant_from(self, budget: _Budget, now: float) -> list[WriteRequest]:
        granted = []
        for priority, requests in budget.requests.items():
            for request, names in sorted(requests.values(), key=self._order):
                if budget.opens(priority, names[:1]) > now + ROUNDING:
                    break
                if budget.ready(request, names) > now + ROUNDING:
                    continue
                self.write_completed(request.reply)
                standing = self._standings[request.reply]
                for bucket in budget.within(names):
                    bucket.tokens -= 1.0
                    bucket.in_progress += 1
                    standing.counted.append(bucket)
                self.withdraw(request.reply)
                standing.granted = now
                granted.append(request)
        return granted

    def _order(self, placed: tuple[WriteRequest, _Names]) -> tuple[float, float]:
        request, _ = placed
        standing = self._standings[request.reply]
        if request.priority is Priority.FINAL and standing.ended is not None:
            return standing.ended, standing.asked
        return standing.granted, standing.asked

    def _opens(
        self, kind: WriteKind, thread: ThreadKey, priority: Priority, now: float
    ) -> float:
        budget, names = self._budget(kind, thread, now)
        budget.refill(now)
        return budget.opens(priority, names)

    def _budget(
        self, kind: WriteKind, thread: ThreadKey, now: float
    ) -> tuple[_Budget, _Names]:
        rates: Sequence[Rate | None] = self._rates.get(kind) or (None,)
        names = tuple(rate.scope.of(thread) if rate else str(thread) for rate in rates)
        budget = self._budgets.setdefault((kind, names[0]), _Budget())
        for length, rate in enumerate(rates, start=1):
            budget.buckets.setdefault(names[:length], _Bucket(rate, now))
        return budget, names
