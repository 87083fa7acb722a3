"""Budgets, limits, charges and spending. Frozen values.

Amounts are USD as float; days and months are UTC.
"""

import enum
import math
from dataclasses import dataclass, field
from datetime import UTC, datetime

from bot.domain.completion import Usage
from bot.domain.scope import Scope

#: The shares of a budget at which its admins are alerted, once each.
ALERTS = (0.75, 0.95)

#: The window of a person's limits, in seconds.
HOUR = 3600.0


class Period(enum.Enum):
    """The period of a budget."""

    DAY = "day"
    MONTH = "month"

    def name_at(self, now: float) -> str:
        """Return the day ("2026-11-26") or month ("2026-11") of `now`."""
        day = datetime.fromtimestamp(now, UTC).date().isoformat()
        return day if self is Period.DAY else day[:7]

    def begin(self, now: float) -> float:
        """Return the start of the day or month of `now`, in seconds since 1970."""
        moment = datetime.fromtimestamp(now, UTC).replace(
            hour=0, minute=0, second=0, microsecond=0
        )
        first = moment if self is Period.DAY else moment.replace(day=1)
        return first.timestamp()


@dataclass(frozen=True, slots=True)
class Budget:
    """A budget: at most `usd` per period for the whole scope `place`.

    A budget of 0 allows no spending. Raises ValueError for an amount that is negative
    or not finite.
    """

    place: Scope
    period: Period
    usd: float
    #: The person who set it: a platform's user id, or "operator".
    who: str = "operator"
    #: The kind of calls that the budget limits; "" for all kinds.
    kind: str = ""

    def __post_init__(self) -> None:
        _require_amount(self.usd)

    def share(self, spent: float) -> float:
        """Return `spent` USD as a share of the budget; 1 for a budget of 0."""
        return spent / self.usd if self.usd > 0 else 1.0


@dataclass(frozen=True, slots=True)
class PersonLimit:
    """The limit of each person in `place` within a sliding hour.

    Raises ValueError for a limit that is negative or not finite.
    """

    place: Scope
    #: The number of questions; None for no limit.
    messages: int | None = None
    #: None for no limit.
    usd: float | None = None

    def __post_init__(self) -> None:
        _require_amount(self.usd or 0.0)
        _require_amount(float(self.messages or 0))


def _require_amount(usd: float) -> None:
    if not (math.isfinite(usd) and usd >= 0):
        raise ValueError(f"a limit is a finite number from 0 up, not {usd}")


@dataclass(frozen=True, slots=True)
class BudgetLimits:
    """All limits of one call."""

    budgets: tuple[Budget, ...] = ()
    people: tuple[PersonLimit, ...] = ()

    @property
    def limit_money(self) -> bool:
        """True if any limit is in USD, so that the price must be known."""
        return bool(self.budgets) or any(p.usd is not None for p in self.people)


#: No limits.
NO_LIMITS = BudgetLimits()


@dataclass(frozen=True, slots=True)
class BudgetExceeded:
    """A call was refused because of exactly one limit."""

    budget: Budget | None = None
    person: PersonLimit | None = None
    #: USD spent in the period or hour, and USD reserved for calls in progress.
    spent: float = 0.0
    reserved: float = 0.0
    #: The time from which the person may ask again, in seconds since 1970.
    until: float | None = None
    #: The model without a known price, if that was the reason; else "".
    unpriced: str = ""


@dataclass(frozen=True, slots=True)
class Alert:
    """A budget has reached one of `ALERTS`. Sent once per period."""

    budget: Budget
    share: float
    spent: float


@dataclass(frozen=True, slots=True)
class Charge:
    """A model call that is not an answer: its purpose, scope and person."""

    place: Scope
    #: The platform's user id.
    person: str
    #: "ask", "routing", "summary", "try", "triage", "auto-triage" or "mcp".
    kind: str
    model: str
    #: An upper bound of its cost, in USD.
    most: float = 0.0
    #: The key of the turn that the call belongs to; "" for none.
    turn: str = ""
    #: Whether the call continues an earlier charge. It then does not count as a
    #: question, so that only amounts of USD limit it.
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Balance:
    """USD spent and reserved in one scope and period."""

    spent: float = 0.0
    reserved: float = 0.0


@dataclass(frozen=True, slots=True)
class PastCall:
    """One call with exactly known usage and cost."""

    model: str
    usage: Usage
    #: In USD.
    cost: float


@dataclass(frozen=True, slots=True)
class Spending:
    """The usage of one person, model and thread on one day (UTC)."""

    day: str
    place: Scope
    #: The platform's user id; "" in rows from before it was stored.
    person: str
    model: str
    #: "answer", "ask", "routing", "summary", "try", "triage", "mcp" (listing the tools
    #: of an MCP server) or "attempt" (an answer that a crash interrupted and that was
    #: started again).
    kind: str
    #: The number of calls.
    turns: int
    usage: Usage = field(default_factory=Usage)
    #: In USD, for the calls with a known price.
    cost: float = 0.0
    #: The number of calls without a known price.
    unpriced: int = 0
    #: The number of calls booked at an upper bound of their cost.
    bounded: int = 0

    @property
    def answers(self) -> int:
        """The number of calls that answered a person's question."""
        return self.turns if self.kind in ("answer", "ask") else 0
