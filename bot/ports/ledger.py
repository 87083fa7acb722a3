"""Ports of the store for money: reserves, charges, accounts and spending. In USD.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Collection, Sequence
from typing import Protocol

from bot.domain.budget import (
    Alert,
    Balance,
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
    PastCall,
    Period,
    Spending,
)
from bot.domain.completion import Usage
from bot.domain.scope import EVERYWHERE, Scope
from bot.domain.turn import Turn


class Charges(Protocol):
    """Calls to a model that are charged on their own, and reserves that grow."""

    async def open_charge(
        self, charge: Charge, caps: BudgetLimits, now: float
    ) -> int | BudgetExceeded:
        """Reserve `charge.most` if that keeps to all of `caps`; return the charge's id.

        It counts as a question of the person only if its kind is "ask", "try" or
        "triage" and it does not continue another one. The turn that it is made for does
        not count against it. A charge that is open when the process ends is booked at
        its reserve.
        """
        ...

    async def raise_reserve(
        self, charge: Turn | int, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        """Raise the reserve of a turn, or of the charge with this id, to `most` in all,
        if that keeps to all amounts of `caps` in the period in which it began.

        Does nothing if it has ended or has as much. Not a further question of the
        person.
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
        """Release the reserve and book `cost`, or the reserve if it is None. With
        `bounded`, `cost` is an upper bound."""


class Ledger(Charges, Protocol):
    """Everything that reserves and books money."""

    async def reserve(
        self, turn: Turn, person: str, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        """Reserve `most` for `turn`, which has not ended and was asked by `person`, if
        that keeps to all of `caps`; `TurnStore.finish_turn` releases it.

        What an earlier attempt reserved is booked as spent, because its cost is
        unknown. A turn is one question of `person`, however many attempts it takes. One
        write, whatever the caps.
        """
        ...


class Accounts(Protocol):
    """The amounts spent and reserved, by scope, person and period."""

    async def balance(self, scope: Scope, period: Period, now: float) -> Balance:
        """Return the account of a workspace or channel, or of all workspaces together
        (the operator's scope), for the period that contains `now`."""
        ...

    async def alerts(self, budgets: Sequence[Budget], now: float) -> list[Alert]:
        """Return the alerts due for `budgets` and mark them sent."""
        ...

    async def spending(
        self, since: float, within: Scope = EVERYWHERE, person: str = ""
    ) -> list[Spending]:
        """Return usage and cost of what ended at or after `since` in `within`, of one
        person unless `person` is ""; by day, thread, person, model and kind."""
        ...

    async def usage(
        self, since: float, within: Scope, parts_of: Collection[str]
    ) -> list[Spending]:
        """Return usage and cost of what ended at or after `since` in `within`, in fewer
        rows: by day, model, kind, and those of "platform", "workspace", "channel",
        "thread" and "person" that are in `parts_of`; all others are "". For reports."""
        ...

    async def past_calls(
        self, kinds: Sequence[str], since: float, within: Scope, most: int
    ) -> list[PastCall]:
        """Return the latest `most` calls of `kinds` that ended at or after `since` in
        `within` and whose cost is known exactly, newest first."""
        ...
