"""The store's port for summaries of threads.

Rule: a summary is stored first. The next turn that begins uses it, in the transaction
that stores what the turn reads. From then on, the summary replaces the turns that it
covers. If people edit or delete a covered message, the summary is deleted in the same
transaction, together with all summaries made from it.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.scope import ThreadKey
from bot.domain.summary import ReadTurn, Summary


class SummaryStore(Protocol):
    """The summaries of threads."""

    async def read_turns(self, thread: ThreadKey) -> list[ReadTurn]:
        """Return the content of `PromptStore.conversation` by turn, oldest first.

        A summary in use comes first. Empty while a new summary waits for the turn that
        will use it.
        """
        ...

    async def store_summary(
        self, thread: ThreadKey, covered: Sequence[ReadTurn], summary: Summary
    ) -> bool:
        """Store `summary`, which was made from `covered`.

        Returns False, and stores nothing, unless the conversation still begins with
        exactly `covered` and no other summary waits.
        """
        ...

    async def summary(self, thread: ThreadKey, turn: str = "") -> Summary | None:
        """Return the summary that the turn with the key `turn` was the first to use.

        "" as `turn` means the newest summary of `thread`. None if there is none (left).
        """
        ...
