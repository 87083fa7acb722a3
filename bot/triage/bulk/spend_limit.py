"""What a run may spend: set aside before each call, settled after it."""

import asyncio
from collections.abc import Awaitable, Callable

from bot.errors import ThreadkeepError


class BudgetReached(ThreadkeepError):
    """The next call could pass the budget."""

    def __init__(self) -> None:
        super().__init__(
            "The budget leaves no room for what the next ticket may cost at the most. "
            "What was answered is kept; a higher --budget goes on."
        )


class SpendLimit:
    """What may be spent. Set aside before a call is made: the most that it can cost.

    `note` is told, before a call is made, how much more may be billed than was noted
    so far, so that a process that is killed leaves no call uncounted; `close` takes
    back what was not.
    """

    def __init__(
        self,
        budget: float | None = None,
        spent: float = 0.0,
        note: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._budget = budget
        self.spent = spent
        #: Of what was spent, that which no answer tells of: calls that failed, and may
        #: be billed.
        self.lost = 0.0
        self._aside = 0.0
        self._calls = 0
        self._changed = asyncio.Event()
        self._note = note
        self._noted = 0.0
        self._noting = asyncio.Lock()

    @property
    def left(self) -> float:
        """What is neither spent nor set aside, in USD."""
        if self._budget is None:
            return float("inf")
        return self._budget - self.spent - self._aside

    async def take(self, most: float) -> None:
        """Set `most` aside. Raises BudgetReached when there is not so much left, and
        no call is under way that could leave some; and what `note` does."""
        while most > self.left:
            if not self._calls:
                raise BudgetReached
            self._changed.clear()
            await self._changed.wait()
        self.hold(most)
        try:
            await self._note_all()
        except BaseException:
            self.settle(most, 0.0)
            raise

    def hold(self, most: float) -> None:
        """Set `most` aside for what is under way already, whatever is left."""
        self._calls += 1
        self._aside += most

    def settle(self, most: float, cost: float | None) -> None:
        """Put `most` back and pay `cost`, or all of it where that is not known."""
        self._calls -= 1
        self._aside = self._aside - most if self._calls else 0.0
        self.spent += most if cost is None else cost
        self.lost += most if cost is None else 0.0
        self._changed.set()

    async def close(self) -> None:
        """Have no more noted than what was lost; no call is under way any more."""
        if self._note is not None and self._noted != self.lost:
            await self._note(self.lost - self._noted)
            self._noted = self.lost

    async def _note_all(self) -> None:
        async with self._noting:
            needed = self._aside + self.lost
            if self._note is None or needed <= self._noted:
                return
            # Twice as much, so that a growing number of calls takes few writes.
            more = 2 * needed - self._noted
            await self._note(more)
            self._noted += more
