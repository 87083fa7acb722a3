"""Catches up with the events of an outage, in one process at a time.

Rule: an outage is stored before anything is fetched, and deleted after everything was
fetched. If a process ends in between, another process that receives the same events, or
the next process, catches up.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from bot.domain.outage import WITHIN, Outage
from bot.ports.processes import Gateways
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

#: The pause between two checks for outages that other processes left, in seconds.
LOOK = 10.0

# The most names that are remembered: a gateway may have thousands of shards.
MOST_NAMES = 20_000


class StoredOutages:
    """The outages in `store`, which other processes may share."""

    def __init__(self, store: Gateways, *, shared: bool) -> None:
        self._store = store
        self._pause = LOOK if shared else None
        #: Events by name, set when an outage was noted in this process.
        self._noted: LruDict[str, asyncio.Event] = LruDict(MOST_NAMES)

    async def note(self, name: str, since: float) -> None:
        """Store an outage of `name`, whose events `keep` fetches from the time `since`
        on."""
        await retry_until_success(partial(self._store.note_outage, name, since))
        self._event(name.partition(WITHIN)[0]).set()

    async def keep(
        self, name: str, fetch: Callable[[Outage], Awaitable[object]]
    ) -> None:
        """Call `fetch` with each outage of `name` or of a part of it, until
        cancelled."""
        noted = self._event(name)
        take = partial(self._store.take_outage, name)
        while True:
            noted.clear()
            while outage := await retry_until_success(take):
                await fetch(outage)
                end = partial(self._store.end_outage, outage)
                await retry_until_success(end)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await noted.wait()

    def _event(self, name: str) -> asyncio.Event:
        if (event := self._noted.get(name)) is None:
            event = self._noted[name] = asyncio.Event()
        return event
