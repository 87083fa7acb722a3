"""Shares out the writes that a platform allows among all replies that stream.

Rule 1: this file never waits, never sends and never reads a clock. Callers
pass the time in and carry the answers out.
Rule 2: a reply has at most one wish. What is written when the wish is granted
is the newest text, so a stale edit cannot queue.
Rule 3: the order of grants is final texts, then first sights, then refreshes;
among equals, whoever was shown longest ago. One write of every burst is kept
for final texts. So nobody starves: final texts and first sights are finite,
and refreshes take turns.
Rule 4: a scope that the platform throttled grants nothing until its time.
"""

import enum
from dataclasses import dataclass, field

from bot.values import Limits, Rate, ThreadKey

# Refilling and predicting round differently in the last bit.
ROUNDING = 1e-6


class Kind(enum.Enum):
    """What a write does; platforms count the two apart."""

    POST = "post"
    EDIT = "edit"


class Urgency(enum.IntEnum):
    """Who goes first. Lower is more urgent."""

    FINAL = 0
    FIRST = 1
    REFRESH = 2


@dataclass(frozen=True, slots=True)
class Wish:
    """A reply would like to write."""

    #: Names the reply; a newer wish of the same reply replaces this one.
    reply: str
    thread: ThreadKey
    kind: Kind
    urgency: Urgency
    #: Not before this time: the message's own interval, or a back-off.
    earliest: float = 0.0


@dataclass(slots=True)
class _Budget:
    """A token bucket: `burst` writes at once, refilled at the rate."""

    rate: Rate | None
    tokens: float
    refilled: float
    cooled: float = 0.0
    #: By urgency, then by reply.
    wishes: dict[Urgency, dict[str, Wish]] = field(
        default_factory=lambda: {urgency: {} for urgency in Urgency}
    )

    @property
    def _per_second(self) -> float:
        assert self.rate is not None
        return self.rate.count / self.rate.seconds

    def refill(self, now: float) -> None:
        if self.rate is not None:
            gained = max(0.0, now - self.refilled) * self._per_second
            self.tokens = min(float(self.rate.burst), self.tokens + gained)
        self.refilled = max(self.refilled, now)

    def needs(self, urgency: Urgency) -> float:
        """The tokens that must be there before a write this urgent."""
        if self.rate is None:
            return 0.0
        return 2.0 if urgency is Urgency.REFRESH and self.rate.burst > 1 else 1.0

    def ready(self, wish: Wish) -> float:
        """When `wish` could be granted if no other wish came first."""
        return max(wish.earliest, self._open(self.needs(wish.urgency)))

    def soonest(self) -> float:
        """When the first of the wishes could be granted.

        Most wishes wait for the budget alone, so the first one that is looked at
        usually answers for all that are as urgent.
        """
        soonest = float("inf")
        for urgency, wishes in self.wishes.items():
            least = self._open(self.needs(urgency))
            for wish in wishes.values():
                soonest = min(soonest, max(wish.earliest, least))
                if soonest <= least:
                    break
        return soonest

    def _open(self, tokens: float) -> float:
        """When there will be so many `tokens`, and no cooling."""
        if tokens <= self.tokens:
            return self.cooled
        short = tokens - self.tokens
        return max(self.cooled, self.refilled + short / self._per_second)


class Pacing:
    """Decides who may write now, for one platform's `limits`."""

    def __init__(self, limits: Limits) -> None:
        self._rates = {Kind.POST: limits.posts, Kind.EDIT: limits.edits}
        self._budgets: dict[tuple[Kind, str], _Budget] = {}
        self._placed: dict[str, tuple[tuple[Kind, str], Urgency]] = {}
        self._last_grant: dict[str, float] = {}

    def ask(self, wish: Wish, now: float) -> None:
        """Note `wish`; it replaces the reply's earlier one."""
        self.withdraw(wish.reply)
        place = (wish.kind, self._scope(wish.kind, wish.thread))
        self._budget(place, now).wishes[wish.urgency][wish.reply] = wish
        self._placed[wish.reply] = place, wish.urgency

    def withdraw(self, reply: str) -> None:
        """Forget the wish of `reply`, if it has one."""
        if placed := self._placed.pop(reply, None):
            place, urgency = placed
            del self._budgets[place].wishes[urgency][reply]

    def leave(self, reply: str) -> None:
        """Forget `reply`: it is finished."""
        self.withdraw(reply)
        self._last_grant.pop(reply, None)

    def grant(self, now: float) -> list[Wish]:
        """The wishes that may be carried out now; each is counted as a write."""
        granted = []
        for place, budget in list(self._budgets.items()):
            budget.refill(now)
            if budget.soonest() <= now + ROUNDING:
                granted += self._grant_from(budget, now)
            if self._is_idle(budget, now):
                del self._budgets[place]
        return granted

    def next_grant(self, now: float) -> float | None:
        """When `grant` may next have something to give; None without wishes."""
        soonest = min(
            (budget.soonest() for budget in self._budgets.values()),
            default=float("inf"),
        )
        return max(now, soonest) if soonest < float("inf") else None

    def cool(self, thread: ThreadKey, kind: Kind, until: float, now: float) -> None:
        """Grant no write of `kind` in the scope of `thread` before `until`."""
        budget = self._budget((kind, self._scope(kind, thread)), now)
        budget.cooled = max(budget.cooled, until)
        budget.tokens = 0.0 if budget.rate is not None else budget.tokens

    def _grant_from(self, budget: _Budget, now: float) -> list[Wish]:
        granted = []
        for wishes in budget.wishes.values():
            for wish in sorted(wishes.values(), key=self._shown_last):
                if budget.ready(wish) > now + ROUNDING:
                    continue
                if budget.rate is not None:
                    budget.tokens -= 1.0
                self.withdraw(wish.reply)
                self._last_grant[wish.reply] = now
                granted.append(wish)
        return granted

    def _scope(self, kind: Kind, thread: ThreadKey) -> str:
        rate = self._rates[kind]
        return rate.scope.of(thread) if rate else str(thread)

    def _budget(self, place: tuple[Kind, str], now: float) -> _Budget:
        if place not in self._budgets:
            rate = self._rates[place[0]]
            full = float(rate.burst) if rate else 0.0
            self._budgets[place] = _Budget(rate, full, now)
        return self._budgets[place]

    def _shown_last(self, wish: Wish) -> float:
        return self._last_grant.get(wish.reply, float("-inf"))

    def _is_idle(self, budget: _Budget, now: float) -> bool:
        full = budget.rate is None or budget.tokens >= budget.rate.burst
        return not any(budget.wishes.values()) and full and budget.cooled <= now
