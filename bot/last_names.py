"""Looks up and stores the names of people and channels in the operator's reports.

Rule 1: names are optional. They are looked up later, in the background, so that no
answer and no command waits for a name.
Rule 2: names are looked up only for people and channels whose ids are in the reports
anyway, and only in served workspaces.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from itertools import islice

from bot.domain.names import LOOK_BACK, LastName, NameKind, Sighting
from bot.domain.retention import DAY
from bot.errors import ConfigError, DeliveryError
from bot.platforms import Platforms
from bot.ports.names import NameStore
from bot.runtime.background import report

log = logging.getLogger(__name__)

# The pause between two rounds, in seconds, and the number of lookups in each round, far
# below the rate limits of the platforms (platform facts A5.1, B4).
EVERY = 60.0
AT_ONCE = 25


class LastNames:
    """Looks up names on the platforms and stores them."""

    def __init__(
        self,
        store: NameStore,
        platforms: Platforms,
        *,
        now: Callable[[], float] = time.time,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._platforms = platforms
        self._now = now
        self._sleep = sleep

    async def watch(self) -> None:
        """Look up names until cancelled.

        First, delete the names in workspaces that are not served.
        """
        since, served = self._now() - LOOK_BACK, self._platforms.served
        while True:
            try:
                if dropped := await self._store.drop_names(served.holds):
                    log.info("names.dropped names=%d", dropped)
                break
            except Exception as error:
                report("drop names", error)
            await self._sleep(EVERY)
        while True:
            await self._sleep(EVERY)
            try:
                since = await self.look(since)
            except Exception as error:
                # Ignored: `since` is unchanged, so the next round tries the same.
                report("names", error)

    async def look_back(self) -> None:
        """Do one round of `watch` for the last day. Raises StorageError."""
        await self._store.drop_names(self._platforms.served.holds)
        await self.look(self._now() - DAY)

    async def look(self, since: float) -> float:
        """Look up the names needed since `since`, some each minute.

        Return the time up to which all names were looked up.
        """
        until = self._now()
        seen = await self._store.unnamed(since, until)
        waiting = iter([each for each in seen if self._is_reachable(each)])
        while batch := list(islice(waiting, AT_ONCE)):
            found = [name for each in batch for name in await self._find(each)]
            await self._store.store_names(found, self._now())
            if len(batch) == AT_ONCE:
                await self._sleep(EVERY)
        return until

    def _is_reachable(self, seen: Sighting) -> bool:
        active = seen.place.platform in self._platforms.active
        return active and self._platforms.serves(seen.place)

    async def _find(self, seen: Sighting) -> Iterable[LastName]:
        """Return the names of a person, their channel and their workspace.

        A name is "" if there is none. Return () if the lookup fails now.
        """
        directory = self._platforms.adapters[seen.place.platform].directory
        try:
            with self._platforms.using(seen.place.platform):
                names = await directory.names(seen.place, seen.person)
        except (ConfigError, DeliveryError) as error:
            log.info("names.later place=%s %s", seen.place, error)
            return ()
        place = seen.place
        found = (
            (NameKind.PERSON, seen.person, names.person),
            (NameKind.CHANNEL, place.channel, names.channel),
            (NameKind.WORKSPACE, place.workspace, names.workspace),
        )
        return list(_name_all(seen, found))


def _name_all(
    seen: Sighting, found: Iterable[tuple[NameKind, str, str]]
) -> Iterator[LastName]:
    for kind, id, name in found:
        if id:
            yield LastName(seen.place.platform, seen.place.workspace, kind, id, name)
