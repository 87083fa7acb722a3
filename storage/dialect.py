"""Differences between the SQL of SQLite and of PostgreSQL.

Rule 1: a statement is written once, in words that both take. Where there are none, it
has one of the constants here: what SQLite takes. `POSTGRES` has what it becomes for
PostgreSQL, with the placeholders (`storage.postgres.statements`).
Rule 2: where a statement is not enough, there is a function here that takes either
connection.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from sqlite_utils import Database

from storage.connection import Connection

#: The smaller and the greater of two values. In a comment: aggregates have these names,
#: too.
LEAST, GREATEST = "min/*two*/", "max/*two*/"

#: Equal, or both NULL; and the opposite.
SAME, DIFFERENT = "IS/*same*/", "IS NOT/*same*/"

#: At the end of a query: nobody else changes its rows to the end of the transaction.
#: SQLite lets one write at a time.
ROW_LOCK = "/*row lock*/"

#: The same, for a query that leaves out the rows which somebody else changes.
FREE_ROWS = "/*free rows*/"

#: The identifier of a row that has no id, within one transaction.
ROW = "rowid"

#: The day on which a call ended, such as 2026-11-30, in UTC.
DAY_ENDED = "date(ended_at, 'unixepoch')"

#: The texts of `said`, one on each line.
LINES_SAID = "group_concat(said.text, char(10))"

#: As many zeros as a file has bytes, to be overwritten by `write_content`.
ROOM = "zeroblob(:size)"

#: The size of what the model reads of a message, in bytes.
CONTENT_BYTES = "length(CAST(content AS BLOB))"

# Above the number of rows of any table. Ids are in order of insertion; after the
# greatest possible one, SQLite would choose them at random.
MOST_ID = 10**15

#: The greatest id of a table, as an expression.
LAST_ID = f"(SELECT coalesce(max(id), 0) FROM {{}} WHERE id BETWEEN 0 AND {MOST_ID})"

# The tables whose ids are given by an expression.
_NUMBERED = ("messages", "turns")


def next_id(table: str) -> str:
    """Return the id of the next row of `table`, as an expression."""
    assert table in _NUMBERED
    return f"{LAST_ID.format(table)} + 1"


#: By what PostgreSQL says for it.
POSTGRES = {
    LEAST: "least",
    GREATEST: "greatest",
    SAME: "IS NOT DISTINCT FROM",
    DIFFERENT: "IS DISTINCT FROM",
    ROW_LOCK: "FOR UPDATE",
    FREE_ROWS: "FOR UPDATE SKIP LOCKED",
    ROW: "ctid",
    DAY_ENDED: "to_char(to_timestamp(ended_at) AT TIME ZONE 'UTC', 'YYYY-MM-DD')",
    LINES_SAID: "string_agg(said.text, chr(10))",
    ROOM: "''::bytea",
    CONTENT_BYTES: "octet_length(content)",
    # Several processes insert at once.
    **{next_id(table): f"nextval('{table}_id_seq')" for table in _NUMBERED},
}


def execute_many(db: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run `statement` once with each of `rows`."""
    if isinstance(db, Database):
        db.conn.executemany(statement, rows)
    else:
        cast(Any, db).executemany(statement, rows)


def has_table(db: Connection, table: str) -> bool:
    """Return whether there is a table called `table`."""
    if isinstance(db, Database):
        return db.table(table).exists()
    return db.execute("SELECT to_regclass(?)", [table]).fetchone()[0] is not None


