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
from bot.runtime.background import Background, end

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
        self._running: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """True if no more work can be begun now."""
        return len(self._running) >= self._most

    def start(
        self, work: Coroutine[Any, Any, None], *, platform: str, about: object
    ) -> None:
        """Begin `work`, which belongs to `platform`, unless that is too much now;
        `about` is what the log says that it was about."""
        if self._is_closed:
            work.close()
            return
        if self.is_full:
            log.info("%s about=%s crowded", self._failed, about)
            work.close()
            return
        attempt = self._attempt(work, about)
        task = self._tasks.start(self._what, attempt, platform=platform)
        self._running.add(task)

        # Also of what was cancelled before it began.
        def done(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            work.close()

        task.add_done_callback(done)

    def close(self) -> None:
        """Leave out what is not done yet, and begin nothing more."""
        self._is_closed = True
        for task in self._running:
            end(task)

    async def _attempt(self, work: Coroutine[Any, Any, None], about: object) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await work
        except (TimeoutError, DeliveryError, StorageError) as error:
            log.info("%s about=%s %s", self._failed, about, error)
