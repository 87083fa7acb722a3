"""Migrations create the tables, once and in order; tables are strict."""

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.domain.completion import ChatMessage
from bot.domain.scope import ThreadKey
from bot.domain.turn import TurnMessage, TurnState
from storage.database import open_for_writing, unknown
from storage.migrations import migrate, migrations
from storage.opening import open_store
from storage.step_marks import is_additive
from tests.support.store_helpers import done, exchange, following, repeated, said

STORAGE = Path(__file__).parents[2] / "storage"
COUNTING = re.compile(r"INSERT(?: OR \w+)? INTO (\w+)\s+(?:VALUES|SELECT)")


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
    found = [re.fullmatch(r"m(\d{3})_[a-z_]+", name) for name in names]
    numbers = [int(number[1]) for number in found if number]
    assert len(numbers) == len(names)
    # Two that were written side by side may leave a number out.
    assert numbers == sorted(set(numbers))


def test_each_migration_is_additive_unless_its_name_says_otherwise() -> None:
    """It takes nothing away, and requires nothing that an older process leaves out, or
    it is marked."""
    with Database(memory=True) as db:
        names = [each.name for each in migrations.pending(db)]
        before = columns(db)
        for name, following in zip(names, [*names[1:], None], strict=True):
            migrations.apply(db, stop_before=following)
            after = columns(db)
            tables = {table for table, _ in before}
            added = {
                place: facts for place, facts in after.items() if place not in before
            }
            if is_additive(name):
                assert before.items() <= after.items(), name
                for (table, column), (_, required, default) in added.items():
                    assert table not in tables or not required or default, column
            before = after


def test_no_statement_counts_columns() -> None:
    """SQLite refuses a row with fewer values than the table has columns: an older
    process could not insert any more."""
    found = []
    for path in STORAGE.rglob("*.py"):
        found += COUNTING.findall(path.read_text())
    # Those of triggers and migrations, which are in the database itself; and the
    # archive of bulk triage, which is a file of one version.
    assert sorted(set(found)) == ["rows", "search_added"]


def columns(db: Database) -> dict[tuple[str, str], tuple[str, bool, str | None]]:
    """Return the type of each column, whether it is required, and its default."""
    return {
        (table.name, each.name): (each.type, bool(each.notnull), each.default_value)
        for table in db.tables
        for each in table.columns
    }


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


# What is in a database of the first version


FIRST = """
    INSERT INTO threads
        (id, platform, workspace, channel, thread, follows, unread, created_at)
    VALUES (1, 'slack', 'T1', 'C1', '1.0', 1, 0, 1.0),
           (2, 'slack', 'T1', 'C1', '2.0', 0, 1, 2.0);
    INSERT INTO turns
        (id, thread_id, key, state, touched, asked_at, created_at, preface, text)
    VALUES (1, 1, 'a', 'delivered', 9.0, 1.0, 1.0, 'Monday.', 'One.'),
           (2, 2, 'b', 'waiting', 2.0, 2.0, 2.0, NULL, '');
    INSERT INTO messages
        (thread_id, turn_id, message, role, author, at, place, text, content)
    VALUES (1, 1, '1', 'user', 'U1', 1.0, 1, 'one?', 'ONE?'),
           (1, 1, NULL, 'assistant', '', 1.0, 2, '', 'One.'),
           (2, 2, '2', 'user', 'U1', 2.0, NULL, 'text of 2', NULL),
           (2, NULL, '3', 'user', 'U1', 3.0, NULL, 'text of 3', NULL);
    INSERT INTO replies (turn_id, part, message, text) VALUES (1, 0, 'm', 'One.');
"""
DONE = ThreadKey("slack", "T1", "C1", "1.0")
OPEN = ThreadKey("slack", "T1", "C1", "2.0")


@pytest.fixture
def first(tmp_path: Path) -> Path:
    """A database as the first version left it: a thread that is done, an open one."""
    path = tmp_path / "first.db"
    with Database(path) as db:
        migrations.apply(db, stop_before="m002_corrections")
        db.executescript(FIRST)
    return path


async def test_what_the_first_version_left_open_is_answered(first: Path) -> None:
    async with open_store(first) as store:
        assert await store.open_threads() == [OPEN]
        turn = await following(store, OPEN)
        assert (turn.state, turn.begins) == (TurnState.WAITING, False)
        assert await store.begin_turn(turn, 10.0) == [
            TurnMessage(said("2", at=2.0, thread=OPEN, addressed=False)),
            TurnMessage(said("3", at=3.0, thread=OPEN, addressed=False)),
        ]


async def test_what_the_first_version_kept_can_be_read_and_changed(
    first: Path,
) -> None:
    read = [ChatMessage("user", "Monday.\nONE?"), ChatMessage("assistant", "One.")]
    async with open_store(first) as store:
        assert await store.conversation(DONE) == read
        await store.edit_message(said("1", thread=DONE, text="1?"), "1?", 10.0)
        assert await repeated(store, 11.0, DONE) is True
        assert await store.conversation(DONE) == [ChatMessage("user", "Monday.\n1?")]
        again = await following(store, DONE)
        assert [each.content for each in await store.begin_turn(again, 12.0)] == ["1?"]
        await store.delete_messages("slack", "T1", ["1"], "C1", 13.0)
        assert await store.begin_turn(again, 14.0) == []
        await store.finish_turn(again, done(""), 15.0)
        await store.mark_delivered(again, 15.0)
        assert await store.reset_context(DONE) is True
        assert await store.conversation(DONE) == []
        await exchange(store, said("4", at=4.0, thread=DONE), "Four.")
        assert len(await store.conversation(DONE)) == 2
