"""Remembers the channels in which Discord did not let the bot attach files.

For a while, answers there contain only text, so that people are told the reason once.
"""

import time
from collections.abc import Callable

from bot.runtime.lru import LruDict

# How long a refusal is remembered, in seconds: permissions may change.
REMEMBERED = 3600.0

# How many channels are remembered.
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
        """Return whether to try to attach a file in `channel`."""
        return self._until.get(channel, float("-inf")) < self._clock()
