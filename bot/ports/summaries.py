"""The port of the store for summaries of threads.

Rule: a summary is stored, and some time later the first turn that begins uses it, in
the transaction that stores what this turn reads. From then on it replaces the turns
that it covers. One whose covered messages people edit or delete is deleted in the same
transaction, and so are those that were made from it.

Each method is one transaction, is durable on return, and may raise StorageError.
"""

from collections.abc import Sequence
from typing import Protocol

from bot.domain.scope import ThreadKey
from bot.domain.summary import ReadTurn, Summary


class SummaryStore(Protocol):
    """The summaries of threads."""

    async def read_turns(self, thread: ThreadKey) -> list[ReadTurn]:
        """Return what `PromptStore.conversation` returns, by turn, oldest first; a
        summary that is used is the first. Empty while a summary waits for the turn
        that is to use it."""
        ...

    async def store_summary(
        self, thread: ThreadKey, covered: Sequence[ReadTurn], summary: Summary
    ) -> bool:
        """Store `summary`, which was made from `covered`; return False, and store
        nothing, unless the conversation still begins with exactly that and no other
        summary waits."""
        ...

    async def summary(self, thread: ThreadKey, turn: str = "") -> Summary | None:
        """Return the summary that the turn with the key `turn` was the first to use,
        or with "" the newest of `thread`; None if there is none (left)."""
        ...
