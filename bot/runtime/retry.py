"""Retries with backoff.

A finished answer is in memory and paid for, and a full disk or a locked file must not
lose it. A caller that waits here delays only its own conversation.
"""

import asyncio
import functools
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from bot.errors import DeliveryError, StorageError, StorageRejected, ThreadGone

log = logging.getLogger(__name__)

# More doublings change nothing, and a float overflows after 1,023.
_MOST_DOUBLINGS = 60

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts. Each is twice the previous one, up to the longest."""

    #: In seconds.
    first: float
    longest: float

    def pause(self, failures: int) -> float:
        """Return the pause in seconds after `failures` (at least 1) in a row."""
        doublings = min(failures - 1, _MOST_DOUBLINGS)
        return min(self.longest, self.first * 2.0**doublings)


# Short at first, for a lock that is released soon. Later long enough that a full disk
# costs one log line every 30 seconds.
BACKOFF = Backoff(first=0.25, longest=30.0)


async def retry_until_success(
    attempt: Callable[[], Awaitable[T]], most: int | None = None
) -> T:
    """Retry `attempt` with backoff until it succeeds, and return its result.

    Only StorageError and DeliveryError are retried, except for StorageRejected and
    ThreadGone, which are permanent. After `most` attempts, if `most` is given, the last
    error is raised.
    """
    failures = 0
    while True:
        try:
            return await attempt()
        except (ThreadGone, StorageRejected):
            raise
        except (StorageError, DeliveryError) as error:
            failures += 1
            if failures == most:
                raise
            pause = BACKOFF.pause(failures)
            if isinstance(error, StorageError):
                log.error("store.refused again_in=%.2f %s", pause, error)
            else:
                log.warning("platform.refused again_in=%.2f %s", pause, error)
        await asyncio.sleep(pause)


def retrying(port: T) -> T:
    """Wrap `port`, so that its methods are retried by `retry_until_success`.

    All methods must be asynchronous. Each attempt gets the same arguments, including
    times.
    """
    return cast(T, _Retrying(port))


class _Retrying:
    def __init__(self, port: object) -> None:
        self._port = port

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self._port, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            return await retry_until_success(functools.partial(method, *args, **kwargs))

        return call
