"""Tables that no file holds."""

import sqlite3
from functools import cache

from sqlite_utils import Database

from storage.migrations import migrate


@cache
def _template() -> Database:
    """Tables as migrations make them, made once."""
    db = _connected()
    migrate(db)
    return db


def empty_tables() -> Database:
    """A database in memory with all of our tables, and nothing in them."""
    db = _connected()
    _template().conn.backup(db.conn)
    return db


def _connected() -> Database:
    connection = sqlite3.connect(
        ":memory:", isolation_level=None, check_same_thread=False
    )
    connection.row_factory = sqlite3.Row
    return Database(connection, recursive_triggers=False, execute_plugins=False)
