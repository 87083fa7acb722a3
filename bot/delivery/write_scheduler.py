"""Lets replies wait until they may write: the clock and the timer around the
decisions of `bot.delivery.write_budget`."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from bot.delivery.bucket import ROUNDING
from bot.delivery.shared_writes import Closed, SharedWrites
from bot.delivery.standing import BucketUse
from bot.delivery.write_budget import WriteBudget
from bot.delivery.write_request import WriteRequest
from bot.domain.platform import Limits, WriteKind
from bot.domain.shared_rate import RateAsk, RateState
from bot.errors import StorageError
from bot.ports.processes import RateStore
from bot.runtime.background import later


class WriteScheduler:
    """Applies the write budget of one platform on the running event loop."""

    def __init__(
        self,
        limits: Limits,
        clock: Callable[[], float],
        rates: RateStore | None = None,
    ) -> None:
        self._budget = WriteBudget(limits)
        #: The writes that other processes make, too; None where there are none.
        self._shared = SharedWrites(self._budget) if rates else None
        self._rates = rates
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[WriteRequest]] = {}
        self._timer: asyncio.TimerHandle | None = None
        #: The time that it is set to.
        self._next = float("inf")
        #: The number of writes by kind and result; see `bot.domain.vitals.WriteCount`.
        self.results: Counter[tuple[WriteKind, str]] = Counter()

    async def may_write(
        self, request: WriteRequest, *others: WriteRequest
    ) -> WriteRequest:
        """Wait until `request`, one of `others` that would do as well, or one that has
        replaced them, is granted; return that.

        The write must follow at once, and then `write_completed`.
        """
        granted: asyncio.Future[WriteRequest] = (
            asyncio.get_running_loop().create_future()
        )
        self._waiting[request.reply] = granted
        try:
            self._ask(request, *others)
            return await granted
        finally:
            del self._waiting[request.reply]
            self._budget.withdraw(request.reply)

    def hurry(self, request: WriteRequest, *others: WriteRequest) -> None:
        """Replace the requests that the same reply is waiting with, if it is."""
        waiting = self._waiting.get(request.reply)
        if waiting is not None and not waiting.done():
            self._ask(request, *others)

    def count(self, kind: WriteKind, result: str) -> None:
        """Count a write of this `kind` with its `result`."""
        self.results[kind, result] += 1

    def in_use(self) -> list[BucketUse]:
        """Return the buckets that writes were lately taken from."""
        return self._budget.in_use(self._clock())

    def asks(self, request: WriteRequest) -> tuple[RateAsk, ...]:
        """Return what is to be asked of other processes before `request`, which was
        granted, is made."""
        if self._shared is None:
            return ()
        return self._shared.asks(request, self._clock())

    async def agreed(self, request: WriteRequest) -> bool:
        """Ask other processes for `request`, which was granted and of which nothing is
        to be stored; return whether it may be made. If not, it is to be asked for
        again."""
        asks = self.asks(request)
        if self._rates is None or not asks:
            return True
        try:
            states = await self._rates.ask_rates(asks)
        except StorageError:
            return self.settle(request, None)
        return self.settle(request, states)

    def settle(self, request: WriteRequest, states: Sequence[RateState] | None) -> bool:
        """Return whether `request` may be made, with what was answered; None if nobody
        could be asked. If not, it is to be asked for again."""
        if self._shared is None:
            return True
        return self._shared.settle(request, states, self._clock())

    def back_off(self, request: WriteRequest, seconds: float) -> Closed | None:
        """Record that the platform asked for a pause of `seconds`; return what other
        processes are to know of it."""
        now, kind = self._clock(), request.kind
        bucket = self._budget.back_off(request.thread, kind, now + seconds, now)
        return self._shared.closed(bucket) if self._shared else None

    def write_completed(self, reply: str) -> None:
        """Record that the write granted to `reply` was made or abandoned."""
        self._budget.write_completed(reply)
        self._pump()

    def remove(self, reply: str) -> None:
        """Remove `reply`, which is finished."""
        self._budget.remove(reply)
        self._pump()

    def _ask(self, request: WriteRequest, *others: WriteRequest) -> None:
        now = self._clock()
        soonest = self._budget.ask(request, now, *others)
        if soonest <= now + ROUNDING:
            self._pump()
        elif soonest < self._next:
            # To look at all that wait takes time, of which a thousand have none.
            self._pump_at(soonest, now)

    def _pump(self) -> None:
        now = self._clock()
        for request in self._budget.grant(now):
            granted = self._waiting[request.reply]
            # A cancelled waiter is removed only when its task runs.
            if not granted.done():
                granted.set_result(request)
        self._pump_at(self._budget.next_grant(now), now)

    def _pump_at(self, when: float | None, now: float) -> None:
        """Grant what can be granted at `when`, and not before; None for nothing."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._next = float("inf")
        if when is not None:
            self._next = when
            self._timer = later(when - now, "pace replies", self._pump)
