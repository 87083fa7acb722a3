"""`threadkeep explore`: Datasette with the data that may be shown, on loopback only."""

import asyncio
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from storage.opening import open_store
from tests.support.process import Nursery
from tests.support.store_helpers import exchange, said
from tests.system.test_commands import MISTAKE, Shell

# The nursery of the module lives on one loop, and its tests with it.
pytestmark = pytest.mark.asyncio(loop_scope="module")

WORD = "zanzibar"
_ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+/\w+")


@asynccontextmanager
async def exploring(shell: Shell, *arguments: str) -> AsyncIterator[str]:
    """Run the command on a database in which somebody said something."""
    async with open_store(shell.folder / "threadkeep.db") as store:
        await exchange(store, said("m1", text=f"the {WORD} plan"), f"{WORD}!")
    process = shell.process({})
    await process.start("explore", "--port", "0", *arguments, nursery=shell.nursery)
    try:
        async with asyncio.timeout(60):
            while not (found := _ADDRESS.search(process.output)):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        yield found[0]
    finally:
        process.kill(signal.SIGINT)
        await process.ended()
        assert "Traceback" not in process.output


async def get(address: str, host: str = "") -> tuple[int, str]:
    headers = {"Host": host} if host else {}
    async with (
        aiohttp.ClientSession() as session,
        session.get(address, headers=headers) as response,
    ):
        return response.status, await response.text()


async def test_numbers_are_shown_and_no_words(tmp_path: Path, nursery: Nursery) -> None:
    async with exploring(Shell(tmp_path, nursery)) as address:
        status, page = await get(address)
        assert (status, "Costly threads" in page) == (200, True)
        for path in ("/turns.json", "/messages.json", "/slow_answers.json"):
            status, page = await get(address + path)
            assert (status, WORD in page) == (200, False)
        status, page = await get(f"{address}.json?sql=select+text+from+messages")
        assert "no such column" in page
        # A site whose name points here reads nothing.
        assert (await get(address, host="evil.example"))[0] == 421
        status, page = await get(f"{address}.json?sql=delete+from+turns")
        assert status != 200


async def test_words_are_shown_where_that_is_asked_for_and_nothing_changes(
    tmp_path: Path, nursery: Nursery
) -> None:
    async with exploring(Shell(tmp_path, nursery), "--with-text") as address:
        status, page = await get(f"{address}/messages.json?_shape=array")
        assert (status, WORD in page) == (200, True)
        for query in ("delete+from+turns", "update+turns+set+text%3D''"):
            assert (await get(f"{address}.json?sql={query}"))[0] != 200
    async with open_store(tmp_path / "threadkeep.db") as store:
        assert len(await store.open_threads()) == 0


async def test_what_cannot_be_explored_is_said_in_a_sentence(
    tmp_path: Path, nursery: Nursery
) -> None:
    shell = Shell(tmp_path, nursery)
    status, printed = await shell.run({}, "explore", "--port", "0")
    assert (status, "threadkeep.db" in printed) == (MISTAKE, True)
    async with open_store(shell.folder / "threadkeep.db"):
        pass
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        status, printed = await shell.run({}, "explore", "--port", port)
        assert (status, f"Port {port}" in printed) == (MISTAKE, True)
