"""Corrects what a process wrote after another one had taken the thread.

Each call is preceded by a look at the store (`StoredParts.guard`). A process that is
frozen between that look and the call makes the call when it wakes: a message is there
twice, or an old text over a newer one. The store tells of the loss right after the
call. Then a message that nobody knows is deleted, and one that was edited is written
once more by whoever has the thread.
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

# Pauses until the store is asked again what the other process has written.
BACKOFF = Backoff(first=0.5, longest=30.0)

# How many are corrected at once: as many as may be answered. And for how long, in
# seconds: the other process may be held up itself, and Slack may not let us delete.
MOST = 1_000
TIMEOUT = 3_600.0


class Corrections:
    """Corrections that go on in the background, behind their replies."""

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
        """Correct the last writes of the reply to `turn`: by the index of the message,
        the id of one that was edited, None for a post."""
        work, thread = self._correct(turn, surface, late), turn.thread
        self._running.start(work, platform=thread.platform, about=thread)

    def close(self) -> None:
        """Leave what is not corrected yet as it is."""
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
        """Correct one write; return False if it is to be tried again."""
        if message is not None:
            return await self._store.deliver_again(turn, message)
        known = await self._store.known_messages(turn, index)
        if known is None:
            return False
        if deletions := surface.deletions:
            await retry_until_success(partial(deletions.take_back, index, known))
        return True


class LateWrites:
    """The last writes of one reply, until the store has said after them that the thread
    is still ours."""

    def __init__(self, turn: Turn, surface: Surface, corrections: Corrections) -> None:
        self._turn = turn
        self._surface = surface
        self._corrections = corrections
        self._writing = asyncio.Lock()
        self._unsure: dict[int, str | None] = {}

    @contextlib.asynccontextmanager
    async def watched(self) -> AsyncIterator[None]:
        """Let a write happen in this block. If it raises ThreadLost, all that may have
        come late is corrected."""
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
        """Note that the store knows the thread as ours after that."""
        self._unsure.pop(index, None)

    @contextlib.asynccontextmanager
    async def unbroken(self) -> AsyncIterator[None]:
        """If this block raises ThreadLost, wait for the write in progress before that
        is passed on: cancelled, it could come all the same, and nobody would know."""
        try:
            yield
        except (ThreadLost, ExceptionGroup) as error:
            if is_lost(error):
                async with self._writing:
                    pass
            raise
