"""A PostgreSQL database with all tables, shared by the tests of a process in turn. A
new database for each test would take a minute in all."""

from contextlib import closing
from functools import cache
from multiprocessing.util import Finalize

from bot.domain.server_address import ServerAddress
from storage import leases, search_index
from storage.dialect import index_alone
from storage.postgres.connection import Connection
from storage.postgres.pool import Pool
from tests.support import postgres


@cache
def shared() -> ServerAddress:
    """Return the address of the database that the tests of this process share."""
    of = postgres.server()
    url = of.of(of.create(postgres.migrated(of)))
    with closing(Connection(url)) as db:
        postgres.add_emptying(db.raw)
    return ServerAddress(url)


@cache
def pool() -> Pool:
    """Return the pool of threads for the shared database."""
    return pool_for_all_tests()


def pool_for_all_tests() -> Pool:
    """Return a new pool for the shared database, closed when the process ends. It has
    as few connections as concurrent transactions need, because a connection's catalog
    cache takes the server more time than most tests."""
    url = shared().url
    found = Pool(
        *(lambda: Connection(url), search_index.settle_removed, search_index.fill),
        writers=2,
        readers=1,
    )
    # Closed before the server ends.
    Finalize(None, found.close, exitpriority=1)
    return found


async def begin_anew(*owners: str, role: str = "serve") -> None:
    """Delete all rows of the shared database except the record of its migrations, and
    enter the processes `owners`."""

    def begin(db: Connection) -> None:
        # Messages of the previous test may still wait to be indexed.
        index_alone(db)
        db.execute("SELECT tests.empty()")
        for owner in owners:
            leases.enter(db, owner, role, 0.0)

    await _emptying().write(begin)


@cache
def _emptying() -> Pool:
    """Return a pool with one connection that deletes all rows."""
    url = shared().url
    found = Pool(
        lambda: Connection(url, options=postgres.DELETING), writers=1, readers=1
    )
    Finalize(None, found.close, exitpriority=1)
    return found
