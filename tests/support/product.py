"""A pytest plugin with the fixtures of all tests of Threadkeep. The emulators' own
tests do not need it."""

import functools
import sys
from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from adapters.discord.parsing import State
from tests.support import log_levels, memory_store
from tests.support.memory_store import migrate_new
from tests.support.process import Nursery


def pytest_configure(config: pytest.Config) -> None:
    """Make new databases copies of a migrated one, because many tests open a new one,
    and sessions on Discord ready without two seconds of waiting."""
    patch = pytest.MonkeyPatch()
    config.add_cleanup(patch.undo)
    patch.setattr("storage.database.migrate", migrate_new)
    patient = functools.partial(State, guild_ready_timeout=GUILD_READY)
    patch.setattr("adapters.discord.client.State", patient)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Migrate a database for the test processes. Compile the templates of the web pages
    if they are tested."""
    if session.config.getoption("workers"):
        memory_store.prepare()
        if server := sys.modules.get("adapters.web.server"):
            templates = server.environment()
            for name in templates.list_templates():
                templates.get_template(name)


#: Seconds without a further server after which Discord's SDK takes a session for ready.
#: By default it waits for two seconds; the emulator sends all servers at once.
GUILD_READY = 0.25


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def nursery() -> AsyncIterator[Nursery]:
    """The nursery of a module, whose tests share its event loop."""
    async with Nursery() as opened:
        yield opened


@pytest.fixture(autouse=True)
def leave_nothing() -> Iterator[None]:
    """Restore the log levels after each test, and release its databases in memory."""
    with memory_store.ending(), log_levels.kept():
        yield
