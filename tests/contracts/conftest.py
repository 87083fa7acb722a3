"""The stores that the contract tests of the ports run against."""

import time
from collections.abc import AsyncIterator

import pytest

from bot.ports.store import Store
from storage import leases
from storage.store import DatabaseStore
from tests.support import shared_database
from tests.support.memory_store import MemoryStore

#: The name of the process that the store is of.
OWNER = "here"


# What connections know of the tables, and have compiled for them, stays.
@pytest.fixture(
    params=[
        pytest.param(name, marks=pytest.mark.together(name))
        for name in ("sqlite", "postgres")
    ]
)
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    """A store on SQLite, and one on PostgreSQL. The threads and the file of the first
    have tests of their own in `tests/storage`."""
    if request.param == "sqlite":
        in_memory = MemoryStore()
        in_memory.owner = OWNER
        leases.enter_alone(in_memory.db, OWNER, 0.0)
        yield in_memory
    else:
        await shared_database.begin_anew(OWNER)
        pool = shared_database.pool()
        yield DatabaseStore(
            *(pool.read, pool.write, pool.report), clock=time.time, owner=OWNER
        )
