"""Searches all tables of a database, and the bytes of its files, for a word."""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path


def in_tables(database: Path, word: str) -> list[str]:
    """Return every place of every table where `word` stands, as "table.column: value".

    Reads all tables that there are, so that a table that is added later is looked
    through, too.
    """
    with closing(sqlite3.connect(database)) as db:
        return in_rows(db, word)


def in_rows(db: sqlite3.Connection, word: str) -> list[str]:
    """Return every place where `word` stands, as `in_tables` does, in a database that
    is open."""
    found = []
    names = [
        name
        for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
    ]
    assert {"messages", "replies", "turns", "cases", "audit"} <= set(names)
    for name in names:
        rows = db.execute(f'SELECT * FROM "{name}"')
        columns = [column for column, *_ in rows.description]
        for row in rows:
            found += [
                f"{name}.{column}: {value!r}"
                for column, value in zip(columns, row, strict=True)
                if word.lower() in str(value).lower()
            ]
    return found


def in_files(database: Path, word: str) -> list[str]:
    """Return the files of `database` in whose bytes `word` stands after a checkpoint:
    in a page, a free page, the rest of a page, or the log."""
    with closing(sqlite3.connect(database)) as db:
        db.execute("PRAGMA busy_timeout = 5000")
        busy, *_ = db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        assert not busy
    return in_bytes(database, word)


def in_bytes(database: Path, word: str) -> list[str]:
    """Return the files of `database` in whose bytes `word` stands now."""
    return [
        file.name
        for file in sorted(database.parent.glob(f"{database.name}*"))
        if word.encode() in file.read_bytes()
    ]


async def until_gone(database: Path, word: str) -> None:
    """Wait until `word` stands in no table; fail with where it still does."""
    for _ in range(500):
        if not (left := in_tables(database, word)):
            break
        await asyncio.sleep(0.02)
    assert not left, left
    assert in_files(database, word) == []


async def until_there(database: Path, word: str) -> None:
    """Wait until `word` stands in some table."""
    for _ in range(500):
        if in_tables(database, word):
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"{word} was never stored")
