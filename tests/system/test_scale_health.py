"""Gateways and workers report their health to supervisors and monitoring."""

import asyncio
import re
from pathlib import Path

import pytest
from aiohttp import ClientSession

from tests.support.process import Nursery, Process
from tests.support.scale_harness import PATIENCE, Cluster, cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTENING = re.compile(r"web\.listening address=http://(127\.0\.0\.1:\d+)")


async def address_of(town: Cluster, process: Process) -> str:
    """Return where `process` is asked how it is."""
    await town.until(lambda: LISTENING.search(process.output))
    found = LISTENING.search(process.output)
    assert found
    return found[1]


async def until_ready(session: ClientSession, address: str) -> None:
    """Ask the process at `address` until it is ready."""
    async with asyncio.timeout(PATIENCE):
        while True:
            async with session.get(f"http://{address}/readyz") as response:
                if response.status == 200:
                    return
            await asyncio.sleep(0.05)


async def test_a_gateway_and_a_worker_tell_how_they_are_where_that_is_set(
    tmp_path: Path, nursery: Nursery
) -> None:
    async with cluster(tmp_path, nursery) as town, ClientSession() as session:
        town.env["THREADKEEP_WEB"] = "127.0.0.1:0"
        address = ""
        for role in ("gateway", "work"):
            address = await address_of(town, await town.start(role))
            await until_ready(session, address)
            async with session.get(f"http://{address}/healthz") as response:
                assert await response.json() == {"alive": True}
            async with session.get(f"http://{address}/metrics") as response:
                assert "threadkeep_ready 1.0" in await response.text()
        # One that finds the address taken says so, and answers all the same.
        town.env["THREADKEEP_WEB"] = address
        late = await town.start("work")
        await town.until(lambda: f"Another process uses {address}" in late.output)
        await town.stop(town.processes[1])
        town.claude.always("Paris.")
        ts = town.say("?")
        await town.until(lambda: town.replies(ts) == ["Paris."])
        await town.delivered()
