"""Writes the vitals of the running process to a file beside the database, for other
processes.

Rule: the file is replaced as a whole, only its owner can read it, and nothing waits for
it. It may be lost: anything that must not be lost is in the store.
"""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import msgspec

from bot.domain.vitals import Vitals
from bot.runtime import private_files
from bot.runtime.background import finish

log = logging.getLogger(__name__)

# The interval in seconds at which the file is written, and its age in seconds at which
# its process counts as gone.
EVERY = 5.0
FRESH = 30.0

# The delay in seconds before the file is written early.
SOON = 0.2


def beside(database: Path) -> Path:
    """Return the path of the status file of the database at `database`."""
    return database.with_name(f"{database.name}.status")


def read(database: Path, now: float | None = None) -> Vitals | None:
    """Return the vitals of the process that has `database` open; None if there is none,
    or if its file is too old."""
    try:
        found = msgspec.json.decode(beside(database).read_bytes(), type=Vitals)
    except (OSError, msgspec.DecodeError):
        return None
    age = (time.time() if now is None else now) - found.at
    return found if age <= FRESH else None


class StatusFile:
    """Writes the result of `vitals` to the status file of `database`."""

    def __init__(
        self,
        database: Path,
        vitals: Callable[[], Vitals],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._path = beside(database)
        self._vitals = vitals
        self._sleep = sleep
        self._hurried = asyncio.Event()
        self._failed = False

    def hurry(self) -> None:
        """Request that the file is written soon."""
        self._hurried.set()

    async def keep(self) -> None:
        """Write the file until cancelled, then delete it."""
        try:
            while True:
                # Cleared before writing, so that a request during the write causes
                # another one.
                self._hurried.clear()
                await self._write()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(EVERY):
                        await self._hurried.wait()
                        await self._sleep(SOON)
        finally:
            with contextlib.suppress(OSError):
                self._path.unlink()

    async def _write(self) -> None:
        text = msgspec.json.encode(self._vitals()).decode()
        try:
            # Finished even if cancelled: otherwise the thread could recreate the file
            # after it was deleted.
            await finish(asyncio.to_thread(_replace, self._path, text))
            self._failed = False
        except OSError as error:
            if not self._failed:
                log.warning("status.unwritable reason=%s", error.strerror)
            self._failed = True


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f"{path.name}-new")
    with private_files.open_private(new, replace=True) as out:
        out.write(text)
    os.replace(new, path)
