"""The SQLite store on a database in memory, for tests that need no file. New database
files become copies of a migrated database instead of being migrated."""

import contextlib
import sqlite3
import time
from collections.abc import Callable, Iterator
from functools import cache
from typing import TypeVar

from sqlite_utils import Database, Migrations

from storage import triage_runs
from storage.errors import translate
from storage.migrations import migrate, migrations
from storage.search_index import settle
from storage.store import DatabaseStore

T = TypeVar("T")

#: The migrations of the store and of the archive of triage.
_COPIED = (migrations, triage_runs.steps)

#: How many statements a connection keeps compiled: more than the store has.
_STATEMENTS = 1_000

#: Empty databases that no store uses. Each is inside a transaction that is rolled back
#: when its store ends. So the connection keeps its schema and compiled statements,
#: which take ten times as long to make as a statement takes to run.
_idle: list[Database] = []

#: The stores made since the running test began.
_made: list["MemoryStore"] = []


class MemoryStore(DatabaseStore):
    """A `DatabaseStore` without a file, threads or a lock: each method runs its
    statements in the caller's thread, as one transaction, before it first waits."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.db = _idle.pop() if _idle else _begun()
        _made.append(self)
        super().__init__(read=self._query, write=self._change, clock=clock)

    def end(self) -> None:
        """Restore the database and release it to other stores."""
        db = self.db
        del self.db
        # A committed database cannot be rolled back, so it is dropped.
        if db.conn.in_transaction:
            db.conn.execute("ROLLBACK TO beginning")
            _idle.append(db)

    async def _run(self, work: Callable[[Database], T]) -> T:
        try:
            with _change(self.db.conn):
                return work(self.db)
        except (sqlite3.Error, UnicodeError) as error:
            raise translate(error) from error

    async def _query(self, work: Callable[[Database], T]) -> T:
        before = self.db.conn.total_changes
        found = await self._run(work)
        # A file is read on a connection that may not write.
        assert self.db.conn.total_changes == before
        return found

    async def _change(self, work: Callable[[Database], T], *, waits: bool = True) -> T:
        def change(db: Database) -> T:
            made = work(db)
            settle(db)
            return made

        return await self._run(change)


@contextlib.contextmanager
def ending() -> Iterator[None]:
    """End the stores made in the block, which is one test. Stores made earlier, for a
    whole module, stay."""
    _made.clear()
    yield
    while _made:
        _made.pop().end()


@contextlib.contextmanager
def _change(connection: sqlite3.Connection) -> Iterator[None]:
    """Undo the changes of the block if it fails. The savepoint always has the same
    name, so its statements are compiled once."""
    connection.execute("SAVEPOINT change")
    try:
        yield
    except BaseException:
        connection.execute("ROLLBACK TO change")
        raise
    finally:
        connection.execute("RELEASE change")


def prepare() -> None:
    """Migrate databases for the processes that are forked from this one."""
    for steps in _COPIED:
        _template(steps)


def migrate_new(db: Database, steps: Migrations = migrations) -> None:
    """Migrate as `migrate` does. A new database becomes a copy of a migrated one."""
    if steps in _COPIED and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
        _template(steps).conn.backup(db.conn)
        db.execute("PRAGMA foreign_keys = ON")
    else:
        migrate(db, steps)


@cache
def _template(steps: Migrations) -> Database:
    """Return the database, migrated by `steps`, that new ones are copied from."""
    db = _connected()
    migrate(db, steps)
    return db


def _begun() -> Database:
    """Return a new database in a transaction that never ends."""
    db = _connected()
    migrate_new(db)
    db.conn.execute("BEGIN")
    db.conn.execute("SAVEPOINT beginning")
    return db


def _connected() -> Database:
    connection = sqlite3.connect(
        ":memory:",
        isolation_level=None,
        check_same_thread=False,
        cached_statements=_STATEMENTS,
    )
    connection.row_factory = sqlite3.Row
    return Database(connection, recursive_triggers=False, execute_plugins=False)
