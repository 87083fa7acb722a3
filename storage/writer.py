"""Writes to the database in one thread, which commits waiting changes as a group.

The thread also runs the reads for which a turn waits: its connection has just written
those pages, while a read-only connection must read them again after each commit.

Rule 1: only this thread uses the connection, so no transaction spans an await.
Rule 2: a call returns only after the commit that made its change durable, unless it
does not wait for the disk. A power cut may then undo its change, but only together with
all later ones. A killed process loses no change.
Rule 3: a change that fails affects neither the others in its group nor the thread.
Rule 4: the number of waiting changes is bounded. Another change is rejected at once and
nothing of it is written, so nobody is told that it is durable.
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
from bot.messages import storage as messages
from bot.runtime.allowance import Allowance
from storage import passages
from storage.errors import translate

log = logging.getLogger(__name__)

T = TypeVar("T")

#: Runs inside the transaction. May run twice, with the first run rolled back, so it
#: must have no effect outside the database.
Change = Callable[[Database], T]

# The most changes in one commit. The cost of an fsync is negligible among 500; more
# changes would delay the first of them.
GROUP = 500

# The most waiting changes, each of which may contain the text of a message or an
# answer. This is twenty groups: a disk that is so far behind does not catch up.
MOST_WAITING = 10_000


@dataclass(slots=True)
class _Item:
    change: Change[Any]
    future: asyncio.Future[Any]
    waits: bool = True
    #: Whether the item only reads.
    reads: bool = False
    result: Any = None
    error: Exception | None = None


class Writer:
    """Runs changes for the event loop in which it was created.

    `settle` completes each change, in the same transaction.
    """

    def __init__(
        self,
        db: Database,
        settle: Callable[[Database], None] | None = None,
        *,
        most: int = MOST_WAITING,
    ) -> None:
        self._db = db
        self._settle = settle
        self._loop = asyncio.get_running_loop()
        # The allowance bounds it. A bounded queue would block the event loop.
        self._queue: SimpleQueue[_Item | None] = SimpleQueue()
        self._allowance = Allowance(most)
        self._closed = False
        #: Whether commits now wait for the disk, as they do on a newly opened
        #: connection.
        self._waits = True
        # A daemon thread: a program that exits without closing must not hang.
        self._thread = Thread(target=self._run, name="storage-writer", daemon=True)
        self._thread.start()

    async def write(self, change: Change[T], *, waits: bool = True) -> T:
        """Run `change` in a transaction and return its result once the commit is
        durable.

        Without `waits`, the commit does not wait for the disk: the change becomes
        durable with the next one that waits. Raises the exceptions of `change`,
        StorageError for errors of SQLite, and StorageBusy if too many changes wait;
        then nothing was written. If the caller is cancelled, the change is still made.
        """
        return await self._put(change, waits=waits)

    async def read(self, query: Callable[[Database], T]) -> T:
        """Return the result of `query`, which changes nothing.

        It sees all changes whose results were returned. Raises as `write`.
        """
        return await self._put(query, waits=False, reads=True)

    def close(self) -> None:
        """Commit the waiting changes, then close the connection. Blocks until then."""
        self._closed = True
        self._queue.put(None)
        self._thread.join()

    def _put(
        self, change: Change[T], *, waits: bool, reads: bool = False
    ) -> asyncio.Future[T]:
        if self._closed:
            raise StorageError(messages.CLOSED)
        if not self._allowance.take():
            raise crowded_error("storage.writes_refused", self._allowance)
        future: asyncio.Future[T] = self._loop.create_future()
        self._queue.put(_Item(change, future, waits, reads))
        return future

    def _run(self) -> None:
        while group := self._wait():
            try:
                self._commit(group)
            except Exception as error:
                # The callers get the error, as in `_try`, and the thread continues.
                passages.rolled_back(self._db)
                for item in group:
                    item.error = item.error or error
            # The event loop may be closed already. The thread continues.
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._resolve, group)
        with suppress(sqlite3.Error):
            self._db.execute("PRAGMA optimize")
        self._db.close()

    def _resolve(self, group: list[_Item]) -> None:
        """Resolve the futures of `group`. Runs in the event loop."""
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
        """Return the next group, in order of arrival. Empty after `close`."""
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
            # Re-queue the sentinel for the next call.
            self._queue.put(None)
        return group

    def _commit(self, group: list[_Item]) -> None:
        """Commit `group` as far as possible, and set the result or error of each
        item."""
        try:
            # A transaction is open only if the last rollback failed.
            self._db.rollback()
            if all(item.reads for item in group):
                self._db.execute("BEGIN")
            else:
                self._set_waiting(any(item.waits for item in group))
                self._db.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:
            for item in group:
                item.error = translate(error)
            return
        try:
            for item in group:
                self._try(item)
            # Not db.commit(), which does not report that the transaction is gone.
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            with suppress(sqlite3.Error):
                self._db.rollback()
            passages.rolled_back(self._db)
            if len(group) == 1:
                group[0].error = translate(error)
                return
            # One failure rolled back the whole group: commit each item alone.
            for item in group:
                self._commit([item])

    def _set_waiting(self, waits: bool) -> None:
        """Make the next commit wait for the disk, or not.

        A commit that waits covers all commits before it. SQLite accepts this pragma
        only outside a transaction.
        """
        if waits != self._waits:
            self._db.execute(f"PRAGMA synchronous = {'FULL' if waits else 'NORMAL'}")
            self._waits = waits

    def _try(self, item: _Item) -> None:
        """Run one change and roll it back if it fails.

        Raises sqlite3.Error if the failure rolled back the whole transaction.
        """
        item.result = item.error = None
        try:
            if item.reads:
                item.result = item.change(self._db)
                return
            with passages.savepoint(self._db):
                item.result = item.change(self._db)
                if self._settle is not None:
                    self._settle(self._db)
        except (sqlite3.Error, UnicodeError) as error:
            item.error = translate(error)
            # Some errors, such as a full disk, make SQLite roll back the transaction.
            if not self._db.conn.in_transaction:
                raise
        except Exception as error:
            # The caller gets any error: if the error ended the thread, all other
            # callers would wait for ever.
            item.error = error


def crowded_error(event: str, allowance: Allowance) -> StorageBusy:
    """Return the error for a rejected call, and log `event` for the first in a row."""
    if allowance.refused == 1:
        log.error("%s waiting=%d", event, allowance.used)
    return StorageBusy(messages.crowded(most=allowance.most))
