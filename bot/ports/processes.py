"""The store's port for processes that share a database: which of them has a thread."""

from typing import Protocol

from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn


class OwnedThreads(Protocol):
    """Threads, each of which at most one process answers.

    What is written for a turn, its parts, files and reserve included, raises ThreadLost
    once another process has taken the thread.
    """

    async def take_turn(self, thread: ThreadKey) -> Turn | None:
        """Return the oldest turn of `thread` that is not DELIVERED, for this process to
        answer: `thread` is its own from now on. None if there is no such turn, or if
        another process that runs has the thread."""
        ...
