"""Remembers for a while what people may do in channels.

Rule: only what is granted in full is remembered. A refusal is looked up anew, so that
whoever mends it can try again at once.
"""

from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from bot.domain.channel_access import NOWHERE, ChannelAccess
from bot.runtime.lru import LruDict

K = TypeVar("K", bound=Hashable)


class Grants(Generic[K]):
    """At most `most` grants; `clock` says when each was looked up."""

    def __init__(self, clock: Callable[[], float], most: int) -> None:
        self._clock = clock
        #: When it was looked up, and what was found.
        self._granted: LruDict[K, tuple[float, ChannelAccess]] = LruDict(most)

    async def find(
        self, key: K, fresh: float, look_up: Callable[[], Awaitable[ChannelAccess]]
    ) -> ChannelAccess:
        """Return what was found of `key` less than `fresh` seconds ago, else what
        `look_up` returns.

        Raises what `look_up` raises.
        """
        at, known = self._granted.get(key, (float("-inf"), NOWHERE))
        if self._clock() - at < fresh:
            return known
        self._granted.pop(key, None)
        found = await look_up()
        if found.reads and found.writes and found.bot_writes:
            self._granted[key] = self._clock(), found
        return found
