"""The stores that the contract tests of the ports run against."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports.store import Store
from storage import leases
from storage.opening import Where
from storage.store import DatabaseStore
from tests.support import kept_file, postgres

#: The name of the process that the store is of.
OWNER = "here"


@pytest.fixture(params=["sqlite", "postgres"])
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Where:
    """Where the store of a test is."""
    if request.param == "sqlite":
        return tmp_path_factory.getbasetemp() / "contracts.db"
    return postgres.shared()


@pytest.fixture
async def store(database: Where) -> AsyncIterator[Store]:
    if isinstance(database, Path):
        async with kept_file.opened(database, OWNER) as store:
            yield store
    else:
        # A new database for each test would take a minute.
        pool = postgres.pool()
        await pool.write(postgres.empty)
        await pool.write(lambda db: leases.enter(db, OWNER, "serve", 0.0))
        yield DatabaseStore(
            *(pool.read, pool.write, pool.report), clock=time.time, owner=OWNER
        )
