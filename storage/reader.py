"""The one thread that reads from the database, beside the one that writes.

Rule 1: each read sees one committed state of the database, whatever is being written.
Rule 2: at most so many reads wait; one more is refused at once.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlite_utils import Database

from bot.errors import StorageError
from bot.runtime.allowance import Allowance
from storage.errors import translated
from storage.writer import MOST_WAITING, crowded

log = logging.getLogger(__name__)

T = TypeVar("T")


class Reader:
    """Answers queries one after the other."""

    def __init__(self, db: Database, most: int = MOST_WAITING) -> None:
        self._db = db
        # The executor's own queue knows no bound.
        self._allowance = Allowance(most)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-reader")
        self._closed = False

    async def read(self, query: Callable[[Database], T]) -> T:
        """What `query` returns, which must be plain values.

        Raises StorageError; StorageBusy where too much waits.
        """
        if self._closed:
            raise StorageError("the database is closed")
        if not self._allowance.take():
            raise crowded("storage.reads_refused", self._allowance)
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._thread, self._run, query)
        answer.add_done_callback(self._answered)
        return await answer

    def close(self) -> None:
        """Answer what waits, then close the connection. Blocks until that is done."""
        self._closed = True
        self._thread.shutdown()
        self._db.close()

    def _answered(self, _: object) -> None:
        if refused := self._allowance.give():
            log.info("storage.reads_taken_again refused=%d", refused)

    def _run(self, query: Callable[[Database], T]) -> T:
        try:
            with self._db.atomic():
                return query(self._db)
        except sqlite3.Error as error:
            raise translated(error) from error
