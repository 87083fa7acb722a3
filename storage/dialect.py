"""Differences between the SQL of SQLite and of PostgreSQL.

Rule 1: a statement is written once, in SQL that both databases accept. Where no such
SQL exists, the statement contains one of the constants here, which is valid in SQLite.
`POSTGRES` maps each constant to its PostgreSQL form, which replaces it together with
the placeholders (`storage.postgres.statements`).
Rule 2: where SQL alone is not enough, a function here accepts either connection.
"""

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, cast

from sqlite_utils import Database

from storage.connection import Connection

#: The smaller and the greater of two values. The comment distinguishes them from the
#: aggregates of the same names.
LEAST, GREATEST = "min/*two*/", "max/*two*/"

#: Equal, or both NULL; and the opposite.
SAME, DIFFERENT = "IS/*same*/", "IS NOT/*same*/"

#: At the end of a query: no other transaction changes its rows until this one ends.
#: SQLite allows only one writer at a time.
ROW_LOCK = "/*row lock*/"

#: Like ROW_LOCK, but the query skips rows that another transaction is changing.
FREE_ROWS = "/*free rows*/"

#: The identifier of a row without an id, valid within one transaction.
ROW = "rowid"

#: The day on which a call ended, such as 2026-11-30, in UTC.
DAY_ENDED = "date(ended_at, 'unixepoch')"

#: The texts of `said`, one per line.
LINES_SAID = "group_concat(said.text, char(10))"

#: As many zeros as the file has bytes, which `write_content` overwrites.
ROOM = "zeroblob(:size)"

#: The size of the content that the model reads of a message, in bytes.
CONTENT_BYTES = "length(CAST(content AS BLOB))"

# Above the number of rows of any table. Ids follow the order of insertion. After the
# greatest possible id, SQLite would choose ids at random.
MOST_ID = 10**15

#: The greatest id of a table, as an expression.
LAST_ID = f"(SELECT coalesce(max(id), 0) FROM {{}} WHERE id BETWEEN 0 AND {MOST_ID})"

# The tables whose ids an expression provides.
_NUMBERED = ("messages", "turns")


def next_id(table: str) -> str:
    """Return an expression for the id of the next row of `table`."""
    assert table in _NUMBERED
    return f"{LAST_ID.format(table)} + 1"


#: Maps each constant to its PostgreSQL form.
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
    # A sequence, because several processes insert at once.
    **{next_id(table): f"nextval('{table}_id_seq')" for table in _NUMBERED},
}


