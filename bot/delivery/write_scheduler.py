"""Lets replies wait until they may write.

This is the clock and the timer around the decisions of `bot.delivery.write_budget`.
"""

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
        #: The writes that other processes share; None if there are no other processes.
        self._shared = SharedWrites(self._budget) if rates else None
        self._rates = rates
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[WriteRequest]] = {}
        self._timer: asyncio.TimerHandle | None = None
        #: The time that the timer is set to.
        self._next = float("inf")
        #: The number of writes by kind and result; see `bot.domain.vitals.WriteCount`.
        self.results: Counter[tuple[WriteKind, str]] = Counter()

    async def may_write(
        self, request: WriteRequest, *others: WriteRequest
    ) -> WriteRequest:
        """Wait until `request` or one of `others` is granted, and return that request.

        A request that replaces them in the meantime may be granted instead. The caller
        must write at once, and then call `write_completed`.
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
        """Replace the pending requests of the same reply, if it waits."""
        waiting = self._waiting.get(request.reply)
        if waiting is not None and not waiting.done():
            self._ask(request, *others)

    def count(self, kind: WriteKind, result: str) -> None:
        """Count a write of this `kind` with its `result`."""
        self.results[kind, result] += 1

    def in_use(self) -> list[BucketUse]:
        """Return the buckets from which writes were recently taken."""
        return self._budget.in_use(self._clock())

    def asks(self, request: WriteRequest) -> tuple[RateAsk, ...]:
        """Return the questions to other processes about `request`, which was granted.

        They are asked before the write is made.
        """
        if self._shared is None:
            return ()
        return self._shared.asks(request, self._clock())

    async def agreed(self, request: WriteRequest) -> bool:
        """Ask other processes about `request`; return whether the write may be made.

        `request` was granted, and nothing of it is stored. If the write may not be
        made, the caller has to wait for another grant.
        """
        asks = self.asks(request)
        if self._rates is None or not asks:
            return True
        try:
            states = await self._rates.ask_rates(asks)
        except StorageError:
            return self.settle(request, None)
        return self.settle(request, states)

    def settle(self, request: WriteRequest, states: Sequence[RateState] | None) -> bool:
        """Return whether the write of `request` may be made.

        `states` are the answers of other processes, None if nobody could be asked. If
        the write may not be made, the caller has to wait for another grant.
        """
        if self._shared is None:
            return True
        return self._shared.settle(request, states, self._clock())

    def back_off(self, request: WriteRequest, seconds: float) -> Closed | None:
        """Record that the platform asked for a pause of `seconds`.

        Return what to report to other processes; None for nothing.
        """
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
            # Only the timer is set: with a thousand waiting replies, checking all of
            # them takes too long.
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
        """Grant what can be granted at `when`, and not before; None for never."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._next = float("inf")
        if when is not None:
            self._next = when
            self._timer = later(when - now, "pace replies", self._pump)
