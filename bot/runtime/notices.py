"""Optional background work, limited in number and time so that it never gets in the
way.

Rule: work that is too much, takes too long or fails is dropped and logged, without
people's words.
"""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from bot.errors import DeliveryError, StorageError
from bot.runtime.background import Background, end

log = logging.getLogger(__name__)


class Notices:
    """Work of one kind: at most `most` pieces at once, of at most `seconds` each.

    The limits keep a crowd from using up a platform's rate limit.
    """

    def __init__(
        self, tasks: Background, what: str, *, most: int, seconds: float, failed: str
    ) -> None:
        self._tasks = tasks
        #: The name of the work in the log, and the event logged when work is dropped.
        self._what = what
        self._failed = failed
        self._most = most
        self._seconds = seconds
        self._running: set[asyncio.Task[None]] = set()
        self._is_closed = False

    @property
    def is_full(self) -> bool:
        """True if no further work can begin now."""
        return len(self._running) >= self._most

    def start(
        self, work: Coroutine[Any, Any, None], *, platform: str, about: object
    ) -> None:
        """Begin `work` for `platform`, or drop it if there is too much now.

        `about` describes the subject of the work in the log.
        """
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

        # Also called for a task that was cancelled before it began.
        def done(task: asyncio.Task[None]) -> None:
            self._running.discard(task)
            work.close()

        task.add_done_callback(done)

    def close(self) -> None:
        """Cancel the running work and drop all further work."""
        self._is_closed = True
        for task in self._running:
            end(task)

    async def _attempt(self, work: Coroutine[Any, Any, None], about: object) -> None:
        try:
            async with asyncio.timeout(self._seconds):
                await work
        except (TimeoutError, DeliveryError, StorageError) as error:
            log.info("%s about=%s %s", self._failed, about, error)
