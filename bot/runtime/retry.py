"""Retries with backoff.

A finished answer is in memory and paid for: a full disk or a locked file must not lose
it. A retry blocks its own thread only.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

from bot.errors import DeliveryError, StorageError, StorageRejected, ThreadGone

log = logging.getLogger(__name__)

# Short at first, for a lock that clears; then rare enough that a full disk costs one
# log line in half a minute.
FIRST_PAUSE = 0.25
LONGEST_PAUSE = 30.0

T = TypeVar("T")


async def retry_until_success(
    attempt: Callable[[], Awaitable[T]], most: int | None = None
) -> T:
    """Retry `attempt` with backoff until it succeeds, or `most` times, and return its
    result.

    Raises ThreadGone and StorageRejected at once: a retry does not change them. After
    `most` tries it raises the last error.
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
