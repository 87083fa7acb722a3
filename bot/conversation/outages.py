"""Catches up with what was missed, by one process of all at a time.

Rule: an outage is stored before anything is fetched, and deleted after everything was.
A process that ends in between leaves it to another one that receives the same events,
or to the next process.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable
from functools import partial

from bot.ports.processes import Gateways
from bot.runtime.lru import LruDict
from bot.runtime.retry import retry_until_success

#: The pause between two looks for what other processes left, in seconds.
LOOK = 10.0

# The most names that are kept: a gateway may have thousands of shards.
MOST_NAMES = 20_000


class StoredOutages:
    """The outages in `store`, which other processes may share."""

    def __init__(self, store: Gateways, *, shared: bool) -> None:
        self._store = store
        self._pause = LOOK if shared else None
        #: Set when something was noted here, by name.
        self._noted: LruDict[str, asyncio.Event] = LruDict(MOST_NAMES)

    async def note(self, name: str, since: float) -> None:
        """Have `keep` catch up with the events of `name` since then."""
        await retry_until_success(partial(self._store.note_outage, name, since))
        self._event(name).set()

    async def keep(
        self, name: str, fetch: Callable[[float], Awaitable[object]]
    ) -> None:
        """Have `fetch` take in what was missed of `name`, until cancelled."""
        noted = self._event(name)
        take = partial(self._store.take_outage, name)
        while True:
            noted.clear()
            while outage := await retry_until_success(take):
                await fetch(outage.since)
                end = partial(self._store.end_outage, outage)
                await retry_until_success(end)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause):
                    await noted.wait()

    def _event(self, name: str) -> asyncio.Event:
        if (event := self._noted.get(name)) is None:
            event = self._noted[name] = asyncio.Event()
        return event