def execute_many(db: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    """Run `statement` once with each of `rows`."""
    if isinstance(db, Database):
        db.conn.executemany(statement, rows)
    else:
        cast(Any, db).executemany(statement, rows)


def has_table(db: Connection, table: str) -> bool:
    """Return whether a table called `table` exists."""
    if isinstance(db, Database):
        return db.table(table).exists()
    return db.execute("SELECT to_regclass(?)", [table]).fetchone()[0] is not None


def among(column: str, values: Sequence[Any]) -> tuple[str, dict[str, Any]]:
    """Return the condition that `column` has one of `values`, and its parameters."""
    named = {f"{column}{nth}": value for nth, value in enumerate(values)}
    # NULL is equal to nothing. PostgreSQL does not accept an empty list.
    places = ", ".join(f":{name}" for name in named) or "NULL"
    return f"{column} IN ({places})", named


def write_nothing(db: Connection) -> None:
    """Run a statement that fails if the database is not writable, and changes
    nothing."""
    if isinstance(db, Database):
        # user_version is unused and 0.
        db.execute("PRAGMA user_version = 0")
    else:
        # Makes the commit write to the disk.
        db.execute("SELECT pg_current_xact_id()")


def plain_rows(
    db: Connection, statement: str, values: dict[str, Any]
) -> Iterator[tuple[Any, ...]]:
    """Return the rows of `statement` as plain tuples, which are faster than named rows
    for thousands of rows."""
    if isinstance(db, Database):
        cursor = db.conn.cursor()
        cursor.row_factory = None
        ours, db.conn.text_factory = db.conn.text_factory, str
        try:
            # SQLite's own decoding takes a seventh of the time of our text factory.
            return iter(cursor.execute(statement, values).fetchall())
        except sqlite3.OperationalError:
            # A text is not valid UTF-8.
            db.conn.text_factory = ours
            return cursor.execute(statement, values)
        finally:
            db.conn.text_factory = ours
    found: Iterator[tuple[Any, ...]] = cast(Any, db).plain_rows(statement, values)
    return found


# The most bytes of a file that one PostgreSQL statement transfers.
_PIECE = 8 * 1024 * 1024


def write_content(db: Connection, row: object, data: bytes) -> None:
    """Fill the new `row` of `file_contents` with `data`."""
    if isinstance(db, Database):
        # Written in place while other threads run. As a parameter, tens of megabytes
        # would be copied several times and would block the event loop.
        with db.conn.blobopen("file_contents", "data", cast(int, row)) as blob:
            blob.write(data)
        return
    if len(data) <= _PIECE:
        db.execute(f"UPDATE file_contents SET data = ? WHERE {ROW} = ?", [data, row])
        return
    # The server joins the pieces and writes the content once: each update of a row
    # writes all of its data again. A temporary table is not in the server's write-ahead
    # log.
    db.execute(
        """
        CREATE TEMPORARY TABLE IF NOT EXISTS pieces
            (position int, data bytea) ON COMMIT DELETE ROWS
        """
    )
    for begin in range(0, len(data), _PIECE):
        # Only one piece at a time is in memory.
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
    # Another file may follow in the same transaction.
    db.execute("DELETE FROM pieces")


def read_content(db: Connection, digest: str) -> bytes | None:
    """Return the bytes of a file, or None if they are not stored."""
    found = db.execute(
        f"SELECT {ROW}, length(data) FROM file_contents WHERE digest = ?", [digest]
    ).fetchone()
    if found is None:
        return None
    if isinstance(db, Database):
        # Read straight into the returned bytes, while other threads run. A row of tens
        # of megabytes would be copied twice and would block the event loop.
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
    """Run `statement`, which inserts a row with an `id`, and return the id.

    SQLite does not use RETURNING, because it would then search for rows that refer to
    the new row.
    """
    if isinstance(db, Database):
        return db.execute(statement, values).lastrowid or 0
    row = db.execute(f"{statement} RETURNING id", values).fetchone()
    return int(row["id"]) if row else 0


def insert_thread(
    db: Connection, statement: str, values: dict[str, Any]
) -> tuple[str, int]:
    """Run `statement`, which inserts a row of `threads`.

    Returns an expression for its id, valid until the next thread is inserted, and the
    value of `:thread_id` in that expression.
    """
    if isinstance(db, Database):
        return ":thread_id", db.execute(statement, values).lastrowid or 0
    # The program does not wait for the id.
    db.execute(statement, values)
    return "currval('threads_id_seq')", 0


def index_alone(db: Connection) -> None:
    """Lock the search index against other writers until the end of the transaction."""
    if not isinstance(db, Database):
        cast(Any, db).index_alone(wait=True)


def may_index_alone(db: Connection) -> bool:
    """Lock the search index without waiting. Returns False if another transaction has
    the lock."""
    return isinstance(db, Database) or bool(cast(Any, db).index_alone(wait=False))


def writes_alone(db: Connection) -> bool:
    """Return whether a writing transaction excludes all other writers."""
    return isinstance(db, Database)


def hold(db: Connection, numbers: Sequence[int], *, shared: bool = False) -> None:
    """Hold the advisory locks with these `numbers`, in order, until the end of the
    transaction.

    With `shared`, other transactions may hold them as shared too. Not for SQLite.
    """
    if numbers:
        one = f"pg_advisory_xact_lock{'_shared' if shared else ''}(?)"
        db.execute(f"SELECT {', '.join([one] * len(numbers))}", numbers)


def now(db: Connection, clock: Callable[[], float]) -> float:
    """Return the time on which all processes agree, in seconds since 1970.

    This is the server's time, or that of `clock` for a file, which only one process
    uses.
    """
    return ask_now(db, clock)()


def ask_now(db: Connection, clock: Callable[[], float]) -> Callable[[], float]:
    """Ask for the time of `now`; return a function that reads the result.

    The server measures the time after it has run the statements sent before.
    """
    if isinstance(db, Database):
        return clock
    asked = db.execute("SELECT extract(epoch FROM clock_timestamp())")
    return lambda: float(asked.fetchone()[0])
