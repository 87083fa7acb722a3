"""Keeps the calls of a bot within Discord's global rate limit.

discord.py respects the limits of single routes in advance. It notices the global limit
only when a call exceeds it, and Discord bans a bot that does so often (platform facts
B4). Responses to interactions are exempt from the global limit.

If several processes make the calls of one bot, each leases a few calls at a time.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable
from types import SimpleNamespace

import aiohttp

from bot.domain.call_lease import CallLease
from bot.errors import StorageError
from bot.runtime import background, fencing
from bot.runtime.background import later

log = logging.getLogger(__name__)

# Discord allows 50 calls in a second (facts B4). At most MOST calls are sent in the
# first period of SECONDS, which keeps to the limit as long as no call is delayed on its
# way by 0.05 s more than later ones. After a refusal the second period applies, and
# after another the third; they leave 0.1 s and 0.5 s for such delays.
MOST = 49
SECONDS = (1.05, 1.1, 1.5)

# Seconds without a refusal until the previous, shorter period is used again. Discord
# bans a bot with 10,000 refusals in that time (facts B4).
WIDER_FOR = 600.0

# Seconds within which refusals count as one: they are those of calls that were under
# way together.
TOGETHER = 1.0

# The limits that all processes share: seconds per call, the burst, and the life of a
# lease in seconds. At most 48 calls are sent in any second: the burst, and the calls
# that the rate allows in that second and in the life of a lease.
EACH = 1.0 / 34
BURST = 8
LIFE = 0.2

# Seconds until more calls are leased after an unexpected error.
AGAIN = 1.0

EXEMPT = ("/interactions/", "/webhooks/")

#: Leases at most the given number of calls. Raises StorageError.
Lease = Callable[[int], Awaitable[CallLease]]


class GlobalRateLimiter:
    """Delays calls so that at most MOST are sent within `seconds`."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: When the last calls were sent.
        self._sent: deque[float] = deque([float("-inf")] * MOST, maxlen=MOST)
        #: The index in SECONDS after the last refusal, and the time of that refusal.
        self._step, self._refused_at = 0, float("-inf")
        self._waiting: deque[asyncio.Future[None]] = deque()
        #: Calls that are sent when no other waits.
        self._patient: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        #: Leases calls from the limit of all processes; None if there is only one
        #: process.
        self.lease: Lease | None = None
        self._leased, self._leased_until = 0, float("-inf")
        self._leasing: asyncio.Task[None] | None = None
        #: How many processes share the limit, according to the last lease.
        self._processes = 1

    async def acquire(self, *, patient: bool = False) -> None:
        """Wait until a call may be sent. A `patient` call is sent when no other call
        waits."""
        granted = asyncio.get_running_loop().create_future()
        (self._patient if patient else self._waiting).append(granted)
        self._grant()
        await granted

    def refused(self) -> None:
        """Record that Discord refused a call because of the global rate limit."""
        now = self._clock()
        if now - self._refused_at < TOGETHER:
            return
        current = self._current_step(now)
        step = min(current + 1, len(SECONDS) - 1)
        if step > current:
            log.warning("discord.global_limit for=%.0f", WIDER_FOR)
        self._step, self._refused_at = step, now

    @property
    def seconds(self) -> float:
        """The period, in seconds, in which at most MOST calls are sent."""
        return SECONDS[self._current_step(self._clock())]

    def _current_step(self, now: float) -> int:
        if not self._step:
            return 0
        return max(0, self._step - int((now - self._refused_at) / WIDER_FOR))

    def _grant(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        while line := self._waiting or self._patient:
            now = self._clock()
            opens = self._sent[0] + self.seconds
            if opens > now:
                self._wait(opens - now)
                return
            if line[0].done():
                # A cancelled call needs no slot.
                line.popleft()
                continue
            if self.lease is not None and not self._has_lease(now):
                return
            line.popleft().set_result(None)
            self._sent.append(now)

    def _wait(self, seconds: float) -> None:
        self._timer = later(seconds, "let calls out", self._grant)

    def _has_lease(self, now: float) -> bool:
        """Use up one leased call and return True; without one, lease more and return
        False."""
        if self._leased and now < self._leased_until:
            self._leased -= 1
            return True
        if self._leasing is None:
            self._leasing = background.begin("lease calls", self._lease_more())
        return False

    async def _lease_more(self) -> None:
        assert self.lease is not None
        want = len(self._waiting) + len(self._patient)
        lease: CallLease | None = None
        try:
            lease = await self.lease(min(want, BURST))
        except StorageError as error:
            log.warning("discord.no_lease %s", error)
            # Use this process's share of the rate instead.
            await asyncio.sleep(EACH * self._processes)
            lease = CallLease(1, 0.0, self._processes)
        finally:
            self._leasing = None
            if lease is None:
                # The error is reported elsewhere. The calls still wait, so lease again
                # later.
                self._wait(AGAIN)
        self._processes = lease.processes
        self._leased, self._leased_until = lease.granted, self._clock() + LIFE
        if lease.granted:
            self._grant()
        else:
            self._wait(lease.wait)

    async def close(self) -> None:
        """Stop leasing calls."""
        if self._leasing is not None:
            self._leasing.cancel()
            await asyncio.wait({self._leasing})
        if self._timer is not None:
            self._timer.cancel()


def trace_config(
    limiter: GlobalRateLimiter, on_revoked: Callable[[], None]
) -> aiohttp.TraceConfig:
    """Return a trace that delays every call of a client by `limiter`, and calls
    `on_revoked` if Discord rejects the token in any call."""

    async def on_start(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        call: aiohttp.TraceRequestStartParams,
    ) -> None:
        path = call.url.path
        if not any(each in path for each in EXEMPT):
            # Typing indicators have the lowest priority.
            await limiter.acquire(patient=path.endswith("/typing"))
        await fencing.confirm()

    async def on_end(
        session: aiohttp.ClientSession,
        context: SimpleNamespace,
        call: aiohttp.TraceRequestEndParams,
    ) -> None:
        # Responses to interactions carry a token of their own (facts B2).
        ours = not any(each in call.url.path for each in EXEMPT)
        if ours and call.response.status == 401:
            on_revoked()
        if ours and "X-RateLimit-Global" in call.response.headers:
            limiter.refused()

    trace = aiohttp.TraceConfig()
    trace.on_request_start.append(on_start)
    trace.on_request_end.append(on_end)
    return trace
