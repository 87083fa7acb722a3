"""The store's port for receipts: the inputs of an answer, and its cost.

`PromptStore.store_prompt` and `TurnStore.finish_turn` store the content of a receipt
with the turn. Each method is one transaction, and may raise StorageError.
"""

from typing import Protocol

from bot.domain.receipt import AnswerSummary, Receipt
from bot.domain.scope import Scope, ThreadKey


class ReceiptStore(Protocol):
    """The receipts of answers."""

    async def receipt(self, thread: ThreadKey, turn: str) -> Receipt | None:
        """Return the receipt of the turn of `thread` with the key `turn`, or None."""
        ...

    async def answers(self, thread: ThreadKey, most: int) -> list[AnswerSummary]:
        """Return the newest `most` ended turns of `thread`, newest first.

        Answers that a retry replaced are included.
        """
        ...

    async def turn_of_message(
        self, place: Scope, message: str
    ) -> tuple[ThreadKey, str] | None:
        """Return the thread and the turn key of the answer that `message` belongs to.

        `message` is a platform message: a part of the answer, or the question. It is
        looked up in the workspace of `place`, preferably in its channel. None if no
        answer is found.
        """
        ...
