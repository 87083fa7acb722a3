"""Opens the store in the database that the operator chose: a SQLite file or a
PostgreSQL server.

Rule: code above this module never asks which of the two it is.
"""

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager, closing
from functools import partial
from pathlib import Path

from sqlite_utils import Database

from bot.domain.scope import Scope
from bot.domain.server_address import ServerAddress
from bot.errors import InUse
from storage import database, erasures, leases, search_index
from storage.connection import Connection
from storage.database import (
    open_beside,
    open_beside_to_write,
    open_for_reading,
    open_for_writing,
)
from storage.lock import locked
from storage.mending import mend
from storage.passages import KeepingDatabase
from storage.reader import Reader
from storage.reading import Where, server
from storage.store import DatabaseStore
from storage.writer import Writer


@asynccontextmanager
async def open_store(
    at: Where, *, clock: Callable[[], float] = time.time, trusting: bool = False
) -> AsyncIterator[DatabaseStore]:
    """Open the database at `at`, and create what is missing.

    A file is opened for this process alone, a database on a server beside other
    processes. With `trusting`, the caller runs `find_damage` afterwards. Leaving waits
    for pending writes. Raises ConfigError if the database cannot be used.
    """
    now, owner = clock(), secrets.token_hex(8)

    def enter(db: Connection) -> None:
        if isinstance(at, Path):
            leases.enter_alone(db, owner, now)
        else:
            leases.enter(db, owner, "serve", now)
        mend(db, now=now)

    with ExitStack() as stack:
        if isinstance(at, Path):
            database.make_directory(at)
            stack.enter_context(locked(at))
            db = KeepingDatabase(open_for_writing(at, trusting=trusting))
            writer = stack.enter_context(closing(_writer(db)))
            reader = stack.enter_context(closing(Reader(open_for_reading(at))))
            reports = stack.enter_context(closing(Reader(open_for_reading(at))))
            await writer.write(enter)
            yield DatabaseStore(
                *(reader.read, writer.write, reports.read, writer.read),
                clock=clock,
                owner=owner,
                tidy=partial(database.empty_log, at),
            )
        else:
            pool = stack.enter_context(server().open_pool(at, owner))
            await pool.write(enter)
            yield DatabaseStore(
                *(pool.read, pool.write, pool.report),
                clock=clock,
                owner=owner,
                shared=True,
            )


@asynccontextmanager
async def open_shared_store(at: Where) -> AsyncIterator[DatabaseStore]:
    """Open the database at `at` to read and change settings, beside other processes.

    Raises ConfigError if it is not a Threadkeep database, or has another version.
    """
    with ExitStack() as stack:
        if isinstance(at, Path):
            writer = stack.enter_context(closing(_writer(open_beside_to_write(at))))
            reader = stack.enter_context(closing(Reader(open_beside(at))))
            tidy = partial(database.empty_log, at)
            yield DatabaseStore(reader.read, writer.write, clock=time.time, tidy=tidy)
        else:
            pool = stack.enter_context(server().open_pool_beside(at))
            yield DatabaseStore(pool.read, pool.write, pool.report, clock=time.time)


@asynccontextmanager
async def open_or_share(at: Where) -> AsyncIterator[DatabaseStore]:
    """Open the database at `at` for a command, even beside a running bot.

    Creates what is missing. Raises ConfigError if the database cannot be used.
    """
    async with AsyncExitStack() as stack:
        if isinstance(at, ServerAddress):
            pool = stack.enter_context(server().open_pool(at))
            store = DatabaseStore(pool.read, pool.write, pool.report, clock=time.time)
        else:
            try:
                store = await stack.enter_async_context(open_store(at))
            except InUse:
                store = await stack.enter_async_context(open_shared_store(at))
        yield store


async def forget_person(at: Where, place: Scope, person: str) -> int:
    """Delete everything that `person` wrote in the workspace of `place`.

    Returns the number of messages. Other processes may have the database open. Raises
    ConfigError if it is not a Threadkeep database, or has another version.
    """

    def delete(db: Connection) -> int:
        return erasures.delete_person(db, place, person, time.time())

    if isinstance(at, Path):
        with closing(_writer(open_beside_to_write(at))) as writer:
            return await writer.write(delete)
    with server().open_pool_beside(at) as pool:
        return await pool.write(delete)


def _writer(db: Database) -> Writer:
    """Return the writer of `db`, which keeps the search index up to date."""
    return Writer(db, search_index.settle)
