"""The one thread that reads from the database, beside the one that writes.

Rule: each read sees one committed state of the database, whatever is being written.
"""

import asyncio
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlite_utils import Database

from bot.errors import StorageError
from storage.faults import translated

T = TypeVar("T")


class Reader:
    """Answers queries one after the other."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-reader")
        self._closed = False

    async def read(self, query: Callable[[Database], T]) -> T:
        """What `query` returns, which must be plain values. Raises StorageError."""
        if self._closed:
            raise StorageError("the database is closed")
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._thread, self._run, query)

    def close(self) -> None:
        """Answer what waits, then close the connection. Blocks until that is done."""
        self._closed = True
        self._thread.shutdown()
        self._db.close()

    def _run(self, query: Callable[[Database], T]) -> T:
        try:
            with self._db.atomic():
                return query(self._db)
        except sqlite3.Error as error:
            raise translated(error) from error
