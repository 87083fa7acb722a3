"""Tests of statements that are sent together."""

from collections.abc import Iterator
from contextlib import closing

import psycopg
import pytest

from bot.errors import StorageRejected
from storage.postgres import pipeline
from storage.postgres.connection import Connection

ADD = "INSERT INTO t VALUES (?, ?)"
ONE, TWO, FOUR = (f"INSERT INTO t VALUES ({n}, '')" for n in (1, 2, 4))
WRONG = "SELECT 1 / 0"
NAMES = "SELECT statement FROM pg_prepared_statements ORDER BY name"


@pytest.fixture
def db(with_table: str) -> Iterator[Connection]:
    with closing(Connection(with_table)) as connection:
        yield connection


def together(db: Connection, *statements: str) -> None:
    with db.pipelined():
        for statement in statements:
            db.execute(statement)


def part(db: Connection, *statements: str) -> None:
    with db.atomic():
        for statement in statements:
            db.execute(statement)


def ids(db: Connection) -> list[int]:
    return [row["id"] for row in db.execute("SELECT id FROM t ORDER BY id")]


def test_results_come_in_one_round_trip(db: Connection) -> None:
    with db.pipelined():
        before = db.waits
        db.execute("BEGIN")
        added = db.execute(ADD, [1, "one"])
        found = db.execute("SELECT * FROM t")
        changed = db.execute("UPDATE t SET text = ?", ["a\0b"])
        again = db.execute("SELECT text FROM t")
        assert db.waits == before
        assert (added.rowcount, changed.rowcount) == (1, 1)
        row = found.fetchone()
        assert row is not None
        assert (row["id"], row["TEXT"], found.fetchone()) == (1, "one", None)
        assert [text for (text,) in again] == ["a\0b"]
        assert again.fetchall() == []
        assert db.waits == before + 1
        db.execute("COMMIT")
    assert db.waits == before + 2
    assert ids(db) == [1]


def test_the_first_error_is_raised_and_what_follows_it_is_not_done(
    db: Connection,
) -> None:
    with pytest.raises(psycopg.errors.UniqueViolation):
        together(db, "BEGIN", ONE, ONE, TWO, WRONG)
    assert db.in_transaction
    db.execute("ROLLBACK")
    assert ids(db) == []


def test_what_goes_wrong_inside_comes_before_what_the_server_says(
    db: Connection,
) -> None:
    def give_up() -> None:
        with db.pipelined():
            db.execute(WRONG)
            raise LookupError

    with pytest.raises(LookupError):
        give_up()
    # It can be used again.
    together(db, TWO)
    assert ids(db) == [2]


def test_a_part_is_undone_alone(db: Connection) -> None:
    def give_up() -> None:
        with db.atomic():
            db.execute(FOUR)
            raise LookupError

    with db.pipelined():
        db.execute("BEGIN")
        db.execute(ONE)
        with pytest.raises(StorageRejected):
            part(db, TWO, ONE, FOUR)
        with db.atomic(), pytest.raises(StorageRejected):
            part(db, FOUR, FOUR)
        with pytest.raises(LookupError):
            give_up()
        db.execute(ADD, [6, "kept"])
        db.execute("COMMIT")
    assert ids(db) == [1, 6]


def test_what_failed_before_a_part_is_not_taken_for_it(db: Connection) -> None:
    def fail() -> None:
        with db.pipelined():
            db.executemany(ADD, [(1, ""), (1, "")])
            part(db, TWO)

    with pytest.raises(psycopg.errors.UniqueViolation):
        fail()


def test_more_statements_than_may_wait_are_sent(db: Connection) -> None:
    count = 3 * pipeline.MOST_PENDING
    with db.pipelined():
        db.executemany(ADD, ((n, "x" * 10_000) for n in range(count)))
        large = db.execute("SELECT string_agg(text, '') FROM t")
        [(text,)] = large.fetchall()
    assert len(text) == count * 10_000
    with db.pipelined():
        assert list(db.plain_rows("SELECT count(*) FROM t")) == [(count,)]


def test_only_what_is_used_often_is_prepared(db: Connection) -> None:
    with db.pipelined():
        for id in range(pipeline.PREPARED_FROM + 1):
            db.execute(ADD, [id, ""])
        db.execute("SELECT 1")
    prepared = [statement for (statement,) in db.execute(NAMES)]
    assert prepared == ["INSERT INTO t VALUES ($1, $2)"]


def test_after_a_failure_everything_is_prepared_anew(db: Connection) -> None:
    """Another version of the program may have changed the tables."""
    read = "SELECT * FROM t WHERE id = ?"

    def look() -> int:
        with db.pipelined():
            return [len(db.execute(read, [1]).fetchall()) for _ in range(5)][-1]

    assert look() == 0
    db.execute("ALTER TABLE t ADD COLUMN more bigint")
    with pytest.raises(psycopg.errors.FeatureNotSupported):
        look()
    assert look() == 0


def test_what_was_not_prepared_because_of_a_failure_is_prepared_later(
    db: Connection,
) -> None:
    for _ in range(3):
        with pytest.raises(psycopg.errors.DivisionByZero):
            together(db, WRONG, *[ONE] * 10)
    together(db, *[ONE, "DELETE FROM t"] * 5)
    assert ids(db) == []


def test_no_more_is_prepared_than_fits(
    db: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipeline, "MOST_PREPARED", 3)
    for _ in range(3):
        with db.pipelined():
            for number in range(20):
                for _ in range(pipeline.PREPARED_FROM):
                    found = db.execute(f"SELECT {number} + ?::int", [1]).fetchall()
                    assert list(found[0]) == [number + 1]
    assert len(db.execute(NAMES).fetchall()) <= 3


def test_a_connection_that_breaks_is_lost(db: Connection) -> None:
    with pytest.raises(psycopg.OperationalError):
        together(db, "SELECT pg_terminate_backend(pg_backend_pid())", ONE)
    assert db.is_lost
    with pytest.raises(psycopg.OperationalError):
        together(db, ONE)
