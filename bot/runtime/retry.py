"""Repeats what must be done until it succeeds.

A finished answer is in memory and paid for: a full disk or a locked file must
not lose it. Whoever waits here holds only its own thread back.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import DeliveryError, StorageError, StorageRejected, ThreadGone

log = logging.getLogger(__name__)

# Short at first, for a lock that clears by itself; then rare enough that a
# disk that stays full costs one log line in half a minute.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0

T = TypeVar("T")


async def retry_until_success(
    attempt: Callable[[], Awaitable[T]], most: int | None = None
) -> T:
    """The result of `attempt`, however long the store or the platform refuses it; or
    for `most` tries, if that is given.

    Raises ThreadGone and StorageRejected at once: they do not change. After `most`
    tries it raises what the last one raised.
    """
    pause = FIRST_PAUSE
    tries = 0
    while True:
        tries += 1
        try:
            return await attempt()
        except (ThreadGone, StorageRejected):
            raise
        except StorageError as error:
            if tries == most:
                raise
            log.error("store.refused again_in=%.2f %s", pause, error)
        except DeliveryError as error:
            if tries == most:
                raise
            log.warning("platform.refused again_in=%.2f %s", pause, error)
        await asyncio.sleep(pause)
        pause = min(LONGEST_PAUSE, pause * 2)
