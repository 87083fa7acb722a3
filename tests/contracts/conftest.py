"""The stores that the contract tests of the ports run against."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports.store import Store
from storage import leases
from storage.opening import Where, open_store
from storage.store import DatabaseStore
from tests.support import postgres

#: The name of the process that the store on PostgreSQL is of.
OWNER = "here"


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Where:
    """Where the store of a test is."""
    if request.param == "sqlite":
        return tmp_path / "threadkeep.db"
    return postgres.shared()


@pytest.fixture
async def store(database: Where) -> AsyncIterator[Store]:
    if isinstance(database, Path):
        async with open_store(database) as store:
            yield store
    else:
        # A new database for each test would take a minute.
        pool = postgres.pool()
        await pool.write(postgres.empty)
        await pool.write(lambda db: leases.enter(db, OWNER, "serve", 0.0))
        yield DatabaseStore(
            *(pool.read, pool.write, pool.report), clock=time.time, owner=OWNER
        )
