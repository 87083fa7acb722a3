"""The messages of one reply, as the store knows them."""

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

# Seconds for which the store's confirmation that we have the thread is valid. After
# that, a process that is frozen and cut off may be taken for dead, and another process
# may write in the thread.
FRESH = 0.5

# The most questions in a row to the store. If the store is always slow, its last
# confirmation has to suffice.
MOST_QUESTIONS = 3


class StoredParts:
    """Stores the messages of the reply to `turn`, with the answer so far and its head.

    If several processes write, the transaction that stores a write also asks the shared
    rates for that write.
    """

    def __init__(
        self,
        turn: Turn,
        store: ReplyStore,
        now: Callable[[], float],
        scheduler: WriteScheduler,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock = clock
        #: When the store was last asked, and what it was asked to store.
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
        """Store that `part` is about to be written to `message`, or posted if None.

        A post may become visible even if this process ends before the call returns.
        Return False if other processes come first and nothing may be written now.
        Raises StorageError for a post, and ThreadLost.
        """
        self._asked_at = self._clock()
        asks = self._scheduler.asks(request)
        is_known = message is not None and part.index not in self._unstored
        grows = is_known and not part.final
        shown = None if grows else _posted_part(part, message)
        self._asked = (shown, text, head)
        try:
            states = await self._store.store_part(
                self._turn, shown, text, self._now(), head, asks
            )
        except StorageError as error:
            if message is None:
                raise
            self._warn(error)
            self._unstored[part.index] = _posted_part(part, message)
            return self._scheduler.settle(request, None)
        may_write = self._scheduler.settle(request, states)
        if may_write:
            self._unstored.pop(part.index, None)
        return may_write

    def guard(self) -> contextlib.AbstractContextManager[None]:
        """Return a block that checks the thread before each call to the platform.

        If another process has taken the thread since `prepare`, the call is not made
        and ThreadLost is raised.
        """
        return fencing.checked_by(self.confirm)

    async def confirm(self) -> None:
        """Ask the store again if its last confirmation is too old. Raises
        ThreadLost."""
        for _ in range(MOST_QUESTIONS):
            if self._clock() - self._asked_at <= FRESH:
                return
            # The confirmation is as old as the question: this process may freeze in
            # between.
            began = self._clock()
            shown, text, head = self._asked
            try:
                await self._store.store_part(self._turn, shown, text, self._now(), head)
            except StorageError as error:
                self._warn(error)
                return
            self._asked_at = began

    async def record(self, part: Part, message: str, text: str, head: str) -> None:
        """Store that `part` was posted as `message`: now or, at the latest, in
        `settle`."""
        shown = _posted_part(part, message)
        try:
            await self._store.store_part(self._turn, shown, text, self._now(), head)
        except StorageError as error:
            self._warn(error)
            self._unstored[part.index] = shown

    async def settle(self, text: str, head: str) -> None:
        """Store what was written while the store was unavailable.

        An answer with an unknown message could not be rated, continued or deleted.
        Raises StorageRejected.
        """
        while self._unstored:
            _, shown = self._unstored.popitem()
            now, store = self._now(), self._store.store_part
            attempt = partial(store, self._turn, shown, text, now, head)
            await retry_until_success(attempt)

    async def back_off(self, request: WriteRequest, seconds: float) -> None:
        """Stop all writes for `seconds`, as the platform demands after `request`."""
        closed = self._scheduler.back_off(request, seconds)
        if closed is None:
            return
        try:
            await self._store.close_rate(*closed, seconds)
        except StorageError as error:
            # Other processes learn it from the platform.
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
        # The text is visible nevertheless, and is stored with the outcome.
        log.warning("reply.unsaved thread=%s %s", self._turn.thread, error)


def _posted_part(part: Part, message: str | None) -> PostedPart:
    """Return the stored form of `part`, with its text only if that is final.

    Until then, the text is stored with the answer.
    """
    return PostedPart(part.index, message, part.text if part.final else "")
