"""The SQLite store on one file for all contract tests of a process.

To open a file and compile the store's statements for each of its three connections
takes 12 ms of processor time, more than most of these tests do. The connections are
kept; what runs on them is the product's, and ends with each test.
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
    """Yield the store at `path`, a file of this process, without a row."""
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
    """Return the connection that writes, two that read, and one that empties the file:
    the first would forget what it compiled for so many tables."""
    return (
        _kept(open_for_writing(path)),
        _kept(open_for_reading(path)),
        _kept(open_for_reading(path)),
        _kept(open_beside_to_write(path)),
    )


def _kept(db: Database) -> _Kept:
    return _Kept(db.conn, recursive_triggers=False, execute_plugins=False)


def _leave_snapshot(db: Database) -> None:
    """Have `db` see what another connection wrote: an error that a test caught may
    still hold a cursor, and that the state that it read."""
    try:
        db.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        gc.collect()
    else:
        db.rollback()


def _empty(db: Database) -> None:
    """Delete all rows of all tables but the record of migrations."""
    db.execute("PRAGMA defer_foreign_keys = ON")
    tables = [name for name in db.table_names() if not name.startswith("_")]
    # Twice: triggers note in some tables what went from others.
    for name in (*tables, *tables):
        db.execute(f'DELETE FROM "{name}"')
