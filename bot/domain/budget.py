"""What may be spent, what is set aside and what was spent. Values only.

USD as float throughout; a day and a month are those of UTC.
"""

import enum
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.completion import Usage
from bot.domain.scope import Scope

#: Parts of a budget at which its admins are told, once each.
ALERTS = (0.75, 0.95)

#: Over how many seconds a person's limits count.
HOUR = 3600.0


class Period(enum.Enum):
    """Over what a budget counts."""

    DAY = "day"
    MONTH = "month"

    def name_at(self, now: float) -> str:
        """The day ("2026-11-26") or month ("2026-11") that `now` lies in."""
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        return day if self is Period.DAY else day[:7]

    def begin(self, now: float) -> float:
        """When the day or month began that `now` lies in, in seconds since 1970."""
        moment = datetime.fromtimestamp(now, UTC).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        first = moment if self is Period.DAY else moment.replace(day=1)
        return first.timestamp()


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget: no more than `usd` in a period, in all of `place`.

    An amount of 0 means that nothing may be spent. Raises ValueError for an amount
    that is negative or not finite.
    """

    place: Scope
    period: Period
    usd: float
    #: Who set it: a platform's user id, or "operator".
    who: str = "operator"
    #: The kind of calls that it is for; "" for all.
    kind: str = ""

    def __post_init__(self) -> None:
        _require_amount(self.usd)

    def share(self, spent: float) -> float:
        """The share of the budget that `spent` USD are, from 0 up; 1 where nothing
        may be spent."""
        return spent / self.usd if self.usd > 0 else 1.0


@dataclass(frozen=True, slots=True)
class PersonLimit:
    """What one person may use of `place` within an hour that slides.

    Raises ValueError for a limit that is negative or not finite.
    """

    place: Scope
    #: How many questions; None for any number.
    messages: int | None = None
    #: None for any amount.
    usd: float | None = None

    def __post_init__(self) -> None:
        _require_amount(self.usd or 0.0)
        _require_amount(float(self.messages or 0))


def _require_amount(usd: float) -> None:
    if not (math.isfinite(usd) and usd >= 0):
        raise ValueError(f"a limit is a finite number from 0 up, not {usd}")


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """All that limits one call."""

    budgets: tuple[Budget, ...] = ()
    people: tuple[PersonLimit, ...] = ()

    @property
    def limit_money(self) -> bool:
        """Whether any of them limits USD, so that a call needs a known price."""
        return bool(self.budgets) or any(p.usd is not None for p in self.people)


#: Where nothing is limited.
NO_LIMITS = BudgetLimits()


@dataclass(frozen=True, slots=True)
class BudgetExceeded:
    """A call was not let through, by exactly one of these."""

    budget: Budget | None = None
    person: PersonLimit | None = None
    #: USD that was spent in the period or hour, and that is set aside for calls
    #: which are being made now.
    spent: float = 0.0
    reserved: float = 0.0
    #: When the person may ask again, in seconds since 1970.
    until: float | None = None
    #: The model whose price is not known, where that is why.
    unpriced: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A budget has come to one of `ALERTS`; said once in its period."""

    budget: Budget
    share: float
    spent: float


@dataclass(frozen=True, slots=True)
class Charge:
    """A model call that is no answer, as it begins: what for, where, for whom."""

    place: Scope
    #: The platform's user id.
    person: str
    #: "routing", "try", "triage" or "auto-triage".
    kind: str
    model: str
    #: The most that it can cost.
    most: float = 0.0
    #: The key of the turn for whose sake it is made; "" for none.
    turn: str = ""
    #: Whether it goes on with what an earlier charge began: then it is no question of
    #: its own, and is held to amounts only.
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Balance:
    """What was spent of a place's account in one period, and is set aside."""

    spent: float = 0.0
    reserved: float = 0.0


@dataclass(frozen=True, slots=True)
class Spending:
    """What one person's questions used of one model in one thread on one day (UTC)."""

    day: str
    place: Scope
    #: The platform's user id; "" where it was not noted (before it was).
    person: str
    model: str
    #: "answer", "routing", "try", or "attempt": an answer that a crash cut and that
    #: was begun anew.
    kind: str
    #: How many calls.
    turns: int
    usage: Usage = field(default_factory=Usage)
    #: In USD, of the calls whose price is known.
    cost: float = 0.0
    #: How many calls have no known price.
    unpriced: int = 0
    #: How many calls are booked at the most that they can have cost.
    bounded: int = 0
