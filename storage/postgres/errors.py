"""Translates PostgreSQL's errors for use outside this package.

Rule: only the code and the primary message of an error are kept. The details contain
values, which may be people's messages. The text of a connection failure may contain the
address with its password.
"""

from typing import TypeVar

import psycopg

from bot.errors import StorageError, StorageFull, StorageRejected
from bot.messages import storage as messages

Kind = TypeVar("Kind", bound=StorageError)

# Disk full.
_FULL = {"53100"}

# A serialization failure and a deadlock: a retry may succeed.
_AGAIN = {"40001", "40P01"}


def translate(error: Exception) -> StorageError:
    """Return the StorageError for `error`, raised while reading or writing."""
    if isinstance(error, StorageError):
        return error
    kind, advice = StorageError, messages.REFUSED
    if isinstance(error, (psycopg.IntegrityError, psycopg.DataError, UnicodeError)):
        kind = StorageRejected
    elif code(error) in _FULL:
        kind, advice = StorageFull, messages.DISK_FULL
    elif is_lost(error):
        advice = messages.SERVER_LOST
    return _of(kind, advice, error)


def refused_values(error: psycopg.Error) -> StorageRejected:
    """Return the error for values that the database will never accept."""
    return _of(StorageRejected, messages.REFUSED, error)


def is_transient(error: BaseException) -> bool:
    """Return whether a retry of the same transaction may succeed."""
    return isinstance(error, psycopg.Error) and code(error) in _AGAIN


def is_lost(error: BaseException) -> bool:
    """Return whether `error` means that the connection or the server is lost."""
    return isinstance(error, psycopg.OperationalError) and (
        error.sqlstate is None or error.sqlstate.startswith(("08", "57P"))
    )


def is_unprepared(error: BaseException) -> bool:
    """Return whether the server lacks a statement that the connection has prepared.

    After a failed transaction, the two may disagree permanently.
    """
    return isinstance(error, psycopg.errors.InvalidSqlStatementName)


def is_read_only(error: BaseException) -> bool:
    """Return whether `error` means that the server accepts no writes.

    The server has then become a replica, and a new connection may reach the primary.
    """
    return isinstance(error, psycopg.errors.ReadOnlySqlTransaction)


def code(error: BaseException) -> str:
    """Return the SQLSTATE of `error`, or the name of its type."""
    state = getattr(error, "sqlstate", None)
    return state or type(error).__name__


def _of(kind: type[Kind], advice: str, error: Exception) -> Kind:
    return kind(messages.failed(what=advice, name=code(error), error=_primary(error)))


def _primary(error: Exception) -> str:
    """Return the server's message, unless it may contain values."""
    if not isinstance(error, psycopg.Error) or isinstance(error, psycopg.DataError):
        return type(error).__name__
    return error.diag.message_primary or type(error).__name__
