"""Holds events that could not be stored, in order, and retries them.

Discord does not send an event twice, so an event that could not be stored is held and
retried, by one task at a time.

Rule: the backlog is bounded. The caller records where to fetch events that do not fit.
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

# How many events are handled at once, and how many wait behind them: discord.py starts
# a task for each event. A message has at most 4,000 characters, plus those of the
# messages that it forwards.
MOST_AT_ONCE = 1_000
MOST_HELD = 2_000

# How many waiting attempts are made together once the first has succeeded.
GROUP = 50


class Backlog:
    """Runs attempts at once while they succeed. Once one has failed, others wait behind
    it."""

    def __init__(self, at_once: int = MOST_AT_ONCE) -> None:
        self._under_way = Allowance(at_once)
        self._held: deque[Attempt] = deque()
        self._trying = False
        #: How many attempts did not fit since the backlog was last empty.
        self._refused = 0

    @property
    def idle(self) -> bool:
        """True if no attempt waits."""
        return not self._held and not self._trying

    async def keep(self, attempt: Attempt, most: int = MOST_HELD) -> bool:
        """Run `attempt`, or queue it behind the waiting attempts and retry it.

        Returns False if `most` attempts wait already: `attempt` is not queued then.
        Returns True as soon as `attempt` has succeeded or is queued, unless this call
        has to work off the backlog.
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
                # Run the first attempt alone: while it fails, the log gets one line.
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
        # An attempt that fails for another reason must not block the attempts behind
        # it.
        await contained("keep an event", retry_until_success(attempt))
