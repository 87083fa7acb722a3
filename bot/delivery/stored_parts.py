"""The messages of one reply as the store knows them."""

import contextlib
import logging
import time
from collections.abc import Callable
from functools import partial

from bot.delivery.write_request import WriteRequest
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.reply import Part, PostedPart
from bot.domain.turn import Turn
from bot.errors import DeliveryError, StorageError
from bot.ports.platform import Surface
from bot.ports.store import ReplyStore
from bot.runtime import fencing
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)

# Seconds for which the store's word that the thread is ours is good: a process that is
# frozen and cut off may be taken for dead after that, and another writes there.
FRESH = 0.5

# Times in a row that the store is asked again: if it is slow all the time, its last
# word has to do.
MOST_QUESTIONS = 3


class StoredParts:
    """Stores the messages of the reply to `turn`, each time with the answer so far and
    the line above it. Where several processes write, each write is asked of the rates
    that they share, in the transaction that stores it."""

    def __init__(
        self,
        turn: Turn,
        store: ReplyStore,
        now: Callable[[], float],
        scheduler: WriteScheduler,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        #: When the store was asked last, and what it was given to store.
        self._asked_at = float("-inf")
        self._asked: tuple[PostedPart | None, str, str] = (None, "", "")
        self._turn = turn
        self._store = store
        self._now = now
        self._scheduler = scheduler
        #: Posted parts that could not be stored, by index.
        self._unstored: dict[int, PostedPart] = {}

    async def prepare(
        self,
        part: Part,
        message: str | None,
        request: WriteRequest,
        text: str,
        head: str,
    ) -> bool:
        """Store that `message` is about to read `part`, or, without a message, that it
        is about to be posted: the post may become visible even if this process ends
        before it returns. Return False if other processes come first, and nothing is to
        be written now. Raises StorageError for a post, and ThreadLost."""
        self._asked_at = self._clock()
        asks = self._scheduler.asks(request)
        is_known = message is not None and part.index not in self._unstored
        grows = is_known and not part.final
        shown = None if grows else _posted(part, message)
        self._asked = (shown, text, head)
        try:
            states = await self._store.store_part(
                self._turn, shown, text, self._now(), head, asks
            )
        except StorageError as error:
            if message is None:
                raise
            self._warn(error)
            self._unstored[part.index] = _posted(part, message)
            return self._scheduler.settle(request, None)
        may_write = self._scheduler.settle(request, states)
        if may_write:
            self._unstored.pop(part.index, None)
        return may_write

    def guard(self) -> contextlib.AbstractContextManager[None]:
        """Return a block in which each call to the platform raises ThreadLost instead
        if another process has taken the thread since `prepare`."""
        return fencing.checked_by(self.confirm)

    async def confirm(self) -> None:
        """Ask the store again if what it said is too old to go by. Raises
        ThreadLost."""
        for _ in range(MOST_QUESTIONS):
            if self._clock() - self._asked_at <= FRESH:
                return
            # The answer is as old as the question: this process may be frozen between.
            began = self._clock()
            shown, text, head = self._asked
            try:
                await self._store.store_part(self._turn, shown, text, self._now(), head)
            except StorageError as error:
                self._warn(error)
                return
            self._asked_at = began

    async def record(self, part: Part, message: str, text: str, head: str) -> None:
        """Store that `part` was posted as `message`, now or, at the latest, with
        `settle`."""
        shown = _posted(part, message)
        try:
            await self._store.store_part(self._turn, shown, text, self._now(), head)
        except StorageError as error:
            self._warn(error)
            self._unstored[part.index] = shown

    async def settle(self, text: str, head: str) -> None:
        """Store what was written while the store was away: an answer whose message
        nobody knows could not be rated, continued or taken back. Raises
        StorageRejected."""
        while self._unstored:
            _, shown = self._unstored.popitem()
            now, store = self._now(), self._store.store_part
            attempt = partial(store, self._turn, shown, text, now, head)
            await retry_until_success(attempt)

    async def back_off(self, request: WriteRequest, seconds: float) -> None:
        """Have nobody write for `seconds`, as the platform demands after `request`."""
        closed = self._scheduler.back_off(request, seconds)
        if closed is None:
            return
        try:
            await self._store.close_rate(*closed, seconds)
        except StorageError as error:
            # Others learn it from the platform.
            log.warning("reply.unsaid thread=%s %s", self._turn.thread, error)

    async def remove(self, surface: Surface, index: int) -> None:
        """Delete message `index`, which is no longer part of the reply."""
        try:
            if deletions := surface.deletions:
                await deletions.remove(index)
            self._unstored.pop(index, None)
            await self._store.forget_part(self._turn, index)
        except (DeliveryError, StorageError) as error:
            # A superfluous message is better than a turn that never ends.
            log.warning("reply.leftover thread=%s %s", self._turn.thread, error)

    def _warn(self, error: StorageError) -> None:
        # The text is visible all the same, and is stored with the outcome.
        log.warning("reply.unsaved thread=%s %s", self._turn.thread, error)


def _posted(part: Part, message: str | None) -> PostedPart:
    """Return what is stored of `part`: its text once that is final. Until then it is
    stored with the answer."""
    return PostedPart(part.index, message, part.text if part.final else "")
