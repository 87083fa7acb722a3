"""Posts a probe on a silent platform: a message of the bot that comes back as an event,
unless events have stopped arriving.

Rule: a probe is posted only where the operator chose, only while no other event
arrives, and is deleted afterwards.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence

from bot.errors import DeliveryError
from bot.ports.platform import Adapter, Prober
from bot.vitals.connections import Connections

log = logging.getLogger(__name__)

# The pause between two checks for a silent platform, in seconds, and the share of the
# operator's time limit after which a probe is posted.
EVERY = 15.0
SHARE = 0.5

# The time limit for a probe to come back, and the pause between two checks for it, in
# seconds.
PATIENCE = 20.0
LOOK_AGAIN = 0.1


class Probes:
    """Posts probes in `places`, each a platform and a channel, when the platform has
    been silent for half of `within` seconds."""

    def __init__(
        self,
        adapters: Mapping[str, Adapter],
        places: Sequence[tuple[str, str]],
        connections: Connections,
        within: float | None,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        probers = ((name, channel, adapters.get(name)) for name, channel in places)
        self._probers = [
            (name, channel, adapter.prober)
            for name, channel, adapter in probers
            if adapter is not None and adapter.prober is not None
        ]
        self._connections = connections
        self._within = within
        self._now = now
        self._sleep = sleep

    async def watch(self) -> None:
        """Post probes as needed until cancelled; return at once if none are wanted."""
        while self._probers and self._within is not None:
            silent = self._silent(self._within * SHARE)
            for name, channel, prober in self._probers:
                if name in silent:
                    await self._probe(name, channel, prober)
            await self._sleep(EVERY)

    def _silent(self, seconds: float) -> set[str]:
        """Return the connected platforms that have been silent for more than
        `seconds`."""
        now = self._now()
        return {
            each.platform
            for each in self._connections.all({})
            if each.since is not None
            and now - max(each.heard or 0.0, each.since) > seconds
        }

    async def _probe(self, name: str, channel: str, prober: Prober) -> None:
        try:
            message = await prober.probe(channel)
        except DeliveryError as error:
            log.warning("probe.not_posted platform=%s %s", name, error)
            return
        left = PATIENCE
        while f"{name}:{message}" not in self._connections.echoes and left > 0:
            left -= LOOK_AGAIN
            await self._sleep(LOOK_AGAIN)
        if left <= 0:
            log.error("probe.not_heard platform=%s channel=%s", name, channel)
        try:
            await prober.remove(channel, message)
        except DeliveryError as error:
            log.warning("probe.left_over platform=%s %s", name, error)
