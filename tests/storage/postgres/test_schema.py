"""The tables on PostgreSQL are created and migrated."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import psycopg
import pytest

from bot.errors import ConfigError
from storage.postgres.connection import Connection
from storage.postgres.lock_numbers import SCHEMA
from storage.postgres.locks import locked
from storage.postgres.schema import STEPS, Step, apply, pending
from storage.step_marks import is_additive
from tests.support.postgres import database, migrated

ADDS = Step("s900_more", "CREATE TABLE more (id bigint PRIMARY KEY)")
BREAKS = Step("s900_less_breaking", "ALTER TABLE threads DROP COLUMN unread")
FAILS = Step("s900_half", "CREATE TABLE half (id bigint); SELECT 1 / 0")


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    with closing(Connection(url)) as opened:
        yield opened


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a database with all tables."""
    with database(migrated) as made:
        yield made


@pytest.fixture
def db(url: str) -> Iterator[Connection]:
    with connected(url) as opened:
        yield opened


def tables(db: Connection) -> set[str]:
    rows = db.execute(
        "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
    )
    return {name for (name,) in rows}


def taken(db: Connection) -> list[str]:
    rows = db.execute("SELECT name FROM threadkeep_steps ORDER BY at, name")
    return [name for (name,) in rows]


def problem(of: Callable[[], object]) -> str:
    with pytest.raises(ConfigError) as caught:
        of()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def test_a_step_is_recorded_with_its_time_and_taken_once(
    db: Connection,
) -> None:
    before = db.execute("SELECT name, at FROM threadkeep_steps").fetchall()
    assert all(at is not None for _, at in before)
    apply(db)
    assert db.execute("SELECT name, at FROM threadkeep_steps").fetchall() == before
    assert pending(db) == []


def test_a_step_that_fails_leaves_nothing_behind(db: Connection) -> None:
    with pytest.raises(psycopg.errors.DivisionByZero):
        apply(db, [*STEPS, ADDS, FAILS])
    # Each step is a transaction, so the one before it stays.
    assert {"more"} == tables(db) & {"more", "half"}
    assert taken(db) == [step.name for step in (*STEPS, ADDS)]


def test_an_older_process_runs_until_a_step_is_not_additive(db: Connection) -> None:
    apply(db, [*STEPS, ADDS])
    apply(db)
    assert pending(db) == []
    apply(db, [*STEPS, ADDS, BREAKS])
    assert "upgrade" in problem(lambda: apply(db))
    assert "s900_less_breaking" in problem(lambda: pending(db))


def test_the_database_of_another_program_is_left_alone(address: str) -> None:
    with connected(address) as db:
        db.execute("CREATE TABLE invoices (id bigint)")
        assert "another program (it has the table invoices)" in problem(
            lambda: apply(db)
        )
        assert tables(db) == {"invoices"}


def test_the_tables_of_the_engine_are_not_another_programs(address: str) -> None:
    with connected(address) as db:
        db.execute("CREATE TABLE procrastinate_jobs (id bigint)")
        apply(db)
        assert pending(db) == []


def test_a_table_or_step_that_is_gone_is_missed(db: Connection) -> None:
    db.execute("DROP TABLE receipts")
    assert "lacks receipts" in problem(lambda: apply(db))
    db.execute("DELETE FROM threadkeep_steps WHERE name = 's001_tables'")
    assert "lacks s001_tables" in problem(lambda: apply(db))


def test_a_table_that_a_step_removes_is_not_missed(
    db: Connection,
) -> None:
    steps = [*STEPS, ADDS, Step("s901_breaking", "DROP TABLE more")]
    apply(db, steps)
    assert pending(db, steps) == []


def test_a_role_that_may_not_create_tables_is_told_what_to_ask_for(
    address: str,
) -> None:
    with connected(address) as db:
        role = f"reader_{db.raw.info.dbname}"
        db.execute(f"CREATE ROLE {role}")
        try:
            db.execute(f"SET ROLE {role}")
            assert "GRANT CREATE" in problem(lambda: apply(db))
        finally:
            db.execute("RESET ROLE")
            db.execute(f"DROP ROLE {role}")


def test_a_step_does_not_wait_for_ever_for_a_query(
    url: str, db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.postgres.schema.TRIES", 2)
    with connected(url) as other, other.atomic():
        other.execute("SELECT 1 FROM threads")
        found = problem(lambda: apply(db, [*STEPS, BREAKS], lock_wait=0.01))
        assert "end long queries" in found
    apply(db, [*STEPS, BREAKS])
    assert taken(db)[-1] == BREAKS.name


def test_a_start_does_not_wait_for_ever_for_another(url: str, db: Connection) -> None:
    with connected(url) as other, locked(other, SCHEMA, 1.0):
        assert "Another threadkeep" in problem(lambda: apply(db, wait=0.01))
    apply(db, wait=0.01)


def test_each_step_is_additive_unless_its_name_says_otherwise(address: str) -> None:
    """A step takes nothing away, and requires nothing that an older process leaves
    out, or it is marked."""
    with connected(address) as db:
        # The first step makes all tables.
        apply(db, STEPS[:1])
        before = columns(db)
        for count, step in enumerate(STEPS[1:], 2):
            apply(db, STEPS[:count])
            after = columns(db)
            known = {table for table, _ in before}
            if is_additive(step.name):
                assert before.items() <= after.items(), step.name
                for table, column in after.keys() - before.keys():
                    _, required, default = after[table, column]
                    assert table not in known or not required or default, column
            before = after


def columns(db: Connection) -> dict[tuple[str, str], tuple[Any, ...]]:
    """Return the type of each column, whether it is required, and its default."""
    rows = db.execute(
        "SELECT table_name, column_name, data_type, is_nullable = 'NO', "
        "coalesce(column_default, identity_generation) "
        "FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    return {(table, column): tuple(rest) for table, column, *rest in rows}
