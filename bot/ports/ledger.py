"""The port of the store to money: what is set aside, booked and spent.

Each method is one transaction, durable on return, and may raise StorageError.
"""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.budget import (
    Alert,
    Balance,
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
    Period,
    Spending,
)
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope
from bot.domain.turn import Turn


class Ledger(Protocol):
    """What was spent and is set aside, by place, person and period."""

    async def reserve(
        self, turn: Turn, person: str, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        """Set `most` USD aside for `turn`, which has not ended and was asked by
        `person`, if that keeps to all of `caps`; `finish` gives it back.

        What was set aside for an earlier attempt at it is booked as spent, since
        nobody knows what that cost. A turn counts as one question of `person`,
        however many attempts it takes. One write, whatever the caps.
        """
        ...

    async def open_charge(
        self, charge: Charge, caps: BudgetLimits, now: float
    ) -> int | BudgetExceeded:
        """The same for a call that is no answer; returns its id. It counts as a
        question of the person only if its kind is "try" or "triage", and only if it
        does not go on with what another one began.

        Where it is made for the sake of a turn, that turn does not count against it.
        One that was open when the process ended costs what was set aside.
        """
        ...

    async def raise_reserve(
        self, charge: Turn | int, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        """Have `most` USD set aside in all for a turn, or for the charge with this id,
        if that keeps to all amounts of `caps` in the period in which it began.

        Where as much is set aside already, or it has ended, nothing happens. It is no
        further question of the person.
        """
        ...

    async def close_charge(
        self,
        charge: int,
        usage: Usage,
        cost: float | None,
        now: float,
        *,
        bounded: bool = False,
    ) -> None:
        """Book what the call used, in place of what was set aside: `cost`, which is
        the most that it can have been if it is `bounded`; where it is not known, what
        was set aside."""

    async def balance(self, place: Scope, period: Period, now: float) -> Balance:
        """The account of a workspace or channel, or of all workspaces together (the
        operator's place), in the period that `now` is in."""
        ...

    async def alerts(self, budgets: Sequence[Budget], now: float) -> list[Alert]:
        """The alerts that `budgets` have come to and nobody was told of, which count
        as told from now on."""
        ...

    async def spending(
        self, since: float, within: Scope = EVERYWHERE, person: str = ""
    ) -> list[Spending]:
        """Usage and cost of what ended at or after `since` in `within`, of one
        person if one is named; by day, thread, person, model and kind."""
        ...
