"""Lets replies wait for their turn to write: the clock and the waiting around
the decisions that `bot.delivery.write_budget` makes."""

import asyncio
from collections.abc import Callable, Sequence

from bot.delivery.write_budget import Priority, WriteBudget, WriteRequest
from bot.domain.platform import Limits, WriteKind
from bot.domain.scope import ThreadKey
from bot.runtime.background import later


class WriteScheduler:
    """Carries out one platform's pacing on the running event loop."""

    def __init__(self, limits: Limits, clock: Callable[[], float]) -> None:
        self._pacing = WriteBudget(limits)
        self._clock = clock
        self._waiting: dict[str, asyncio.Future[WriteRequest]] = {}
        self._timer: asyncio.TimerHandle | None = None

    async def may_write(self, wish: WriteRequest) -> WriteRequest:
        """Return when `wish` is granted, or what has replaced it meanwhile; the write
        must follow at once, and then `landed`."""
        granted: asyncio.Future[WriteRequest] = (
            asyncio.get_running_loop().create_future()
        )
        self._waiting[wish.reply] = granted
        try:
            self._ask(wish)
            return await granted
        finally:
            del self._waiting[wish.reply]
            self._pacing.withdraw(wish.reply)

    def hurry(self, wish: WriteRequest) -> None:
        """Let `wish` replace the one that its reply is waiting with, if any."""
        waiting = self._waiting.get(wish.reply)
        if waiting is not None and not waiting.done():
            self._ask(wish)

    def choose(
        self, thread: ThreadKey, ways: Sequence[WriteKind], urgency: Priority
    ) -> WriteKind:
        """Which of `ways`, the best first, is best asked for now."""
        return self._pacing.choose(thread, ways, urgency, self._clock())

    def cool(self, thread: ThreadKey, way: WriteKind, seconds: float) -> None:
        """Note that the platform asked for a pause of `seconds`."""
        now = self._clock()
        self._pacing.cool(thread, way, now + seconds, now)

    def landed(self, reply: str) -> None:
        """Note that the write of `reply` that it was allowed is made, or given up."""
        self._pacing.landed(reply)
        self._pump()

    def leave(self, reply: str) -> None:
        """Forget `reply`: it is finished."""
        self._pacing.leave(reply)
        self._pump()

    def _ask(self, wish: WriteRequest) -> None:
        self._pacing.ask(wish, self._clock())
        self._pump()

    def _pump(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = self._clock()
        for wish in self._pacing.grant(now):
            granted = self._waiting[wish.reply]
            # Whoever was cancelled a moment ago has not left yet.
            if not granted.done():
                granted.set_result(wish)
        if (next_grant := self._pacing.next_grant(now)) is not None:
            self._timer = later(next_grant - now, "pace replies", self._pump)
