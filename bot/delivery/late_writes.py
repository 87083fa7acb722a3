"""Corrects writes that a process made after another one had taken the thread.

Each call is preceded by a check of the store (`StoredParts.guard`). A process that
freezes between the check and the call makes the call when it wakes. Then a message
exists twice, or an old text has replaced a newer one. The store reports the loss of the
thread right after the call. A posted message that the store does not know is then
deleted. An edited message is written again by the process that has the thread.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from functools import partial

from bot.domain.turn import Turn
from bot.errors import ThreadLost, is_lost
from bot.ports.platform import Surface
from bot.ports.processes import LateWriteStore
from bot.runtime.background import Background
from bot.runtime.notices import Notices
from bot.runtime.retry import Backoff, retry_until_success

log = logging.getLogger(__name__)

# Pauses between questions to the store about what the other process has written.
BACKOFF = Backoff(first=0.5, longest=30.0)

# The most corrections at once: as many as there may be answers. And the most seconds
# for each: the other process may be delayed, too, and Slack may not let us delete.
MOST = 1_000
TIMEOUT = 3_600.0


class Corrections:
    """Corrections that go on in the background, after their replies."""

    def __init__(self, store: LateWriteStore, tasks: Background) -> None:
        self._store = store
        self._running = Notices(
            tasks,
            "correct",
            most=MOST,
            seconds=TIMEOUT,
            failed="reply.uncorrected",
        )

    def begin(self, turn: Turn, surface: Surface, late: dict[int, str | None]) -> None:
        """Correct the last writes of the reply to `turn`.

        `late` maps the index of a message to the id of an edited message, or to None
        for a post.
        """
        work, thread = self._correct(turn, surface, late), turn.thread
        self._running.start(work, platform=thread.platform, about=thread)

    def close(self) -> None:
        """Stop correcting."""
        self._running.close()

    async def _correct(
        self, turn: Turn, surface: Surface, late: dict[int, str | None]
    ) -> None:
        for index, message in late.items():
            questions = 0
            while not await self._is_corrected(turn, surface, index, message):
                questions += 1
                await asyncio.sleep(BACKOFF.pause(questions))

    async def _is_corrected(
        self, turn: Turn, surface: Surface, index: int, message: str | None
    ) -> bool:
        """Correct one write; return False if the caller has to try again later."""
        if message is not None:
            return await self._store.deliver_again(turn, message)
        known = await self._store.known_messages(turn, index)
        if known is None:
            return False
        if deletions := surface.deletions:
            await retry_until_success(partial(deletions.take_back, index, known))
        return True


class LateWrites:
    """The last writes of one reply that the store has not confirmed yet.

    A write is confirmed when the store says, after it, that this process still has the
    thread.
    """

    def __init__(self, turn: Turn, surface: Surface, corrections: Corrections) -> None:
        self._turn = turn
        self._surface = surface
        self._corrections = corrections
        self._writing = asyncio.Lock()
        self._unsure: dict[int, str | None] = {}

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Watch a write in this block.

        If the block raises ThreadLost, all unconfirmed writes are corrected.
        """
        async with self._writing:
            try:
                yield
            except ThreadLost:
                if self._unsure:
                    self._corrections.begin(self._turn, self._surface, self._unsure)
                    self._unsure = {}
                raise

    def begins(self, index: int, message: str | None) -> None:
        """Note that `message` is about to be edited, or, if None, to be posted."""
        self._unsure[index] = message

    def ends(self, index: int) -> None:
        """Note that the store has confirmed the write of this index."""
        self._unsure.pop(index, None)

    @contextlib.asynccontextmanager
    async def unbroken(self) -> AsyncIterator[None]:
        """Wait for the write in progress before ThreadLost leaves this block.

        A cancelled write could still reach the platform, without being corrected.
        """
        try:
            yield
        except (ThreadLost, ExceptionGroup) as error:
            if is_lost(error):
                async with self._writing:
                    pass
            raise
