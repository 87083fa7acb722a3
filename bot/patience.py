"""Repeats a write to the store until it succeeds.

A finished answer is in memory and paid for: a full disk or a locked file must
not lose it. Whoever waits here holds only its own thread back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import StorageError

log = logging.getLogger(__name__)

# Short at first, for a lock that clears by itself; then rare enough that a
# disk that stays full costs one log line in half a minute.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0

T = TypeVar("T")


async def insist(write: Callable[[], Awaitable[T]]) -> T:
    """The result of `write`, however long the store refuses it."""
    pause = FIRST_PAUSE
    while True:
        try:
            return await write()
        except StorageError as error:
            log.error("store.refused again_in=%.2f %s", pause, error)
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)
