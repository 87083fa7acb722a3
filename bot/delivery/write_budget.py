"""Shares out the writes that a platform allows among all replies that stream.

Rule 1: this file never waits, never sends and never reads a clock. Callers
pass the time in and carry the answers out.
Rule 2: a reply has at most one wish. What is written when the wish is granted
is the newest text, so a stale edit cannot queue.
Rule 3: the order of grants is final texts, first sights, refreshes, placeholders.
Final texts go in the order in which the answers ended; among others, whoever was
shown longest ago goes first. Of every burst, a write for each reply that streams is
kept for final texts and first sights, up to two thirds. So nobody starves: those two
are finite, and refreshes take turns.
Rule 4: a write that is under way may arrive at any moment. So as long as it is, it
counts as made just now, lest several that were late arrive with those after them.
Rule 5: a scope that the platform throttled grants nothing until its time.
"""

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from bot.domain.platform import Limits, Rate, WriteKind
from bot.domain.scope import ThreadKey

# Refilling and predicting round differently in the last bit.
ROUNDING = 1e-6


class Priority(enum.IntEnum):
    """Who goes first. Lower is more urgent."""

    FINAL = 0
    FIRST = 1
    REFRESH = 2
    #: Shows no word of an answer.
    PLACEHOLDER = 3


@dataclass(frozen=True, slots=True)
class WriteRequest:
    """A reply would like to write."""

    #: Names the reply; a newer wish of the same reply replaces this one.
    reply: str
    thread: ThreadKey
    way: WriteKind
    urgency: Priority
    #: Not before this time: the message's own interval, or a back-off.
    earliest: float = 0.0


@dataclass(slots=True)
class _Bucket:
    """What one scope may still write: `burst` at once, refilled at the rate.

    Without a rate it never runs dry, and can be cooled all the same.
    """

    rate: Rate | None
    refilled: float
    tokens: float = field(init=False)
    under_way: int = 0
    cooled: float = 0.0

    def __post_init__(self) -> None:
        self.tokens = float(self.rate.burst) if self.rate else float("inf")

    def refill(self, now: float) -> None:
        if self.rate is not None:
            gained = max(0.0, now - self.refilled) * self.rate.count / self.rate.seconds
            self.tokens = min(self.most, self.tokens + gained)
        self.refilled = max(self.refilled, now)

    @property
    def most(self) -> float:
        """As many as there could be. One, whatever is under way, where there is no
        burst: it is spread out by then."""
        assert self.rate is not None
        return max(1.0, float(self.rate.burst - self.under_way))

    def opens(self, urgency: Priority, replies: int) -> float:
        """When a write this urgent could be made if no other came first, with so many
        `replies` that stream; infinity if not before one that is under way lands."""
        if self.rate is None:
            return self.cooled
        spare = self.rate.burst * 2 // 3
        kept = min(replies, spare) if urgency >= Priority.REFRESH else 0
        if 1.0 + kept > self.most:
            return float("inf")
        short = 1.0 + kept - self.tokens
        if short <= 0:
            return self.cooled
        wait = short * self.rate.seconds / self.rate.count
        return max(self.cooled, self.refilled + wait)

    def cool(self, until: float) -> None:
        """Stay shut until then, when there is one write again."""
        self.cooled = max(self.cooled, until)
        if self.rate is not None:
            self.tokens, self.refilled = 1.0, max(self.refilled, self.cooled)

    def is_full(self, now: float) -> bool:
        full = self.rate is None or self.tokens >= self.rate.burst
        return full and not self.under_way and self.cooled <= now


#: A way of writing, and the names of the scopes that are counted, widest first.
_Names = tuple[str, ...]


@dataclass(slots=True)
class _Budget:
    """What is written in one way within one widest scope."""

    #: By the scopes' names, of which the first is the same for all.
    buckets: dict[_Names, _Bucket] = field(default_factory=dict)
    #: The replies that stream and were written in this way, or asked to be.
    replies: set[str] = field(default_factory=set)
    #: By urgency, then by reply; each with the scopes that it is counted in.
    wishes: dict[Priority, dict[str, tuple[WriteRequest, _Names]]] = field(
        default_factory=lambda: {urgency: {} for urgency in Priority}
    )

    def within(self, names: _Names) -> Iterator[_Bucket]:
        """The buckets of the scopes `names`, widest first."""
        for length in range(1, len(names) + 1):
            yield self.buckets[names[:length]]

    def ready(self, wish: WriteRequest, names: _Names) -> float:
        """When `wish` could be granted if no other wish came first."""
        return max(wish.earliest, self.opens(wish.urgency, names))

    def opens(self, urgency: Priority, names: _Names) -> float:
        """The same of any wish this urgent in the scopes `names`."""
        count = len(self.replies)
        return max(bucket.opens(urgency, count) for bucket in self.within(names))

    def soonest(self) -> float:
        """When the first of the wishes could be granted.

        Most wishes wait for the widest scope alone, so the first one that is looked
        at usually answers for all that are as urgent.
        """
        soonest = float("inf")
        for urgency, wishes in self.wishes.items():
            least = float("-inf")
            for wish, names in wishes.values():
                least = max(least, self.opens(urgency, names[:1]))
                soonest = min(soonest, self.ready(wish, names))
                if soonest <= least:
                    break
        return soonest

    def refill(self, now: float) -> None:
        for bucket in self.buckets.values():
            bucket.refill(now)

    def forget_idle(self, now: float) -> bool:
        """Forget what is as if it had never been written to; say whether all is."""
        if any(self.wishes.values()):
            return False
        if all(bucket.is_full(now) for bucket in self.buckets.values()):
            self.buckets.clear()
        return not self.buckets


