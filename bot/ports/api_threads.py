"""The store's port for what programs read over the web API.

Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.api_thread import AnswerSoFar, ApiMessage, ApiThread
from bot.domain.receipt import Receipt
from bot.domain.scope import Scope, ThreadKey


class ApiThreadStore(Protocol):
    """Threads and answers, as programs read them."""

    async def api_threads(
        self, channel: Scope, owner: str, most: int, before: int | None
    ) -> list[ApiThread]:
        """Return at most `most` threads of `channel`, the newest first: those whose
        first message `owner` wrote, or all if that is ""; with lower numbers than
        `before`, unless that is None."""
        ...

    async def api_thread(self, thread: ThreadKey) -> ApiThread | None:
        """Return one thread; None if it is unknown, or if its messages were
        deleted."""
        ...

    async def api_messages(self, thread: ThreadKey, most: int) -> list[ApiMessage]:
        """Return the newest `most` messages and answers of `thread`, oldest first,
        without deleted ones and answers that a retry replaced."""
        ...

    async def answer_so_far(
        self, thread: ThreadKey, message: str
    ) -> AnswerSoFar | None:
        """Return the answer to `message` of `thread`; None if the message is unknown,
        deleted or not answered."""
        ...

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        """Return the same as `ReceiptStore.receipt`."""
        ...
