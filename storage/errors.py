"""Translates SQLite's errors, which are not used outside this package.

Rule: SQLite's message is kept for the operator; it names tables and columns, never
their contents.
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
# Errors of the values: a number too large, a lone surrogate, a row that another one
# refers to.
_REJECTED = (sqlite3.IntegrityError, sqlite3.DataError, UnicodeError)
_REJECTED_NAMES = {"SQLITE_MISMATCH", "SQLITE_RANGE", "SQLITE_TOOBIG"}


def translated(error: Exception) -> StorageError:
    """Return the StorageError for `error`, raised while reading or writing."""
    name = _name(error)
    kind, advice = StorageError, "the database refused"
    if isinstance(error, _REJECTED) or name in _REJECTED_NAMES:
        kind = StorageRejected
    if name in _FULL:
        kind = StorageFull
        advice = "the disk of the database is full, make room; nothing is lost"
    elif name.startswith(_BROKEN):
        kind = StorageBroken
        advice = "the database is damaged, restore it from a backup"
    translation = kind(f"{advice} ({name}: {error})")
    translation.__cause__ = error
    return translation


def refusal(path: Path, error: sqlite3.Error) -> ConfigError:
    """Return the error for a database at `path` that cannot be opened."""
    name = _name(error)
    instead = "set THREADKEEP_DB to another file"
    if name.startswith("SQLITE_NOTADB"):
        return ConfigError(f"{path} is not a database; move it away, or {instead}.")
    if name.startswith("SQLITE_CORRUPT"):
        return damaged(path, str(error))
    if name in _FULL:
        return ConfigError(
            f"There is no room on the disk of {path}; make some, or {instead}."
        )
    if name.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM")):
        return ConfigError(
            f"{path} cannot be written; make it and its directory writable, "
            f"or {instead}."
        )
    if name.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return ConfigError(
            f"Another program is writing to {path}; stop it first, or {instead}."
        )
    return ConfigError(f"{path} cannot be opened ({name}: {error}); {instead}.")


def damaged(path: Path, finding: str) -> ConfigError:
    """Return the error for a damaged database at `path`."""
    one_line = " ".join(finding.split())
    return ConfigError(
        f"{path} is damaged ({one_line}); restore it from a backup, or set "
        "THREADKEEP_DB to another file."
    )


def _name(error: Exception) -> str:
    # Errors that Python's sqlite3 module raises itself have no SQLite name.
    return getattr(error, "sqlite_errorname", type(error).__name__)