@dataclass(slots=True)
class _Standing:
    """What decides whose turn it is among wishes that are as urgent."""

    asked: float
    granted: float = float("-inf")
    #: Since when its text is final.
    ended: float | None = None
    budgets: list[_Budget] = field(default_factory=list)
    #: What its write that is under way is counted in.
    counted: list[_Bucket] = field(default_factory=list)


class WriteBudget:
    """Decides who may write now, for one platform's `limits`."""

    def __init__(self, limits: Limits) -> None:
        self._rates = limits.rates
        self._budgets: dict[tuple[WriteKind, str], _Budget] = {}
        self._placed: dict[str, tuple[_Budget, Priority]] = {}
        self._standings: dict[str, _Standing] = {}

    def ask(self, wish: WriteRequest, now: float) -> None:
        """Note `wish`; it replaces the reply's earlier one."""
        self.withdraw(wish.reply)
        standing = self._standings.setdefault(wish.reply, _Standing(asked=now))
        if wish.urgency is Priority.FINAL and standing.ended is None:
            standing.ended = now
        budget, names = self._budget(wish.way, wish.thread, now)
        budget.wishes[wish.urgency][wish.reply] = wish, names
        if wish.reply not in budget.replies:
            budget.replies.add(wish.reply)
            standing.budgets.append(budget)
        self._placed[wish.reply] = budget, wish.urgency

    def withdraw(self, reply: str) -> None:
        """Forget the wish of `reply`, if it has one."""
        if placed := self._placed.pop(reply, None):
            budget, urgency = placed
            del budget.wishes[urgency][reply]

    def landed(self, reply: str) -> None:
        """Note that the write of `reply` that was granted last is made, or given up."""
        if standing := self._standings.get(reply):
            for bucket in standing.counted:
                bucket.under_way -= 1
            standing.counted.clear()

    def leave(self, reply: str) -> None:
        """Forget `reply`: it is finished."""
        self.withdraw(reply)
        self.landed(reply)
        if standing := self._standings.pop(reply, None):
            for budget in standing.budgets:
                budget.replies.discard(reply)

    def choose(
        self,
        thread: ThreadKey,
        ways: Sequence[WriteKind],
        urgency: Priority,
        now: float,
    ) -> WriteKind:
        """The first of `ways` that could be granted now, or else the one that could
        be soonest."""
        if len(ways) == 1:
            return ways[0]
        opens = {way: self._opens(way, thread, urgency, now) for way in ways}
        return min(ways, key=lambda way: max(opens[way], now + ROUNDING))

    def grant(self, now: float) -> list[WriteRequest]:
        """The wishes that may be carried out now; each is counted as a write."""
        granted = []
        for place, budget in list(self._budgets.items()):
            budget.refill(now)
            if budget.soonest() <= now + ROUNDING:
                granted += self._grant_from(budget, now)
            if budget.forget_idle(now):
                del self._budgets[place]
        return granted

    def next_grant(self, now: float) -> float | None:
        """When `grant` may next have something to give; None without wishes."""
        soonest = min(
            (budget.soonest() for budget in self._budgets.values()),
            default=float("inf"),
        )
        return max(now, soonest) if soonest < float("inf") else None

    def cool(self, thread: ThreadKey, way: WriteKind, until: float, now: float) -> None:
        """Grant no write of this `way` before `until` in the scope that was used up:
        of those that `thread` is counted in, the one with the least left."""
        budget, names = self._budget(way, thread, now)
        budget.refill(now)
        min(budget.within(names), key=lambda bucket: bucket.tokens).cool(until)

    def _grant_from(self, budget: _Budget, now: float) -> list[WriteRequest]:
        granted = []
        for urgency, wishes in budget.wishes.items():
            for wish, names in sorted(wishes.values(), key=self._order):
                if budget.opens(urgency, names[:1]) > now + ROUNDING:
                    break
                if budget.ready(wish, names) > now + ROUNDING:
                    continue
                self.landed(wish.reply)
                standing = self._standings[wish.reply]
                for bucket in budget.within(names):
                    bucket.tokens -= 1.0
                    bucket.under_way += 1
                    standing.counted.append(bucket)
                self.withdraw(wish.reply)
                standing.granted = now
                granted.append(wish)
        return granted

    def _order(self, placed: tuple[WriteRequest, _Names]) -> tuple[float, float]:
        wish, _ = placed
        standing = self._standings[wish.reply]
        if wish.urgency is Priority.FINAL and standing.ended is not None:
            return standing.ended, standing.asked
        return standing.granted, standing.asked

    def _opens(
        self, way: WriteKind, thread: ThreadKey, urgency: Priority, now: float
    ) -> float:
        budget, names = self._budget(way, thread, now)
        budget.refill(now)
        return budget.opens(urgency, names)

    def _budget(
        self, way: WriteKind, thread: ThreadKey, now: float
    ) -> tuple[_Budget, _Names]:
        rates: Sequence[Rate | None] = self._rates.get(way) or (None,)
        names = tuple(rate.scope.of(thread) if rate else str(thread) for rate in rates)
        budget = self._budgets.setdefault((way, names[0]), _Budget())
        for length, rate in enumerate(rates, start=1):
            budget.buckets.setdefault(names[:length], _Bucket(rate, now))
        return budget, names
