"""Writes rows into a table of any SQLite file, for use by other programs."""

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


async def write_table(
    path: Path, table: str, rows: AsyncIterator[Mapping[str, Any]]
) -> None:
    """Replace `table` in the file at `path` by `rows`, with their number as its key;
    create the file if it is new.

    Raises ConfigError; then the table is unchanged.
    """
    numbers = itertools.count(1)
    try:
        # A file that SQLite creates is world-readable.
        make_private(path)
        with closing(Database(path)) as db:
            db.execute("BEGIN IMMEDIATE")
            db.table(table).drop(ignore=True)
            while chunk := await _taken(rows):
                numbered = [
                    {"row": number, **row}
                    for row, number in zip(chunk, numbers, strict=False)
                ]
                db.table(table).insert_all(numbered, pk="row", alter=True)
            db.execute("COMMIT")
    except (OSError, sqlite3.Error) as error:
        raise ConfigError(output_failed(file=path, reason=error)) from None


async def _taken(rows: AsyncIterator[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    taken: list[Mapping[str, Any]] = []
    async for row in rows:
        taken.append(row)
        if len(taken) == _CHUNK:
            break
    return taken
