"""How many calls run at once, by what the API's answers say of its limits.

Rule: the pace comes from the answers' own headers, so that a limit is kept before it
is met; a refusal halves what runs at once, and waits as long as it was told to.
(Claude facts 1.5: three limits a minute, refilled without a pause.)
"""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress

#: How many calls begin with.
FIRST = 4

_LIMITS = ("requests", "input-tokens", "output-tokens")

# From this share of a limit on, calls are spaced so that it is not passed.
_NEAR = 0.25
# Of the pace that a limit allows, so much is used: others may use the same account.
_USED = 0.95

_MINUTE = 60.0


class Throttle:
    """Lets calls through, `most` at once at the most."""

    def __init__(
        self,
        most: int,
        *,
        clock: Callable[[], float],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        waived: Callable[[], bool] = lambda: False,
    ) -> None:
        #: How many may run now.
        self.room = float(min(FIRST, most))
        #: How often the API refused a call because of its limits.
        self.refused = 0
        self._most = most
        self._clock = clock
        self._sleep = sleep
        #: Whether nobody need wait any more, since no call is made.
        self._waived = waived
        self._running = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: When the next call may begin, and seconds between two.
        self._next = 0.0
        self._space = 0.0
        #: No refusal yet: room grows fast.
        self._growing = True
        self._cut_at = float("-inf")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[float]:
        """Wait for room; yields when the call begins, by the clock."""
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
        """A call was answered; `tokens` are its input and output as limits count."""
        step = 1.0 if self._growing else 1.0 / self.room
        self.room = min(float(self._most), self.room + step)
        self._space = _spacing(headers, (1.0, *tokens))
        self._wake()

    def refuse(self, began: float, wait: float) -> None:
        """A call that began then was refused; none begins for `wait` seconds."""
        self.refused += 1
        self._growing = False
        now = self._clock()
        # Those that ran beside it say nothing new.
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
    """Seconds between calls that each take `costs` of the three limits."""
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
