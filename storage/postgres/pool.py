"""Threads that read and write, each with a connection of its own.

Rule 1: a connection is used by one thread, so no transaction spans an await.
Rule 2: a call returns only after the commit that made its change durable.
Rule 3: a transaction that fails because of others is retried here: after a deadlock, or
if the connection breaks before the commit. If the connection breaks during the commit,
nobody knows whether the commit happened, and the caller gets an error.
Rule 4: the number of waiting calls is bounded. Another call is rejected at once.
"""

import asyncio
import logging
import random
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Generic, TypeVar

import psycopg

from bot.errors import StorageError
from bot.messages import storage as messages
from bot.runtime.allowance import Allowance
from storage.postgres.connection import Connection
from storage.postgres.errors import (
    is_lost,
    is_read_only,
    is_transient,
    is_unprepared,
    translate,
)
from storage.writer import MOST_WAITING, crowded_error

log = logging.getLogger(__name__)

T = TypeVar("T")

#: The numbers of threads in a pool, and so the most connections.
WRITERS, READERS = 4, 2

#: Delay between a change and the run of `fill` that covers it, in seconds. One run
#: covers all changes in this time.
FILL_SECONDS = 1.0

#: The most attempts at a transaction that others make fail.
TRIES = 8

# The first and the longest pause before a retry, in seconds. Each is twice the last.
_PAUSE, _LONGEST_PAUSE = 0.005, 0.5

READ = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
WRITE = "BEGIN"
# Applies until the end of the transaction.
NO_WAIT = "SELECT set_config('synchronous_commit', 'off', true)"


class Pool:
    """Runs transactions for the event loop in a few threads, which connect on first
    use.

    `settle` completes each change that removes texts, in the same transaction. `fill`
    runs some time after changes that add texts, until it returns 0.
    """

    def __init__(
        self,
        connect: Callable[[], Connection],
        settle: Callable[[Connection], None] | None = None,
        fill: Callable[[Connection], int] | None = None,
        *,
        writers: int = WRITERS,
        readers: int = READERS,
        most: int = MOST_WAITING,
    ) -> None:
        self._settle = settle
        self._fill = fill
        #: The event loop in which `fill` is scheduled or running.
        self._filling_in: asyncio.AbstractEventLoop | None = None
        self._writers = _Threads(connect, writers, "storage-writer", WRITE, most)
        self._readers = _Threads(connect, readers, "storage-reader", READ, most)
        # Reports may read whole tables. No turn waits for them.
        self._reports = _Threads(connect, 1, "storage-report", READ, most)

    async def write(
        self, change: Callable[[Connection], T], *, waits: bool = True
    ) -> T:
        """Run `change` in a transaction and return its result once the commit is
        durable.

        Without `waits`, the commit does not wait for the disk: a server that loses
        power may lose the change, but only together with all later ones.

        `change` may run several times, so it must have no effect outside the database.
        Raises the exceptions of `change`, StorageError for errors of PostgreSQL, and
        StorageBusy if too many changes wait. If the caller is cancelled, the change is
        still made.
        """

        def work(db: Connection) -> tuple[T, bool]:
            db.adds = db.takes_away = False
            if not waits:
                db.execute(NO_WAIT)
            made = change(db)
            if self._settle is not None and db.takes_away:
                self._settle(db)
            return made, db.adds

        made, adds = await asyncio.shield(self._writers.run(work))
        if adds:
            self._fill_soon()
        return made

    async def read(self, query: Callable[[Connection], T]) -> T:
        """Return the result of `query`, which sees one committed state.

        The result must not refer to the connection. Raises StorageError, or StorageBusy
        if too many reads wait.
        """
        return await self._readers.run(query)

    async def report(self, query: Callable[[Connection], T]) -> T:
        """Return the result of `query`, which may take seconds. Raises as `read`."""
        return await self._reports.run(query)

    def _fill_soon(self) -> None:
        """Schedule `fill`, unless it is scheduled or running."""
        loop = asyncio.get_running_loop()
        if self._fill is not None and self._filling_in is not loop:
            self._filling_in = loop
            loop.call_later(FILL_SECONDS, self._fill_now, self._fill)

    def _fill_now(self, fill: Callable[[Connection], int]) -> None:
        # If filling fails here, the next change or the deletion of expired rows fills
        # the index.
        try:
            self._writers.run(fill).add_done_callback(self._on_filled)
        except StorageError:
            self._filling_in = None

    def _on_filled(self, filling: "asyncio.Future[int]") -> None:
        self._filling_in = None
        if not filling.cancelled() and filling.exception() is None and filling.result():
            self._fill_soon()

    def close(self) -> None:
        """Run the waiting transactions, then close the connections. Blocks until
        then."""
        for threads in (self._writers, self._readers, self._reports):
            threads.close()


