"""Locks a database against a second process.

Rule: the lock is on a separate file next to the database. Opening and closing the
database file other than through SQLite would drop SQLite's locks on it.

Why not filelock: on Unix it makes the same single call, but it cannot check a lock
without creating the file. Where `flock` is missing, it uses by default a marker file
that a killed process leaves behind.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.errors import ConfigError, InUse
from bot.messages import storage as messages


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """Hold the lock of `database`. Raises InUse if another process holds it.

    The lock ends with the process, however the process ends. The file stays, because
    deleting it would let two processes lock two files of the same name.
    """
    file = _file(database)
    try:
        lock = os.open(file, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigError(
            messages.lock_unwritable(path=file, reason=error.strerror)
        ) from error
    try:
        _lock(lock, database)
        yield
    finally:
        os.close(lock)


def require_unlocked(database: Path) -> None:
    """Raise InUse if another process holds the lock of `database`. Creates nothing.

    Raises ConfigError if the lock cannot be taken.
    """
    file = _file(database)
    try:
        lock = os.open(file, os.O_RDWR)
    except FileNotFoundError:
        return
    except OSError as error:
        raise ConfigError(
            messages.lock_unwritable(path=file, reason=error.strerror)
        ) from error
    try:
        _lock(lock, database)
    finally:
        os.close(lock)


def _file(database: Path) -> Path:
    # Resolved, because two spellings of a path must use one lock.
    file = database.resolve()
    return file.with_name(file.name + ".lock")


def _lock(lock: int, database: Path) -> None:
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise InUse(messages.in_use(path=database)) from error
    except OSError as error:
        raise ConfigError(
            messages.unlockable(path=database, reason=error.strerror)
        ) from error
