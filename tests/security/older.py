"""Reverts migrations, for tests of them that begin with an older database."""

import sqlite3
from contextlib import closing
from pathlib import Path

_TABLES = ("erased", "holders", "case_messages", "refusals")
_INDEXES = ("idx_cases_at", "idx_threads_thread", "idx_replies_message")


def undo_m010(database: Path) -> None:
    """Take back from `database` what m010 brought, so that it runs again."""
    with closing(sqlite3.connect(database)) as db, db:
        for table in _TABLES:
            db.execute(f"DROP TABLE {table}")
        for index in _INDEXES:
            db.execute(f"DROP INDEX {index}")
        db.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm010%'")
