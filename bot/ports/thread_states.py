"""The store's port for the state from which an answer begins.

Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.scope import ThreadKey
from bot.domain.thread_state import ThreadState


class ThreadStates(Protocol):
    """The states of threads from which answers begin."""

    async def thread_state(self, thread: ThreadKey, most: int) -> ThreadState:
        """Return the state of `thread`, with the times of at most `most` of its newest
        questions."""
        ...
