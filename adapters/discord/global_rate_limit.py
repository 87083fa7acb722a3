"""Keeps all calls of a bot together within Discord's global rate limit.

discord.py respects the limits of single routes beforehand. It learns of the global
limit by exceeding it, and a bot that does so often is banned (platform facts B4).
Responses to interactions count neither there nor here.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from types import SimpleNamespace

import aiohttp

from bot.runtime.background import later

# Discord allows 50 in a second (facts B4). The margin is for calls that arrive closer
# together than they were sent.
MOST = 45
SECONDS = 1.25

EXEMPT = ("/interactions/", "/webhooks/")


class GlobalRateLimiter:
    """Delays calls so that at most MOST are sent within SECONDS."""

    def __init__(self) -> None:
        #: When the last calls were sent.
        self._sent: deque[float] = deque([float("-inf")] * MOST, maxlen=MOST)
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: Calls that are sent when no other waits.
        self._patient: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self, *, patient: bool = False) -> None:
        """Wait until a call may be sent; `patient` ones come last."""
        granted = asyncio.get_running_loop().create_future()
        (self._patient if patient else self._waiting).append(granted)
        self._grant()
        await granted

    def _grant(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while line := self._waiting or self._patient:
            now = time.monotonic()
            opens = self._sent[0] + SECONDS
            if opens > now:
                self._timer = later(opens - now, "let calls out", self._grant)
                return
            granted = line.popleft()
            # A cancelled call needs no slot.
            if not granted.done():
                granted.set_result(None)
                self._sent.append(now)


def traced(on_revoked: Callable[[], None]) -> aiohttp.TraceConfig:
    """Return a trace that delays every call of a client by the global rate limit, and
    calls `on_revoked` if Discord rejects the token with any of them."""
    limiter = GlobalRateLimiter()

    async def on_start(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        call: aiohttp.TraceRequestStartParams,
    ) -> None:
        path = call.url.path
        if not any(each in path for each in EXEMPT):
            # Typing indicators have the lowest priority.
            await limiter.acquire(patient=path.endswith("/typing"))

    async def on_end(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        call: aiohttp.TraceRequestEndParams,
    ) -> None:
        # Responses to interactions carry a token of their own (facts B2).
        ours = not any(each in call.url.path for each in EXEMPT)
        if ours and call.response.status == 401:
            on_revoked()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    trace.on_request_end.append(on_end)
    return trace
