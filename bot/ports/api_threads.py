"""The store's port for the data that programs read over the web API.

Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.receipt import Receipt
from bot.domain.scope import Scope, ThreadKey


class ApiThreadStore(Protocol):
    """Threads and answers, in the form that programs read."""

    async def api_threads(
        self, channel: Scope, owner: str, most: int, before: int | None
    ) -> list[ApiThread]:
        """Return at most `most` threads of `channel`, newest first.

        With an `owner`, only the threads whose first message `owner` wrote; "" for all.
        With `before`, only the threads with lower numbers than `before`.
        """
        ...

    async def api_thread(self, thread: ThreadKey) -> ApiThread | None:
        """Return one thread, or None if the thread is unknown or its messages were
        deleted."""
        ...

    async def api_messages(self, thread: ThreadKey, most: int) -> list[ApiMessage]:
        """Return the newest `most` messages and answers of `thread`, oldest first.

        Deleted messages and answers replaced by a retry are left out.
        """
        ...

    async def answer_so_far(
        self, thread: ThreadKey, message: str
    ) -> AnswerSoFar | None:
        """Return the answer to `message` of `thread`, or None if the message is
        unknown, deleted or not answered."""
        ...

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        """Return the same as `ReceiptStore.receipt`."""
        ...
