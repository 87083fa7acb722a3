"""Reads from the configured database, a SQLite file or a PostgreSQL server, beside
other processes.

This module does not import the store, so that commands that only report start quickly.
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
    """The connection pool of a database on a server."""

    read: Transaction
    write: WriteTransaction
    report: Transaction


class Server(Protocol):
    """The functions of `storage.postgres.opening`."""

    def open_pool(
        self, address: ServerAddress, process: str = ""
    ) -> AbstractContextManager[Pool]: ...
    def open_pool_beside(
        self, address: ServerAddress
    ) -> AbstractContextManager[Pool]: ...
    def look_at(self, address: ServerAddress) -> bool: ...


def server() -> Server:
    """Return the module that opens databases on a server. Raises ConfigError if its
    packages are not installed."""
    needed = ("psycopg", "procrastinate")
    if not all(map(importlib.util.find_spec, needed)):
        raise ConfigError(messages.NOT_INSTALLED)
    return cast(Server, importlib.import_module("storage.postgres.opening"))


@contextmanager
def reading(at: Where) -> Iterator[Transaction]:
    """Yield a function that reads from the database at `at`, beside other processes.

    Raises ConfigError if it is not a Threadkeep database, or if an older version wrote
    it and it lacks the tables to read.
    """
    if isinstance(at, Path):
        with closing(Reader(open_beside(at))) as reader:
            try:
                yield reader.read
            except StorageError:
                database.require_current(at)
                raise
    else:
        with server().open_pool_beside(at) as pool:
            yield pool.read


def look_at(at: Where) -> bool:
    """Return whether the database at `at`, or its tables, do not exist yet.

    Creates and changes nothing. Raises ConfigError if the database cannot be used as it
    is, and InUse if another process has a file open.
    """
    return database.look_at(at) if isinstance(at, Path) else server().look_at(at)


def is_new(at: Where) -> bool:
    """Return whether the database at `at` does not exist or has no tables.

    Raises ConfigError if it is not a Threadkeep database.
    """
    return database.is_new(at) if isinstance(at, Path) else server().look_at(at)
