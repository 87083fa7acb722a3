"""Reads from the database in a thread of its own.

Rule 1: each read sees one committed state of the database, whatever is being written.
Rule 2: the number of waiting reads is bounded. Another read is rejected at once.
"""

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlite_utils import Database

from bot.errors import StorageError
from bot.messages import storage as messages
from bot.runtime.allowance import Allowance
from storage.errors import translate
from storage.writer import MOST_WAITING, crowded_error

log = logging.getLogger(__name__)

T = TypeVar("T")


class Reader:
    """Runs queries one after the other on a connection of its own."""

    def __init__(self, db: Database, most: int = MOST_WAITING) -> None:
        self._db = db
        # The executor's queue is unbounded.
        self._allowance = Allowance(most)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="storage-reader")
        self._closed = False

    async def read(self, query: Callable[[Database], T]) -> T:
        """Return the result of `query`, which must not refer to the connection.

        Raises StorageError, or StorageBusy if too many reads wait.
        """
        if self._closed:
            raise StorageError(messages.CLOSED)
        if not self._allowance.take():
            raise crowded_error("storage.reads_refused", self._allowance)
        loop = asyncio.get_running_loop()
        answer = loop.run_in_executor(self._thread, self._run, query)
        answer.add_done_callback(self._on_answer)
        return await answer

    def close(self) -> None:
        """Run the waiting queries, then close the connection. Blocks until then."""
        self._closed = True
        self._thread.shutdown()
        self._db.close()

    def _on_answer(self, _: object) -> None:
        if refused := self._allowance.give():
            log.info("storage.reads_taken_again refused=%d", refused)

    def _run(self, query: Callable[[Database], T]) -> T:
        try:
            with self._db.atomic():
                return query(self._db)
        except sqlite3.Error as error:
            raise translate(error) from error
