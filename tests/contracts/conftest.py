"""The stores that the contract tests of the ports run against."""

import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports.store import Store
from storage.reading import Where
from storage.store import DatabaseStore
from tests.support import kept_file, shared_database

#: The name of the process that the store is of.
OWNER = "here"


# What connections know of the tables, and have compiled for them, stays.
@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.together(name))
        for name in ("sqlite", "postgres")
    ]
)
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Where:
    """The file or the server address of the test's store."""
    if request.param == "sqlite":
        return tmp_path_factory.getbasetemp() / "contracts.db"
    return shared_database.shared()


@pytest.fixture
async def store(database: Where) -> AsyncIterator[Store]:
    if isinstance(database, Path):
        async with kept_file.opened(database, OWNER) as store:
            yield store
    else:
        await shared_database.begin_anew(OWNER)
        pool = shared_database.pool()
        yield DatabaseStore(
            *(pool.read, pool.write, pool.report), clock=time.time, owner=OWNER
        )
