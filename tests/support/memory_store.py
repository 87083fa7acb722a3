"""The SQLite store on a database in memory, for tests that need no file; and new files
that are not migrated anew each time."""

import sqlite3
import time
from collections.abc import Callable
from functools import cache
from typing import TypeVar

from sqlite_utils import Database, Migrations

from storage.errors import translated
from storage.migrations import migrate, migrations
from storage.search_index import settle
from storage.store import DatabaseStore

T = TypeVar("T")


class MemoryStore(DatabaseStore):
    """A `DatabaseStore` without a file, threads or a lock: each method runs its
    statements in the caller's thread, as one transaction, before it first waits."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self.db = _connected()
        migrate_new(self.db)
        super().__init__(read=self._run, write=self._change, clock=clock)

    async def _run(self, work: Callable[[Database], T]) -> T:
        try:
            with self.db.atomic():
                return work(self.db)
        except (sqlite3.Error, UnicodeError) as error:
            raise translated(error) from error

    async def _change(self, work: Callable[[Database], T], *, waits: bool = True) -> T:
        def change(db: Database) -> T:
            made = work(db)
            settle(db)
            return made

        return await self._run(change)


def migrate_new(db: Database, steps: Migrations = migrations) -> None:
    """Do what `migrate` does; a new database becomes a copy of a migrated one."""
    if steps is migrations and not db.execute("SELECT 1 FROM sqlite_master").fetchone():
        _template().conn.backup(db.conn)
        db.execute("PRAGMA foreign_keys = ON")
    else:
        migrate(db, steps)


@cache
def _template() -> Database:
    """Return a database that was migrated once; each store begins as a copy of it."""
    db = _connected()
    migrate(db)
    return db


def _connected() -> Database:
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return Database(connection, recursive_triggers=False, execute_plugins=False)