def among(column: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Return the condition that `column` has one of `values`, and its parameters."""
    named = {f"{column}{nth}": value for nth, value in enumerate(values)}
    # NULL is equal to nothing; PostgreSQL takes no empty list.
    places = ", ".join(f":{name}" for name in named) or "NULL"
    return f"{column} IN ({places})", named


def write_nothing(db: Connection) -> None:
    """Fail if nothing can be written."""
    if isinstance(db, Database):
        # It is unused, and 0.
        db.execute("PRAGMA user_version = 0")
    else:
        # The commit then writes to the disk.
        db.execute("SELECT pg_current_xact_id()")


def plain_rows(
    db: Connection, statement: str, values: dict[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Return the rows of `statement` without names, which take time where there are
    thousands."""
    if isinstance(db, Database):
        cursor = db.conn.cursor()
        cursor.row_factory = None
        ours, db.conn.text_factory = db.conn.text_factory, str
        try:
            # A function of ours for each text takes a seventh of the time.
            return iter(cursor.execute(statement, values).fetchall())
        except sqlite3.OperationalError:
            # One of them is not UTF-8.
            db.conn.text_factory = ours
            return cursor.execute(statement, values)
        finally:
            db.conn.text_factory = ours
    found: Iterator[tuple[Any, ...]] = cast(Any, db).plain_rows(statement, values)
    return found


# The most bytes of a file that PostgreSQL takes or gives at once.
_PIECE = 8 * 1024 * 1024


def write_content(db: Connection, row: object, data: bytes) -> None:
    """Fill the new `row` of `file_contents` with `data`."""
    if isinstance(db, Database):
        # In place, while other threads run: as a parameter, tens of megabytes would be
        # copied several times, and hold the event loop up.
        with db.conn.blobopen("file_contents", "data", cast(int, row)) as blob:
            blob.write(data)
        return
    if len(data) <= _PIECE:
        db.execute(f"UPDATE file_contents SET data = ? WHERE {ROW} = ?", [data, row])
        return
    # The server puts them together, and writes the content once: each update of a row
    # writes all of its data again. What is temporary is in no log.
    db.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS pieces
            (position int, data bytea) ON COMMIT DELETE ROWS
        """
    )
    for begin in range(0, len(data), _PIECE):
        # One at a time is in memory.
        db.execute(
            "INSERT INTO pieces (position, data) VALUES (?, ?) RETURNING position",
            [begin, data[begin : begin + _PIECE]],
        ).fetchall()
    db.execute(
        f"""
        UPDATE file_contents
        SET data = (SELECT string_agg(data, '' ORDER BY position) FROM pieces)
        WHERE {ROW} = ?
        """,
        [row],
    )
    # Another one may follow in the transaction.
    db.execute("DELETE FROM pieces")


def read_content(db: Connection, digest: str) -> bytes | None:
    """Return the bytes of a file, None if they are not stored."""
    found = db.execute(
        f"SELECT {ROW}, length(data) FROM file_contents WHERE digest = ?", [digest]
    ).fetchone()
    if found is None:
        return None
    if isinstance(db, Database):
        # Read into the bytes that are returned, while other threads run: a row of tens
        # of megabytes would be copied twice, and hold the event loop up.
        with db.conn.blobopen("file_contents", "data", found[0], readonly=True) as blob:
            return blob.read()
    pieces = (
        db.execute(
            "SELECT substring(data FROM ?::int FOR ?::int) FROM file_contents "
            "WHERE digest = ?",
            [begin + 1, _PIECE, digest],
        ).fetchone()[0]
        for begin in range(0, found[1], _PIECE)
    )
    return b"".join(pieces)


def insert(db: Connection, statement: str, values: dict[str, Any]) -> int:
    """Run `statement`, which inserts a row with an `id`; return that.

    Not by RETURNING in SQLite, which then looks for rows that refer to the new one.
    """
    if isinstance(db, Database):
        return db.execute(statement, values).lastrowid or 0
    row = db.execute(f"{statement} RETURNING id", values).fetchone()
    return int(row["id"]) if row else 0


def insert_thread(
    db: Connection, statement: str, values: dict[str, Any]
) -> tuple[str, int]:
    """Run `statement`, which inserts a row of `threads`; return an expression of its
    id, good until the next one is inserted, and the value of `:thread_id` in it."""
    if isinstance(db, Database):
        return ":thread_id", db.execute(statement, values).lastrowid or 0
    # Nobody waits for the id.
    db.execute(statement, values)
    return "currval('threads_id_seq')", 0


def index_alone(db: Connection) -> None:
    """Wait until nobody else changes the index of words, to the end of the
    transaction."""
    if not isinstance(db, Database):
        cast(Any, db).index_alone(wait=True)


def may_index_alone(db: Connection) -> bool:
    """Do the same without waiting; return False if somebody does change it."""
    return isinstance(db, Database) or bool(cast(Any, db).index_alone(wait=False))


def writes_alone(db: Connection) -> bool:
    """Return whether nobody else can write during a transaction that writes."""
    return isinstance(db, Database)


def hold(db: Connection, numbers: Sequence[int], *, shared: bool = False) -> None:
    """Hold the locks of these `numbers`, one after the other, to the end of the
    transaction, as others may do with `shared`; not on SQLite."""
    if numbers:
        one = f"pg_advisory_xact_lock{'_shared' if shared else ''}(?)"
        db.execute(f"SELECT {', '.join([one] * len(numbers))}", numbers)


def now(db: Connection, clock: Callable[[], float]) -> float:
    """Return the time in seconds since 1970 by which all processes agree: that of the
    server, or of `clock` for a file, which one process has."""
    return ask_now(db, clock)()


def ask_now(db: Connection, clock: Callable[[], float]) -> Callable[[], float]:
    """Ask for that time, when what was asked for before is there; return what reads
    it."""
    if isinstance(db, Database):
        return clock
    asked = db.execute("SELECT extract(epoch FROM clock_timestamp())")
    return lambda: float(asked.fetchone()[0])
