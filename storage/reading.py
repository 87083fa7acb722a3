"""Reads from whichever database the operator named, a SQLite file or one on a
PostgreSQL server, beside the processes that have it open.

Without the store, which commands that only report do not wait to be imported.
"""

import importlib
import importlib.util
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Protocol, cast

from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError, StorageError
from bot.messages import postgres as messages
from storage import database
from storage.database import open_beside
from storage.methods import Transaction, WriteTransaction
from storage.reader import Reader

#: The path of a SQLite file, or the address of a database on a server.
Where = Path | ServerAddress


class Pool(Protocol):
    """The threads for a database on a server."""

    read: Transaction
    write: WriteTransaction
    report: Transaction


class Server(Protocol):
    """The functions of `storage.postgres.opening`."""

    def opened(
        self, address: ServerAddress, process: str = ""
    ) -> AbstractContextManager[Pool]: ...
    def opened_beside(self, address: ServerAddress) -> AbstractContextManager[Pool]: ...
    def look_at(self, address: ServerAddress) -> bool: ...


def server() -> Server:
    """Return what opens databases on a server. Raises ConfigError if that is not
    installed."""
    needed = ("psycopg", "procrastinate")
    if not all(map(importlib.util.find_spec, needed)):
        raise ConfigError(messages.NOT_INSTALLED)
    return cast(Server, importlib.import_module("storage.postgres.opening"))


@contextmanager
def reading(at: Where) -> Iterator[Transaction]:
    """Yield what reads from the database at `at` beside the processes that have it
    open.

    Raises ConfigError if there is no database of ours, or one that an older version
    wrote and that lacks what is read.
    """
    if isinstance(at, Path):
        with closing(Reader(open_beside(at))) as reader:
            try:
                yield reader.read
            except StorageError:
                database.require_current(at)
                raise
    else:
        with server().opened_beside(at) as pool:
            yield pool.read


def look_at(at: Where) -> bool:
    """Return whether the database at `at` is still to be created, or its tables.

    Creates and changes nothing. Raises ConfigError if it cannot be used as it is, and
    InUse if another process has a file open.
    """
    return database.look_at(at) if isinstance(at, Path) else server().look_at(at)


def is_new(at: Where) -> bool:
    """Return whether there is no database at `at`, or none with tables. Raises
    ConfigError if it is none of ours."""
    return database.is_new(at) if isinstance(at, Path) else server().look_at(at)
