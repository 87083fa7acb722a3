"""The two ends of a move: a SQLite file and a PostgreSQL database.

Rule 1: a batch and its progress are stored in one transaction, the progress in the
target's table `threadkeep_move`. After a kill, the next run continues after the last
batch.
Rule 2: no process starts on an incomplete move. `storage.postgres.schema` refuses a
database that contains that table, and a file has another name until the move is
complete.
"""

import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import psycopg
from sqlite_utils import Database

from storage.postgres.adaptation import NUL_MARK
from storage.postgres.move_tables import Row, Table, triggers

_PROGRESS = """
    CREATE TABLE threadkeep_move (
        name text PRIMARY KEY, behind text NOT NULL, done integer NOT NULL
    )
"""
# `name` is a table, or "" for the source of the rows.
_KEEP = """
    INSERT INTO threadkeep_move (name, behind, done) VALUES ({0}, {0}, {0})
    ON CONFLICT (name) DO UPDATE SET behind = excluded.behind, done = excluded.done
"""
_PROGRESS_ROWS = "SELECT name, behind, done FROM threadkeep_move"

#: By table: the key after which to continue, or None if the table is complete.
Progress = dict[str, list[Any] | None]


class Source(Protocol):
    """The source of the rows."""

    def rows(self, table: Table, behind: Sequence[Any] = ()) -> Iterator[Row]:
        """Yield the rows of `table` after the key `behind`, in the order of the key.

        NUL may appear in the form that the other database stores.
        """
        ...


class Target(Source, Protocol):
    """The target of the rows."""

    def begin(self, source: str) -> None:
        """Record that a move from `source` begins."""
        ...

    def progress(self) -> tuple[str | None, Progress]:
        """Return the source of the current move, or None, and its progress."""
        ...

    def add(self, table: Table, rows: Sequence[Row], *, is_last: bool) -> None:
        """Store `rows` and the progress after them."""
        ...

    def clear(self, tables: Sequence[Table]) -> None:
        """Delete everything moved so far, so that the next move starts again."""
        ...

    def finish(self, tables: Sequence[Table]) -> None:
        """Make the database ready for use."""
        ...


class File:
    """A SQLite file. As a target, no other process knows of it yet."""

    def __init__(self, db: Database) -> None:
        self._db = db

    def rows(self, table: Table, behind: Sequence[Any] = ()) -> Iterator[Row]:
        cursor = self._db.conn.cursor()
        cursor.row_factory = None
        yield from cursor.execute(_select(table, behind, "?"), list(behind))

    def begin(self, source: str) -> None:
        with self._db.atomic():
            for name in triggers():
                # The triggers would repeat changes that are moved anyway.
                self._db.execute(f"DROP TRIGGER IF EXISTS {name}")
            self._db.execute(_PROGRESS)
            self._db.execute(_KEEP.format("?"), ["", source, 0])

    def progress(self) -> tuple[str | None, Progress]:
        if not self._db.table("threadkeep_move").exists():
            return None, {}
        return _read(self._db.execute(_PROGRESS_ROWS).fetchall())

    def add(self, table: Table, rows: Sequence[Row], *, is_last: bool) -> None:
        places = ", ".join("?" * len(table.columns))
        statement = f"INSERT INTO {table.name} ({table.column_list}) VALUES ({places})"
        with self._db.atomic():
            self._db.conn.executemany(statement, map(_read_back, rows))
            self._db.execute(_KEEP.format("?"), _rows_to_keep(table, rows, is_last))

    def clear(self, tables: Sequence[Table]) -> None:
        with self._db.atomic():
            for table in reversed(tables):
                self._db.execute(f"DELETE FROM {table.name}")
            self._db.execute("DELETE FROM threadkeep_move WHERE name <> ''")

    def finish(self, tables: Sequence[Table]) -> None:
        with self._db.atomic():
            for statement in triggers().values():
                self._db.execute(statement)
            self._db.execute("DROP TABLE threadkeep_move")
        self._db.execute("PRAGMA synchronous = FULL")
        self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def put_in_place(made: Path, path: Path) -> None:
    """Rename the complete and closed file `made` to `path`. Durable on return."""
    made.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


