"""Measures the lag of the event loop, which grows if work blocks it."""

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable

# The interval of measurements in seconds, and over how many measurements the maximum is
# taken: a minute.
EVERY = 1.0
KEPT = 60


class LoopLag:
    """The lag of the event loop."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        self._lags: deque[float] = deque([0.0], maxlen=KEPT)

    @property
    def last(self) -> float:
        """The last lag, in seconds."""
        return self._lags[-1]

    @property
    def worst(self) -> float:
        """The worst lag of the last minute, in seconds."""
        return max(self._lags)

    async def watch(self) -> None:
        """Measure the lag until cancelled."""
        while True:
            due = self._clock() + EVERY
            await self._sleep(EVERY)
            self._lags.append(max(0.0, self._clock() - due))
