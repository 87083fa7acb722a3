"""Tests of values and rows: what goes to PostgreSQL comes back as from SQLite."""

from collections.abc import Iterator
from contextlib import closing

import pytest

from bot.errors import StorageRejected
from storage.postgres.connection import Connection


@pytest.fixture
def db(with_table: str) -> Iterator[Connection]:
    with closing(Connection(with_table)) as connection:
        yield connection


def test_values_come_back_as_they_went(db: Connection) -> None:
    row = db.execute(
        "SELECT ?::text, ?::bigint, ?::float8, ?::bytea, ?::bigint, ?::text, ?",
        ["é\U0001f600", 2**62, 0.1, b"\0\xff", True, None, "%s ? :x"],
    ).fetchone()
    assert row is not None
    assert list(row) == ["é\U0001f600", 2**62, 0.1, b"\0\xff", 1, None, "%s ? :x"]


def test_a_text_with_nul_comes_back(db: Connection) -> None:
    db.execute("INSERT INTO t VALUES (1, ?)", ["a\0b"])
    assert [row["text"] for row in db.execute("SELECT text FROM t")] == ["a\0b"]


def test_sums_and_truth_are_numbers(db: Connection) -> None:
    db.execute("INSERT INTO t VALUES (1, ''), (2, '')")
    row = db.execute("SELECT sum(id), avg(id), count(*) > 1 FROM t").fetchone()
    assert row is not None
    assert [(type(each), each) for each in row] == [(int, 3), (float, 1.5), (int, 1)]


def test_a_row_is_read_by_name_and_by_position(db: Connection) -> None:
    row = db.execute("SELECT 1 AS one, 2 AS two, 3 AS one").fetchone()
    assert row is not None
    assert (row["one"], row["TWO"], row[2], row[:2]) == (1, 2, 3, (1, 2))
    assert row.keys() == ["one", "two"]
    first, *_ = row
    assert (first, len(row)) == (1, 3)


def test_a_part_of_a_transaction_is_undone_alone(db: Connection) -> None:
    with db.atomic():
        db.execute("INSERT INTO t VALUES (1, 'kept')")
        with pytest.raises(StorageRejected), db.atomic():
            db.execute("INSERT INTO t VALUES (2, 'undone'), (1, 'twice')")
        db.execute("INSERT INTO t VALUES (3, 'kept')")
    assert [row["id"] for row in db.execute("SELECT id FROM t ORDER BY id")] == [1, 3]


def test_many_rows_go_at_once(db: Connection) -> None:
    db.executemany("INSERT INTO t VALUES (?, ?)", ((n, str(n)) for n in range(5)))
    [(count,)] = db.execute("SELECT count(*) FROM t").fetchall()
    assert count == 5
