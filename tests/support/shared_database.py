"""A PostgreSQL database with all tables, which the tests of a process use one after the
other: a new one for each would take a minute in all."""

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
    """Return the address of a database with all tables, which the tests of this process
    use one after the other."""
    of = postgres.server()
    return ServerAddress(of.of(of.create(postgres.migrated(of))))


@cache
def pool() -> Pool:
    """Return the threads of this process for the database that its tests share."""
    return pool_for_all_tests()


def pool_for_all_tests() -> Pool:
    """Return more such threads, closed when the process ends. What a connection knows
    of the tables takes the server more time than most tests: there are no more than it
    takes for transactions at once."""
    url = shared().url
    found = Pool(
        *(lambda: Connection(url), search_index.settle_removed, search_index.fill),
        writers=2,
        readers=1,
    )
    # Before the server ends.
    Finalize(None, found.close, exitpriority=1)
    return found


async def begin_anew(*owners: str, role: str = "serve") -> None:
    """Delete all rows of the database that is shared but the record of its steps, and
    list the processes `owners`."""

    def begin(db: Connection) -> None:
        # Messages of the previous test may still wait to be indexed.
        index_alone(db)
        db.execute("SELECT pg_temp.empty()")
        for owner in owners:
            leases.enter(db, owner, role, 0.0)

    await _emptying().write(begin)


@cache
def _emptying() -> Pool:
    """Return one more connection to the database that is shared, without triggers and
    foreign keys. To switch these off for a transaction would make a connection forget
    the plans of all its statements."""

    def connect() -> Connection:
        options = "-c session_replication_role=replica"
        db = Connection(shared().url, options=options)
        tables = db.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = current_schema()"
            " AND tablename <> 'threadkeep_steps'"
        )
        # Statements of a function are planned once.
        deleting = "".join(f'DELETE FROM "{name}"; ' for (name,) in tables)
        db.execute(
            "CREATE FUNCTION pg_temp.empty() RETURNS void LANGUAGE plpgsql"
            f" AS $$ BEGIN {deleting} END $$"
        )
        return db

    found = Pool(connect, writers=1, readers=1)
    Finalize(None, found.close, exitpriority=1)
    return found