class _Threads:
    """A few threads with a connection each, and the transactions waiting for one."""

    def __init__(
        self,
        connect: Callable[[], Connection],
        count: int,
        name: str,
        begin: str,
        most: int,
    ) -> None:
        self._connect = connect
        self._name = name
        self._begin = begin
        self._allowance = Allowance(most)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix=name)
        self._own = threading.local()
        # The connections of all threads, for `close`.
        self._open: dict[int, Connection] = {}
        self._closed = False

    def run(self, work: Callable[[Connection], T]) -> "asyncio.Future[T]":
        """Return the future result of `work` in a transaction."""
        if self._closed:
            raise StorageError(messages.CLOSED)
        if not self._allowance.take():
            raise crowded_error(
                f"{self._name.replace('-', '.')}_refused", self._allowance
            )
        answer: _Answer[T] = _Answer()
        self._threads.submit(self._run, work, answer)
        answer.future.add_done_callback(self._on_answer)
        return answer.future

    def close(self) -> None:
        self._closed = True
        self._threads.shutdown()
        for connection in self._open.values():
            connection.close()

    def _on_answer(self, _: object) -> None:
        if refused := self._allowance.give():
            log.info("storage.taken_again kind=%s refused=%d", self._name, refused)

    def _run(self, work: Callable[[Connection], T], answer: "_Answer[T]") -> None:
        try:
            for left in reversed(range(TRIES)):
                try:
                    return self._transaction(work, answer)
                except _RolledBack as again:
                    if not left:
                        raise translate(again.error) from None
                    code = again.error.sqlstate
                    log.info("storage.again code=%s left=%d", code, left)
                    time.sleep(_pause(TRIES - 1 - left))
        except Exception as error:
            answer.fail(error)

    def _transaction(
        self, work: Callable[[Connection], T], answer: "_Answer[T]"
    ) -> None:
        """Run `work` in a transaction and resolve `answer` once it is committed.

        Raises _Again if a retry may succeed, and StorageError.
        """
        try:
            db = self._connection()
        except psycopg.Error as error:
            raise translate(error) from None
        ends = False
        try:
            with db.pipelined():
                waits = db.waits
                db.execute(self._begin)
                made = work(db)
                if self._begin == READ:
                    # Nobody needs to wait for the end of a read.
                    answer.give(made)
                elif db.waits == waits:
                    # A broken connection is detected before the commit.
                    db.synchronise()
                ends = True
                db.execute("COMMIT")
            answer.give(made)
        except psycopg.Error as error:
            lost = is_lost(error) or (self._begin == WRITE and is_read_only(error))
            # The server committed nothing if it did not know the COMMIT statement.
            undone = is_transient(error) or is_unprepared(error)
            if lost or is_unprepared(error):
                db.close()
            if undone or (lost and not ends):
                raise _RolledBack(error) from None
            raise translate(error) from None
        except UnicodeError as error:
            raise translate(error) from None
        finally:
            if db.is_lost:
                self._forget()
            elif db.in_transaction:
                with suppress(psycopg.Error):
                    db.execute("ROLLBACK")

    def _connection(self) -> Connection:
        db: Connection | None = getattr(self._own, "db", None)
        if db is None:
            self._own.db = db = self._connect()
            self._open[threading.get_ident()] = db
        return db

    def _forget(self) -> None:
        """Close the connection, so that the next transaction of this thread
        reconnects."""
        self._own.db.close()
        self._own.db = None
        self._open.pop(threading.get_ident(), None)


class _Answer(Generic[T]):
    """The future result of work in another thread, resolved once."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.future: asyncio.Future[T] = self._loop.create_future()

    def give(self, result: T) -> None:
        """Resolve the future with `result`, unless it is done."""
        self._tell(partial(self._give, result))

    def fail(self, error: Exception) -> None:
        """Resolve the future with `error`, unless it is done."""
        self._tell(partial(self._fail, error))

    def _tell(self, resolve: Callable[[], None]) -> None:
        # The event loop may be closed already. The thread continues.
        with suppress(RuntimeError):
            self._loop.call_soon_threadsafe(resolve)

    def _give(self, result: T) -> None:
        if not self.future.done():
            self.future.set_result(result)

    def _fail(self, error: Exception) -> None:
        if not self.future.done():
            self.future.set_exception(error)


class _RolledBack(Exception):
    """The transaction was rolled back because of others."""

    def __init__(self, error: psycopg.Error) -> None:
        super().__init__()
        self.error = error


def _pause(tries: int) -> float:
    """Return the pause before the next attempt after `tries` attempts, in seconds."""
    return random.uniform(0.5, 1.0) * min(_LONGEST_PAUSE, _PAUSE * 2.0**tries)
