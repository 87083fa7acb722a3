"""How tables come to be, and that they are as strict as we say."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from storage.database import open_for_writing
from storage.migrations import migrate, migrations, unknown


@pytest.fixture
def db(tmp_path: Path) -> Iterator[Database]:
    with open_for_writing(tmp_path / "threadkeep.db") as opened:
        yield opened


def test_migrating_twice_is_migrating_once(db: Database) -> None:
    before = db.schema
    migrate(db)
    assert db.schema == before
    assert migrations.pending(db) == []
    assert unknown(db) == []


def test_migrations_are_numbered_and_named_for_what_they_bring(db: Database) -> None:
    names = [migration.name for migration in migrations.applied(db)]
    numbers = [re.fullmatch(r"m(\d{3})_[a-z_]+", name) for name in names]
    assert [int(number[1]) for number in numbers if number] == [
        *range(1, len(names) + 1)
    ]


def test_every_table_of_ours_is_strict_and_names_its_rows(db: Database) -> None:
    for table in db.tables:
        if not table.name.startswith(("_sqlite", "sqlite")):
            assert table.strict, table.name
            assert not table.use_rowid, table.name


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO messages (thread_id, role, author, at, text)"
        " VALUES (1, 'user', 'U1', 1.0, '')",
        "INSERT INTO replies (turn_id, part, text) VALUES (1, 0, '')",
    ],
)
def test_nothing_belongs_to_nothing(db: Database, statement: str) -> None:
    with pytest.raises(sqlite3.IntegrityError, match="FOREIGN KEY"):
        db.execute(statement)


async def test_those_who_start_at_once_all_find_the_tables(tmp_path: Path) -> None:
    def start() -> int:
        db = open_for_writing(tmp_path / "new.db")
        tables = len(db.table_names())
        db.close()
        return tables

    counts = await asyncio.gather(*(asyncio.to_thread(start) for _ in range(6)))
    assert len(set(counts)) == 1


def test_a_migration_that_fails_leaves_nothing_behind(db: Database) -> None:
    db.execute("DELETE FROM _sqlite_migrations")
    before = db.schema
    # The tables are there already, so the first migration fails half way.
    db.execute("DROP TABLE threads")
    with pytest.raises(sqlite3.OperationalError, match="already exists"):
        migrate(db)
    assert not db.conn.in_transaction
    assert "threads" not in db.table_names()
    assert migrations.applied(db) == []
    assert before != db.schema
