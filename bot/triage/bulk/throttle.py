"""Adapts concurrency and pace to the API's rate limits.

Rule: the pace follows from the headers of responses, so that calls slow down before a
limit is exceeded. A rejected call halves the concurrency, and no call starts for as
long as the API asks. (Claude facts 1.5: three limits per minute, refilled
continuously.)
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

#: The initial concurrency.
FIRST = 4

_LIMITS = ("requests", "input-tokens", "output-tokens")

# Below this remaining share of a limit, calls are spaced so that it is not exceeded.
_NEAR = 0.25
# The share of a limit that is used; other programs may use the same account.
_USED = 0.95

_MINUTE = 60.0


class Throttle:
    """Limits concurrency to at most `most` calls."""

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        waived: Callable[[], bool] = lambda: False,
    ) -> None:
        #: The current limit of concurrent calls.
        self.room = float(min(FIRST, most))
        #: The number of calls that the API has rejected.
        self.refused = 0
        self._most = most
        self._clock = clock
        self._sleep = sleep
        #: Returns True if waits should end at once, since no more calls are made.
        self._waived = waived
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: The earliest start of the next call, and the seconds between two starts.
        self._next = 0.0
        self._space = 0.0
        #: Whether no call was rejected yet, so that concurrency grows fast.
        self._growing = True
        self._cut_at = float("-inf")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait until a call may start, and yield its start time by the clock."""
        while self._running >= int(self.room):
            waiter = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            finally:
                with suppress(ValueError):
                    self._waiting.remove(waiter)
        self._running += 1
        try:
            while (wait := self._next - self._clock()) > 0 and not self._waived():
                await self._sleep(wait)
            began = self._clock()
            self._next = max(self._next, began + self._space)
            yield began
        finally:
            self._running -= 1
            self._wake()

    def succeeded(
        self, headers: Mapping[str, str], tokens: tuple[float, float]
    ) -> None:
        """Record an answered call; `tokens` are its input and output tokens that count
        towards the limits."""
        step = 1.0 if self._growing else 1.0 / self.room
        self.room = min(float(self._most), self.room + step)
        self._space = _spacing(headers, (1.0, *tokens))
        self._wake()

    def refuse(self, began: float, wait: float) -> None:
        """Record a rejected call, and start no new call for `wait` seconds."""
        self.refused += 1
        self._growing = False
        now = self._clock()
        # A call that was already running at the last reduction says nothing new.
        if began > self._cut_at:
            self._cut_at = now
            self.room = max(1.0, self.room / 2)
        self._next = max(self._next, now + wait)

    def _wake(self) -> None:
        for waiter in self._waiting:
            if not waiter.done():
                waiter.set_result(None)
                return


def _spacing(headers: Mapping[str, str], costs: tuple[float, float, float]) -> float:
    """Return the seconds between calls that each use `costs` of the three limits."""
    space = 0.0
    for name, each in zip(_LIMITS, costs, strict=True):
        try:
            limit = float(headers[f"anthropic-ratelimit-{name}-limit"])
            left = float(headers[f"anthropic-ratelimit-{name}-remaining"])
        except (KeyError, ValueError):
            continue
        if limit > 0 and left < limit * _NEAR:
            space = max(space, _MINUTE * each / (limit * _USED))
    return space