class Server:
    """A PostgreSQL database, on a connection in autocommit mode.

    It uses psycopg's own adapters, which are faster than ours.
    """

    def __init__(self, connection: "psycopg.Connection[Any]", name: str) -> None:
        self._db = connection
        #: Shown to people, without a password.
        self.name = name

    def rows(self, table: Table, behind: Sequence[Any] = ()) -> Iterator[Row]:
        with (
            self._db.transaction(),
            self._db.cursor("move", binary=True) as cursor,
        ):
            # Rows with files contain many megabytes.
            cursor.itersize = 1 if table.has_bytes else 1_000
            query = _select(table, behind, "%s")
            cursor.execute(query.encode(), _store_nul(behind))
            yield from cursor

    def begin(self, source: str) -> None:
        with self._db.transaction():
            self._db.execute(_PROGRESS)
            self._db.execute(_KEEP.format("%s").encode(), ["", source, 0])
            for table in self._with_triggers():
                # The triggers would repeat changes that are moved anyway. Foreign keys
                # are still checked.
                self._execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")

    def progress(self) -> tuple[str | None, Progress]:
        found = self._db.execute("SELECT to_regclass('threadkeep_move')").fetchone()
        if found is None or found[0] is None:
            return None, {}
        return _read(self._db.execute(_PROGRESS_ROWS).fetchall())

    def add(self, table: Table, rows: Sequence[Row], *, is_last: bool) -> None:
        copy_in = f"COPY {table.name} ({table.column_list}) FROM STDIN (FORMAT BINARY)"
        with self._db.transaction(), self._db.cursor() as cursor:
            with cursor.copy(copy_in.encode()) as copy:
                copy.set_types(table.types)
                for row in rows:
                    copy.write_row(_store_nul(row))
            cursor.execute(
                _KEEP.format("%s").encode(), _rows_to_keep(table, rows, is_last)
            )

    def clear(self, tables: Sequence[Table]) -> None:
        with self._db.transaction():
            self._execute(f"TRUNCATE {', '.join(each.name for each in tables)}")
            self._db.execute("DELETE FROM threadkeep_move WHERE name <> ''")

    def finish(self, tables: Sequence[Table]) -> None:
        with self._db.transaction():
            for name, column in self._numbered_columns():
                # Not below 1; with no rows, the next is 1.
                self._execute(
                    f"SELECT setval(pg_get_serial_sequence('{name}', '{column}'), "
                    f"greatest(max({column}), 1), count(*) > 0) FROM {name}"
                )
            for table in self._with_triggers():
                self._execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            self._db.execute("DROP TABLE threadkeep_move")
        # Without statistics, query plans would be bad until autovacuum creates them.
        for each in tables:
            self._execute(f"ANALYZE {each.name}")

    def is_empty(self, tables: Sequence[Table]) -> bool:
        """Return whether no table has a row."""
        parts = [f"EXISTS (SELECT 1 FROM {each.name})" for each in tables]
        found = self._db.execute(f"SELECT {' OR '.join(parts)}".encode()).fetchone()
        return found is not None and not found[0]

    def _with_triggers(self) -> list[str]:
        rows = self._db.execute(
            "SELECT DISTINCT relname FROM pg_trigger "
            "JOIN pg_class ON pg_class.oid = tgrelid WHERE NOT tgisinternal "
            "AND relnamespace = to_regnamespace(current_schema()) "
            "AND relname NOT LIKE 'procrastinate\\_%'"
        )
        return [name for (name,) in rows]

    def _numbered_columns(self) -> list[tuple[str, str]]:
        return self._db.execute(
            "SELECT relname::text, attname::text FROM pg_attribute "
            "JOIN pg_class ON pg_class.oid = attrelid WHERE attidentity = 'd' "
            "AND relnamespace = to_regnamespace(current_schema())"
        ).fetchall()

    def _execute(self, statement: str) -> None:
        self._db.execute(statement.encode())


def _select(table: Table, behind: Sequence[Any], place: str) -> str:
    places = ", ".join([place] * len(behind))
    where = f"WHERE ({table.key_list}) > ({places})" if behind else ""
    return (
        f"SELECT {table.column_list} FROM {table.name} {where} "
        f"ORDER BY {table.key_list}"
    )


def _rows_to_keep(table: Table, rows: Sequence[Row], is_last: bool) -> list[Any]:
    behind = table.key_of(rows[-1]) if rows else []
    return [table.name, json.dumps(behind), int(is_last)]


def _read(rows: Sequence[Sequence[Any]]) -> tuple[str, Progress]:
    source, far = "", {}
    for name, behind, done in rows:
        if name:
            far[name] = None if done else json.loads(behind)
        else:
            source = behind
    return source, far


def _store_nul(row: Sequence[Any]) -> Sequence[Any]:
    """Return `row` with NUL in the form that PostgreSQL stores."""
    for each in row:
        if isinstance(each, str) and "\0" in each:
            return [_replace(value, "\0", NUL_MARK) for value in row]
    return row


def _read_back(row: Row) -> Sequence[Any]:
    """Return `row` from PostgreSQL with NUL in the form that SQLite stores."""
    for each in row:
        if isinstance(each, str) and NUL_MARK in each:
            return [_replace(value, NUL_MARK, "\0") for value in row]
    return row


def _replace(value: Any, old: str, new: str) -> Any:
    return value.replace(old, new) if isinstance(value, str) else value
