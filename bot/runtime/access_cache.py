"""A cache of people's access to channels.

Rule: only full access is cached. A refusal is looked up again each time, so that
somebody who grants the missing access can try again at once.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.runtime.lru import LruDict

K = TypeVar("K", bound=Hashable)


class AccessCache(Generic[K]):
    """A cache of at most `most` entries. `clock` returns the current time."""

    def __init__(self, clock: Callable[[], float], most: int) -> None:
        self._clock = clock
        #: The time and result of each lookup.
        self._granted: LruDict[K, tuple[float, ChannelAccess]] = LruDict(most)

    def __len__(self) -> int:
        return len(self._granted)

    async def find(
        self, key: K, fresh: float, look_up: Callable[[], Awaitable[ChannelAccess]]
    ) -> ChannelAccess:
        """Return the cached result for `key` if it is younger than `fresh` seconds.

        Otherwise, return the result of `look_up`, and raise its exceptions.
        """
        at, known = self._granted.get(key, (float("-inf"), NOWHERE))
        if self._clock() - at < fresh:
            return known
        self._granted.pop(key, None)
        found = await look_up()
        if found.reads and found.writes and found.bot_writes:
            self._granted[key] = self._clock(), found
        return found
