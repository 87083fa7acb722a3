"""Lets out no more calls a second than Discord takes from one bot.

discord.py knows the limits of single channels beforehand. The one on all calls
together it learns by passing it, and whoever does that often is banned (platform
facts B4). What answers a command or a button is not counted there, nor here.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from bot.runtime.background import later

# Discord takes 50 in a second (facts B4). The rest is for calls that arrive closer
# together than they left, and would do harm by that.
MOST = 45
SECONDS = 1.25

EXEMPT = ("/interactions/", "/webhooks/")


class GlobalRateLimiter:
    """The one way out for all calls."""

    def __init__(self) -> None:
        #: When the last calls left.
        self._left: deque[float] = deque([float("-inf")] * MOST, maxlen=MOST)
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: Those that go when nobody else waits.
        self._patient: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def pass_through(self, *, patient: bool = False) -> None:
        """Return when a call may leave; one that is `patient` goes last."""
        passed = asyncio.get_running_loop().create_future()
        (self._patient if patient else self._waiting).append(passed)
        self._let_through()
        await passed

    def _let_through(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while line := self._waiting or self._patient:
            now = time.monotonic()
            opens = self._left[0] + SECONDS
            if opens > now:
                self._timer = later(opens - now, "let calls out", self._let_through)
                return
            passed = line.popleft()
            # Whoever was cancelled has gone already.
            if not passed.done():
                passed.set_result(None)
                self._left.append(now)


def traced(on_revoked: Callable[[], None]) -> aiohttp.TraceConfig:
    """What lets every call of a client through a turnstile before it is sent, and calls
    `on_revoked` when Discord does not accept our token with one, whatever it was for.
    """
    turnstile = GlobalRateLimiter()

    async def on_start(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        call: aiohttp.TraceRequestStartParams,
    ) -> None:
        path = call.url.path
        if not any(each in path for each in EXEMPT):
            # Of all that we say, that we write can wait best.
            await turnstile.pass_through(patient=path.endswith("/typing"))

    async def on_end(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        call: aiohttp.TraceRequestEndParams,
    ) -> None:
        # What answers an interaction carries a token of its own (facts B2).
        ours = not any(each in call.url.path for each in EXEMPT)
        if ours and call.response.status == 401:
            on_revoked()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    trace.on_request_end.append(on_end)
    return trace
