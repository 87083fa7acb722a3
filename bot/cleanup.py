"""Daily deletion of data whose retention period has ended.

Rule: deletion uses small transactions, so that no answer waits for it. It runs again
the next day, even if it failed today.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from bot.domain.retention import DAY, Retention
from bot.ports.store import RetentionStore
from bot.runtime.background import report

log = logging.getLogger(__name__)


async def clean_up_daily(
    store: RetentionStore,
    retention: Retention,
    now: Callable[[], float] = time.time,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> None:
    """Delete expired data now and every day, until cancelled."""
    while True:
        await clean_up(store, retention, now)
        await sleep(DAY)


async def clean_up(
    store: RetentionStore,
    retention: Retention,
    now: Callable[[], float] = time.time,
) -> None:
    """Delete expired data once. Errors are logged."""
    try:
        deleted = await store.clean_up(retention, now())
    except Exception as error:
        report("clean up", error)
    else:
        counts = " ".join(f"{name}={count}" for name, count in deleted.items())
        log.info("cleanup.done %s", counts)
