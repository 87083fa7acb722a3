"""Keeps a second process out of a database.

Rule: the lock is on a file of its own beside the database. To open and close the
database file itself, other than through SQLite, would drop SQLite's own locks.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import ConfigError, InUse


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Have `database` to ourselves. Raises InUse when somebody else has it.

    The lock goes with the process, however that ends; the file stays behind,
    because removing it would let two processes lock two files of one name.
    """
    # Resolved, so that two ways to write one path meet in one lock.
    file = database.resolve()
    file = file.with_name(file.name + ".lock")
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(
            f"{file} cannot be written ({error.strerror}); make its directory "
            "writable, or set THREADKEEP_DB to another file."
        ) from error
    try:
        _lock(lock, database)
        yield
    finally:
        os.close(lock)


def _lock(lock: int, database: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InUse(
            f"Another threadkeep is using {database}; stop it first, or set "
            "THREADKEEP_DB to another file."
        ) from error
    except OSError as error:
        raise ConfigError(
            f"{database} cannot be locked ({error.strerror}); set THREADKEEP_DB to "
            "a file on a local disk."
        ) from error
