"""Reads a database of ours with the same statements from a SQLite file and from a
PostgreSQL server."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from storage.connection import Connection
from storage.postgres import connection as server
from storage.reading import Where

#: The tables that are locked against writes: all parts of a conversation are stored in
#: them.
WRITTEN = ("threads", "turns", "messages", "replies")


class _File:
    """A SQLite file that another process has open."""

    def __init__(self, path: Path) -> None:
        self.raw = sqlite3.connect(path, isolation_level=None)
        self.raw.row_factory = sqlite3.Row
        self.execute = self.raw.execute

    def atomic(self) -> contextlib.AbstractContextManager[object]:
        return self.raw

    def close(self) -> None:
        self.raw.close()


@contextlib.contextmanager
def opened(at: Where) -> Iterator[Connection]:
    """Yield an autocommit connection to the database `at`. Raises sqlite3.Error and
    psycopg.Error."""
    db = _File(at) if isinstance(at, Path) else server.Connection(at.url)
    with contextlib.closing(db):
        yield db


def damage(db: Connection) -> Iterator[str]:
    """Yield a sentence for each damage in a SQLite file. A server checks its own
    files."""
    if isinstance(db, _File):
        for row in db.execute("PRAGMA integrity_check"):
            if row[0] != "ok":
                yield f"the database is damaged: {row[0]}"
        for row in db.execute("PRAGMA foreign_key_check"):
            yield f"a row of {row[0]} refers to nothing"


@contextlib.contextmanager
def locked(db: Connection) -> Iterator[None]:
    """Block writes by other connections."""
    is_file = isinstance(db, _File)
    db.execute("BEGIN IMMEDIATE" if is_file else "BEGIN")
    if not is_file:
        db.execute(f"LOCK TABLE {', '.join(WRITTEN)} IN EXCLUSIVE MODE")
    yield
    db.execute("ROLLBACK")
