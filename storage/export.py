"""Writes rows into a table of any SQLite file, for other programs."""

import itertools
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlite_utils import Database

from bot.errors import ConfigError
from bot.messages.triage_files import output_failed
from bot.runtime.private_files import make_private

_CHUNK = 1_000
# The column for the row number.
_ROW = "row"


async def write_table(
    path: Path, table: str, rows: AsyncIterator[Mapping[str, Any]]
) -> None:
    """Replace `table` in the file at `path` with `rows`; create the file if it is
    missing.

    The primary key is the row number, in a column called `row`, or `triage_row` if the
    rows have a column of that name. Raises ConfigError; then the table is unchanged.
    """
    numbers = itertools.count(1)
    columns = _Columns()
    key = ""
    try:
        # A file that SQLite creates is world-readable.
        make_private(path)
        with closing(Database(path)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.table(table).drop(ignore=True)
            while chunk := await _taken(rows):
                named = [{columns.of(name): row[name] for name in row} for row in chunk]
                key = key or columns.free(_ROW, f"triage_{_ROW}")
                numbered = [
                    {key: number, **row}
                    for row, number in zip(named, numbers, strict=False)
                ]
                db.table(table).insert_all(numbered, pk=key, alter=True)
            db.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(output_failed(file=path, reason=error)) from None


class _Columns:
    """The columns of a table, by the names in the rows.

    SQLite treats names that differ only in case as the same.
    """

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._taken: set[str] = set()

    def of(self, name: str) -> str:
        """Return the column of the values called `name`."""
        if name not in self._names:
            self._names[name] = self.free(name)
        return self._names[name]

    def free(self, *names: str) -> str:
        """Reserve and return the first of `names` that is free, or else a numbered form
        of the last."""
        numbered = (f"{names[-1]} ({nth})" for nth in itertools.count(2))
        tried = itertools.chain(names, numbered)
        free = next(each for each in tried if each.casefold() not in self._taken)
        self._taken.add(free.casefold())
        return free


async def _taken(rows: AsyncIterator[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    taken: list[Mapping[str, Any]] = []
    async for row in rows:
        taken.append(row)
        if len(taken) == _CHUNK:
            break
    return taken
