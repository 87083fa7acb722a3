"""The store's port for receipts: what an answer was made from, and what it cost.

What a receipt says is stored with the turn, by `PromptStore.store_prompt` and
`TurnStore.finish_turn`. Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.receipt import AnswerSummary, Receipt
from bot.domain.scope import Scope, ThreadKey


class ReceiptStore(Protocol):
    """The receipts of answers."""

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        """Return the receipt of the turn of `thread` with the key `turn`; None if there
        is none."""
        ...

    async def answers(self, thread: ThreadKey, most: int) -> list[AnswerSummary]:
        """Return the newest `most` turns of `thread` that have ended, the newest
        first. What a repeated answer replaced counts."""
        ...

    async def turn_of_message(
        self, place: Scope, message: str
    ) -> tuple[ThreadKey, str] | None:
        """Return the thread, and the key of the turn, of whose answer the platform's
        `message` is a part, or which answers it; in the workspace of `place`, and
        preferably in its channel. None if there is none."""
        ...
