"""Keeps what could not be remembered, in order, until it can be.

Discord says nothing twice, so what the store refuses is held and tried again, by one
task whatever comes. Rule: what is held is bounded. What does not fit is left to the
caller, who notes where to look for it later.
"""

import asyncio
import itertools
import logging
from collections import deque
from collections.abc import Awaitable, Callable

from bot.errors import DeliveryError, StorageError
from bot.runtime.allowance import Allowance
from bot.runtime.background import contained
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

Attempt = Callable[[], Awaitable[None]]

# How many events are taken in at once, and how many wait behind them: discord.py
# begins all that it receives. A message has 4,000 characters at the most, and what is
# forwarded with it.
MOST_AT_ONCE = 1_000
MOST_HELD = 2_000

# How many of those that wait are tried together once the first has succeeded.
GROUP = 50


class Backlog:
    """Attempts that are made at once while that goes well, and else one by one."""

    def __init__(self, at_once: int = MOST_AT_ONCE) -> None:
        self._under_way = Allowance(at_once)
        self._held: deque[Attempt] = deque()
        self._trying = False
        #: How many did not fit since it was last empty.
        self._refused = 0

    @property
    def idle(self) -> bool:
        """Whether nothing waits."""
        return not self._held and not self._trying

    async def keep(self, attempt: Attempt, most: int = MOST_HELD) -> bool:
        """Make `attempt` until it succeeds, or hold it behind those that wait.

        Returns False if `most` wait already, and then nothing was done. Returns True
        as soon as it is held, unless it falls to this call to work off what waits.
        """
        if not self.idle or not self._under_way.take():
            return await self._hold(attempt, most)
        try:
            await attempt()
            return True
        except (StorageError, DeliveryError):
            pass
        finally:
            self._under_way.give()
        return await self._hold(attempt, most)

    async def _hold(self, attempt: Attempt, most: int) -> bool:
        if len(self._held) >= most:
            self._refused += 1
            if self._refused == 1:
                log.error("discord.backlog_full waiting=%d", len(self._held))
            return False
        self._held.append(attempt)
        if not self._trying:
            await self._work_off()
        return True

    async def _work_off(self) -> None:
        self._trying = True
        try:
            while self._held:
                # The first alone: as long as it is refused, one line in the log.
                await self._try(self._held[0])
                self._held.popleft()
                group = list(itertools.islice(self._held, GROUP))
                await asyncio.gather(*map(self._try, group))
                for _ in group:
                    self._held.popleft()
        finally:
            self._trying = False
        if self._refused:
            log.info("discord.backlog_empty refused=%d", self._refused)
            self._refused = 0

    async def _try(self, attempt: Attempt) -> None:
        # What fails for another reason must not hold up those behind.
        await contained("keep an event", retry_until_success(attempt))
