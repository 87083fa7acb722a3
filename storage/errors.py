"""Translates SQLite's errors for use outside this package.

Rule: SQLite's message is kept for the operator. It names tables and columns, but never
contains their values.
"""

import sqlite3
from pathlib import Path

from bot.errors import (
    ConfigError,
    StorageBroken,
    StorageError,
    StorageFull,
    StorageRejected,
)
from bot.messages import storage as messages

# A full disk or quota is not always reported as FULL: some file systems notice it only
# when they flush.
_FULL = {
    "SQLITE_FULL",
    "SQLITE_IOERR_WRITE",
    "SQLITE_IOERR_FSYNC",
    "SQLITE_IOERR_DIR_FSYNC",
    "SQLITE_IOERR_TRUNCATE",
    "SQLITE_IOERR_SHMSIZE",
}
_BROKEN = ("SQLITE_NOTADB", "SQLITE_CORRUPT")
# Errors caused by values: a number too large, a lone surrogate, a row that another row
# references.
_REJECTED = (sqlite3.IntegrityError, sqlite3.DataError, UnicodeError)
_REJECTED_NAMES = {"SQLITE_MISMATCH", "SQLITE_RANGE", "SQLITE_TOOBIG"}


def translate(error: Exception) -> StorageError:
    """Return the StorageError for `error`, raised while reading or writing."""
    name = _name(error)
    kind, advice = StorageError, messages.REFUSED
    if isinstance(error, _REJECTED) or name in _REJECTED_NAMES:
        kind = StorageRejected
    if name in _FULL:
        kind = StorageFull
        advice = messages.DISK_FULL
    elif name.startswith(_BROKEN):
        kind = StorageBroken
        advice = messages.DAMAGED
    translation = kind(messages.failed(what=advice, name=name, error=error))
    translation.__cause__ = error
    return translation


def refusal(path: Path, error: sqlite3.Error) -> ConfigError:
    """Return the error for a database at `path` that cannot be opened."""
    name = _name(error)
    if path.is_dir():
        return ConfigError(messages.a_directory(path=path))
    if name.startswith("SQLITE_NOTADB"):
        return ConfigError(messages.not_a_database(path=path))
    if name.startswith("SQLITE_CORRUPT"):
        return damaged_error(path, str(error))
    if name in _FULL:
        return ConfigError(messages.no_room(path=path))
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return ConfigError(messages.unwritable(path=path))
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return ConfigError(messages.written_by_another(path=path))
    return ConfigError(messages.unopenable(path=path, name=name, error=error))


def is_damage(error: sqlite3.Error) -> bool:
    """Return whether `error` says that the file is damaged."""
    return _name(error).startswith(_BROKEN)


def damaged_error(path: Path, finding: str) -> ConfigError:
    """Return the error for a damaged database at `path`."""
    one_line = " ".join(finding.split())
    return ConfigError(messages.damaged(path=path, finding=one_line))


def _name(error: Exception) -> str:
    # Errors that Python's sqlite3 module raises itself have no SQLite name.
    return getattr(error, "sqlite_errorname", type(error).__name__)
