"""Background work that people hardly miss, so that it never gets in the way: only so
much of it at once, and each piece in a limited time.

Rule: what is too much, too late or fails is left out, and logged without the text of
anybody.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.errors import DeliveryError, StorageError
from bot.runtime.background import Background

log = logging.getLogger(__name__)


class Notices:
    """Work of one kind, of at most `most` pieces at once and `seconds` each: a crowd
    must not use up the writes that a platform allows."""

    def __init__(
        self, tasks: Background, what: str, *, most: int, seconds: float, failed: str
    ) -> None:
        self._tasks = tasks
        #: As the log calls it, and the event for what is left out.
        self._what = what
        self._failed = failed
        self._most = most
        self._seconds = seconds
        self._running = 0

    @property
    def is_full(self) -> bool:
        """Whether nothing more is begun now."""
        return self._running >= self._most

    def start(
        self, work: Coroutine[Any, Any, None], *, platform: str, about: object
    ) -> None:
        """Begin `work`, which belongs to `platform`, unless that is too much now;
        `about` is what the log says that it was about."""
        if self.is_full:
            log.info("%s about=%s crowded", self._failed, about)
            work.close()
            return
        self._running += 1
        attempt = self._attempt(work, about)
        task = self._tasks.start(self._what, attempt, platform=platform)

        # Also of what was cancelled before it began.
        def done(_: asyncio.Task[None]) -> None:
            self._running -= 1
            work.close()

        task.add_done_callback(done)

    async def _attempt(self, work: Coroutine[Any, Any, None], about: object) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await work
        except (TimeoutError, DeliveryError, StorageError) as error:
            log.info("%s about=%s %s", self._failed, about, error)
