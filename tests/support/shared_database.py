"""A PostgreSQL database with all tables, shared by the tests of a process in turn. A
new database for each test would take a minute in all."""

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
    return ServerAddress(of.of(of.create(postgres.migrated(of))))


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
    # # Closed before the server ends.
    Finalize(None, found.close, exitpriority=1)
    return found


async def begin_anew(*owners: str, role: str = "serve") -> None:
    """Delete all rows of the shared database except the record of its migrations, and
    enter the processes `owners`."""

    def begin(db: Connection) -> None:
        # Messages of the previous test may still wait to be indexed.
        index_alone(db)
        db.execute("SELECT pg_temp.empty()")
        for owner in owners:
            leases.enter(db, owner, role, 0.0)

    await _emptying().write(begin)


@cache
def _emptying() -> Pool:
    """Return a pool whose connection ignores triggers and foreign keys. Switching them
    off for one transaction would discard the plans of all statements of a
    connection."""

    def connect() -> Connection:
        options = "-c session_replication_role=replica"
        db = Connection(shared().url, options=options)
        tables = db.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            " AND tablename <> 'threadkeep_steps'"
        )
        # The statements of a function are planned once.
        deleting = "".join(f'DELETE FROM "{name}"; ' for (name,) in tables)
        db.execute(
            "CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql"
            f" AS $$ BEGIN {deleting} END $$"
        )
        return db

    found = Pool(connect, writers=1, readers=1)
    Finalize(None, found.close, exitpriority=1)
    return found
