"""The channels in which Discord did not let the bot attach files.

Answers there are text as a whole for a while, so that people are told why once.
"""

import time
from collections.abc import Callable

from bot.runtime.lru import LruDict

# For how long that is remembered, in seconds: permissions change now and then.
REMEMBERED = 3600.0

# For how many channels that is remembered.
MOST_CHANNELS = 1_000


class AttachRights:
    """The channels in which nothing can be attached."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._until: LruDict[str, float] = LruDict(MOST_CHANNELS)

    def deny(self, channel: str) -> None:
        """Remember that nothing can be attached in `channel`."""
        self._until[channel] = self._clock() + REMEMBERED

    def may(self, channel: str) -> bool:
        """Return whether a file may be tried in `channel`."""
        return self._until.get(channel, float("-inf")) < self._clock()
