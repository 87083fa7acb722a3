"""The one thread that writes to the database, and commits what waits as a group.

Rule 1: only this thread uses the connection, so no transaction ever spans an await.
Rule 2: a caller hears of success only after the commit that made it durable.
Rule 3: an item that fails takes nothing with it, neither its neighbours in the
group nor the thread.
Rule 4: at most so many items wait. One more is refused at once, and nothing of it is
written: whoever would be told that it is safe is not told so.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, TypeVar

from sqlite_utils import Database

from bot.errors import StorageBusy, StorageError
from bot.runtime.allowance import Allowance
from storage.errors import translated

log = logging.getLogger(__name__)

T = TypeVar("T")

#: What is to be done inside the transaction. May run twice, the first time without
#: effect, so it must not act on anything but the database.
Change = Callable[[Database], T]

# The most changes in one commit. More would not be faster (one fsync among 500 is
# nothing already) and would let the first of them wait for the last.
GROUP = 500

# The most changes that wait, of which each may hold the text of a message or of an
# answer. That is twenty groups: a disk that is behind by that much is not catching up.
MOST_WAITING = 10_000


@dataclass(slots=True)
class _Item:
    change: Change[Any]
    future: asyncio.Future[Any]
    result: Any = None
    error: Exception | None = None


class Writer:
    """Takes changes from the event loop that it was made in."""

    def __init__(self, db: Database, most: int = MOST_WAITING) -> None:
        self._db = db
        self._loop = asyncio.get_running_loop()
        # Bounded by the allowance: a queue that blocks would block the event loop.
        self._queue: SimpleQueue[_Item | None] = SimpleQueue()
        self._allowance = Allowance(most)
        self._closed = False
        # A daemon, so that a program that breaks off without closing can end.
        self._thread = Thread(target=self._run, name="storage-writer", daemon=True)
        self._thread.start()

    async def write(self, change: Change[T]) -> T:
        """Do `change` in a transaction; return what it returned, once durable.

        Raises what `change` raised (StorageError for what SQLite did), or StorageBusy
        where too much waits, and then nothing of it was written. Who is cancelled
        while waiting does not hear how it went; the change is made all the same.
        """
        if self._closed:
            raise StorageError("the database is closed")
        if not self._allowance.take():
            raise crowded("storage.writes_refused", self._allowance)
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Item(change, future))
        return await future

    def close(self) -> None:
        """Commit what waits, then close the connection. Blocks until that is done."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _run(self) -> None:
        while group := self._wait():
            try:
                self._commit(group)
            except Exception as error:
                # As in `_try`: those who asked hear of it, and the next are served.
                for item in group:
                    item.error = item.error or error
            # Who would hear of it may be gone, loop and all; the next must not
            # suffer for that.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._tell, group)
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA optimize")
        self._db.close()

    def _tell(self, group: list[_Item]) -> None:
        """Give everybody of `group` their result; in the event loop."""
        if refused := self._allowance.give(len(group)):
            log.info("storage.writes_taken_again refused=%d", refused)
        for item in group:
            if item.future.done():
                if item.error is not None:
                    log.warning("storage.unheard error=%s", type(item.error).__name__)
            elif item.error is not None:
                item.future.set_exception(item.error)
            else:
                item.future.set_result(item.result)

    def _wait(self) -> list[_Item]:
        """The next group, in the order of asking; empty when there is no more."""
        group: list[_Item] = []
        item = self._queue.get()
        while item is not None:
            group.append(item)
            if len(group) == GROUP:
                return group
            try:
                item = self._queue.get_nowait()
            except Empty:
                return group
        if group:
            # Nothing comes after the end, so it can be met again.
            self._queue.put(None)
        return group

    def _commit(self, group: list[_Item]) -> None:
        """Make durable what can be of `group`; note on each item how it went."""
        try:
            # Nothing to undo, unless undoing failed the last time.
            self._db.rollback()
            self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            for item in group:
                item.error = translated(error)
            return
        try:
            for item in group:
                self._try(item)
            # Not db.commit(): it would say nothing if the transaction were gone.
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.rollback()
            if len(group) == 1:
                group[0].error = translated(error)
                return
            # Someone's failure undid the work of all. Alone, each one finds out
            # whether it was theirs.
            for item in group:
                self._commit([item])

    def _try(self, item: _Item) -> None:
        """Make one change, and undo it if it fails. Raises sqlite3.Error when that
        undid the whole transaction."""
        item.result = item.error = None
        try:
            with self._db.atomic():
                item.result = item.change(self._db)
        except (sqlite3.Error, UnicodeError) as error:
            item.error = translated(error)
            # A full disk, for one, may make SQLite roll back everything.
            if not self._db.conn.in_transaction:
                raise
        except Exception as error:
            # Whatever it is, it is for the one who asked: a thread that died of
            # it would leave everyone else waiting for ever.
            item.error = error


def crowded(event: str, allowance: Allowance) -> StorageBusy:
    """Return the error for what `allowance` refused; log `event` once a spell."""
    if allowance.refused == 1:
        log.error("%s waiting=%d", event, allowance.used)
    return StorageBusy(
        f"{allowance.most} reads or writes wait for the database, and no more may; "
        "its disk is too slow, or something holds the file"
    )
