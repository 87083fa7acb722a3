"""The contents of a database of ours, read with the same statements from a SQLite file
and from a PostgreSQL server."""

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from storage.connection import Connection
from storage.postgres import connection as server
from storage.reading import Where

#: The tables that every verb writes to which stores a part of a conversation.
WRITTEN = ("threads", "turns", "messages", "replies")


class _File:
    """A SQLite file, read and written beside the process that has it open."""

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
    """Yield a connection to the database `at`, whose statements are transactions of
    their own. Raises sqlite3.Error and psycopg.Error."""
    db = _File(at) if isinstance(at, Path) else server.Connection(at.url)
    with contextlib.closing(db):
        yield db


def damage(db: Connection) -> Iterator[str]:
    """Yield a sentence for each thing that is broken in the database itself. A server
    looks after its own."""
    if isinstance(db, _File):
        for row in db.execute("PRAGMA integrity_check"):
            if row[0] != "ok":
                yield f"the database is damaged: {row[0]}"
        for row in db.execute("PRAGMA foreign_key_check"):
            yield f"a row of {row[0]} refers to nothing"


@contextlib.contextmanager
def locked(db: Connection) -> Iterator[None]:
    """Keep everybody else from writing."""
    is_file = isinstance(db, _File)
    db.execute("BEGIN IMMEDIATE" if is_file else "BEGIN")
    if not is_file:
        db.execute(f"LOCK TABLE {', '.join(WRITTEN)} IN EXCLUSIVE MODE")
    yield
    db.execute("ROLLBACK")
