"""Searches a database file for damage while it is in use.

SQLite reads the whole file for this. That takes one second per gigabyte if the file is
in the page cache, and minutes if it is not. A serving process therefore does not wait
for the search (`open_for_writing`), and exits if damage is found.
"""

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlite_utils import Database

from bot.errors import ConfigError
from storage.database import open_for_reading, require_health
from storage.errors import damaged_error, is_damage, translate

# Time between two attempts to interrupt SQLite, in seconds. SQLite ignores an interrupt
# that arrives before its statement has begun.
AGAIN = 0.05


async def find_damage(path: Path) -> ConfigError | None:
    """Return the error for a damaged database at `path`, or None if the database is
    sound.

    Cancelling this call ends the search. Raises StorageError if the file cannot be
    searched.
    """
    db = open_for_reading(path)
    search = asyncio.get_running_loop().run_in_executor(None, _search, db, path)
    try:
        return await asyncio.shield(search)
    finally:
        while not search.done():
            db.conn.interrupt()
            await asyncio.wait({search}, timeout=AGAIN)


def _search(db: Database, path: Path) -> ConfigError | None:
    with closing(db):
        try:
            require_health(db, path)
        except ConfigError as damage:
            return damage
        except sqlite3.Error as error:
            if is_damage(error):
                return damaged_error(path, str(error))
            raise translate(error) from error
    return None
