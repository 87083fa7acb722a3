"""The SQLite store on one file for all contract tests of a process.

Opening a file and compiling the store's statements for three connections takes 12 ms of
processor time, more than most of these tests. So the connections are kept. The
product's threads that use them end with each test.
"""

import gc
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from functools import cache, partial
from pathlib import Path

from sqlite_utils import Database

from storage import leases, search_index
from storage.database import (
    empty_log,
    open_beside_to_write,
    open_for_reading,
    open_for_writing,
)
from storage.reader import Reader
from storage.store import DatabaseStore
from storage.writer import Writer


class _Kept(Database):
    """A connection that outlives the thread that uses it."""

    def close(self) -> None:
        """Stay open, for the next test."""


@asynccontextmanager
async def opened(path: Path, owner: str) -> AsyncIterator[DatabaseStore]:
    """Yield the store at `path`, a file of this process, with empty tables."""
    writing, reading, reporting, emptying = _connections(path)
    with emptying.atomic():
        _empty(emptying)
        leases.enter_alone(emptying, owner, 0.0)
    _leave_snapshot(writing)
    with (
        closing(Writer(writing, search_index.settle)) as writer,
        closing(Reader(reading)) as reader,
        closing(Reader(reporting)) as reports,
    ):
        yield DatabaseStore(
            *(reader.read, writer.write, reports.read, writer.read),
            clock=time.time,
            owner=owner,
            tidy=partial(empty_log, path),
        )


@cache
def _connections(path: Path) -> tuple[_Kept, _Kept, _Kept, _Kept]:
    """Return one connection for writing, two for reading, and one for emptying the
    file. Emptying so many tables would evict the compiled statements of the first."""
    return (
        _kept(open_for_writing(path)),
        _kept(open_for_reading(path)),
        _kept(open_for_reading(path)),
        _kept(open_beside_to_write(path)),
    )


def _kept(db: Database) -> _Kept:
    return _Kept(db.conn, recursive_triggers=False, execute_plugins=False)


def _leave_snapshot(db: Database) -> None:
    """Make `db` see the writes of another connection. An error that a test caught may
    still hold a cursor, and with it an old snapshot."""
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        gc.collect()
    else:
        db.rollback()


def _empty(db: Database) -> None:
    """Delete all rows of all tables except the record of migrations."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    # Triggers add rows to some tables for rows deleted from others.
    while filled := db.execute(_filled(db)).fetchall():
        for (name,) in filled:
            db.execute(f'DELETE FROM "{name}"')


@cache
def _filled(db: Database) -> str:
    """Return the query for the names of the tables that have rows. Deleting from each
    takes five times as long as asking which have some."""
    return " UNION ALL ".join(
        f"SELECT '{name}' WHERE EXISTS (SELECT 1 FROM \"{name}\")"
        for name in db.table_names()
        if not name.startswith("_")
    )
