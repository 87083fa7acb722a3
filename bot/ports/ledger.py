"""Ports of the store for money, in USD: reserves, charges, accounts and spending.

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
    """Model calls that are charged separately, and reserves that can be raised."""

    async def open_charge(
        self, charge: Charge, caps: BudgetLimits, now: float
    ) -> int | BudgetExceeded:
        """Reserve `charge.most` if `caps` allow that; return the charge's id.

        The charge counts as a question of the person only if its kind is "ask", "try"
        or "triage" and it does not continue another charge. The turn for which the
        charge is made does not count against it. A charge that is open when the process
        ends is booked at its reserve.
        """
        ...

    async def raise_reserve(
        self, charge: Turn | int, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        """Raise the reserve of a turn, or of the charge with this id, to a total of
        `most`.

        The raise must keep to all amounts of `caps` in the period in which the turn or
        charge began. Does nothing if the turn or charge has ended or has reserved that
        much. Does not count as another question of the person.
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
        """Release the reserve and book `cost`, or the reserve if `cost` is None.

        With `bounded`, `cost` is an upper bound.
        """


class Ledger(Charges, Protocol):
    """Everything that reserves and books money."""

    async def reserve(
        self, turn: Turn, person: str, most: float, caps: BudgetLimits, now: float
    ) -> BudgetExceeded | None:
        """Reserve `most` for `turn`, which `person` asked, if `caps` allow that.

        `turn` has not ended; `TurnStore.finish_turn` releases the reserve. The reserve
        of an earlier attempt is booked as spent, because the cost of that attempt is
        unknown. A turn is one question of `person`, however many attempts it takes. One
        write, whatever the caps.
        """
        ...


class Accounts(Protocol):
    """The amounts spent and reserved, by scope, person and period."""

    async def balance(self, scope: Scope, period: Period, now: float) -> Balance:
        """Return the account of `scope` for the period that contains `now`.

        `scope` is a workspace, a channel, or the operator's scope for all workspaces
        together.
        """
        ...

    async def alerts(self, budgets: Sequence[Budget], now: float) -> list[Alert]:
        """Return the alerts due for `budgets` and mark them sent."""
        ...

    async def spending(
        self, since: float, within: Scope = EVERYWHERE, person: str = ""
    ) -> list[Spending]:
        """Return usage and cost of the calls that ended at or after `since` in
        `within`.

        With a `person`, only that person's. One row for each day, thread, person, model
        and kind.
        """
        ...

    async def usage(
        self, since: float, within: Scope, parts_of: Collection[str]
    ) -> list[Spending]:
        """Return usage and cost of the calls that ended at or after `since` in
        `within`, for reports.

        Fewer rows than `spending`: one for each day, model, kind, and those of
        "platform", "workspace", "channel", "thread" and "person" that are in
        `parts_of`. The other fields are "".
        """
        ...

    async def past_calls(
        self, kinds: Sequence[str], since: float, within: Scope, most: int
    ) -> list[PastCall]:
        """Return the latest `most` calls of `kinds` that ended at or after `since` in
        `within`, newest first.

        Only calls whose exact cost is known are included.
        """
        ...
