"""The budget of a run, reserved before each call and released after it."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.errors import ConfigError, ThreadkeepError
from bot.messages import triage_files as messages


class BudgetReached(ThreadkeepError):
    """The next call could exceed the budget."""

    def __init__(self) -> None:
        super().__init__(messages.NO_ROOM)


class UnknownPrice(ConfigError):
    """There is a budget, and the price of the model is unknown."""

    def __init__(self, model: str) -> None:
        super().__init__(messages.price_unknown(model=model))


class SpendLimit:
    """The budget of a run in USD; None is unlimited.

    `record` is called before a call with the amount that may be billed beyond the
    amount recorded so far, so that a killed process leaves no call unrecorded. `close`
    corrects the record at the end.
    """

    def __init__(
        self,
        budget: float | None = None,
        spent: float = 0.0,
        record: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._budget = budget
        self.spent = spent
        #: The part of `spent` that belongs to no answer: failed calls that may be
        #: billed.
        self.unanswered = 0.0
        self._reserved = 0.0
        self._calls = 0
        self._changed = asyncio.Event()
        self._record = record
        self._recorded = 0.0
        self._recording = asyncio.Lock()

    @property
    def left(self) -> float:
        """The remaining budget, neither spent nor reserved, in USD."""
        if self._budget is None:
            return float("inf")
        return self._budget - self.spent - self._reserved

    def amount_for(self, ceiling: float | None, model: str) -> float:
        """Return the amount to reserve for a call of `model` that costs at most
        `ceiling`.

        An unknown price reserves nothing. Raises UnknownPrice if there is a budget.
        """
        if ceiling is None and self._budget is not None:
            raise UnknownPrice(model)
        return ceiling or 0.0

    async def reserve(self, amount: float) -> None:
        """Reserve `amount`; wait for running calls while too little is left.

        Raises BudgetReached if no running call could release some of it, and the
        exceptions of `record`.
        """
        while amount > self.left:
            if not self._calls:
                raise BudgetReached
            self._changed.clear()
            await self._changed.wait()
        self.reserve_running(amount)
        try:
            await self._record_reserved()
        except BaseException:
            self.release(amount, 0.0)
            raise

    def reserve_running(self, amount: float) -> None:
        """Reserve `amount` for a call that is already running, even if too little is
        left."""
        self._calls += 1
        self._reserved += amount

    def release(self, amount: float, cost: float | None) -> None:
        """Release a reserved `amount` and spend `cost`, or all of the amount if the
        cost is unknown."""
        self._calls -= 1
        self._reserved = self._reserved - amount if self._calls else 0.0
        self.spent += amount if cost is None else cost
        self.unanswered += amount if cost is None else 0.0
        self._changed.set()

    async def close(self) -> None:
        """Correct the record to `unanswered`. No call may be running."""
        if self._record is not None and self._recorded != self.unanswered:
            await self._record(self.unanswered - self._recorded)
            self._recorded = self.unanswered

    async def _record_reserved(self) -> None:
        async with self._recording:
            needed = self._reserved + self.unanswered
            if self._record is None or needed <= self._recorded:
                return
            # Record twice as much, so that a growing number of calls needs few writes.
            more = 2 * needed - self._recorded
            await self._record(more)
            self._recorded += more
