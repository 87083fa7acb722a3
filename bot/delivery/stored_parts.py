"""The messages of one reply as the store knows them."""

import logging
from collections.abc import Callable

from bot.domain.reply import Part, PostedPart
from bot.domain.turn import Turn
from bot.errors import StorageError
from bot.ports.store import PartStore

log = logging.getLogger(__name__)


class StoredParts:
    """Stores the messages of the reply to `turn`, each time with the answer so far and
    the line above it."""

    def __init__(self, turn: Turn, store: PartStore, now: Callable[[], float]) -> None:
        self._turn = turn
        self._store = store
        self._now = now

    async def intend(self, part: Part, text: str, head: str) -> None:
        """Store that `part` is about to be posted: the post may become visible even if
        this process ends before it returns. Raises StorageError."""
        intent = PostedPart(part.index, None, part.text)
        await self._store.store_part(self._turn, intent, text, self._now(), head)

    async def record(self, part: Part, message: str, text: str, head: str) -> None:
        """Store what a message reads, or is about to."""
        shown = PostedPart(part.index, message, part.text)
        try:
            await self._store.store_part(self._turn, shown, text, self._now(), head)
        except StorageError as error:
            # The text is visible all the same, and is stored with the outcome.
            log.warning("reply.unsaved thread=%s %s", self._turn.thread, error)

    async def forget(self, index: int) -> None:
        """Store that message `index` was deleted. Raises StorageError."""
        await self._store.forget_part(self._turn, index)
