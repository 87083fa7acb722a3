"""The nursery, which forks the processes of tests."""

import asyncio
import os
from pathlib import Path

from tests.support.process import Fork, Nursery


async def test_a_cancelled_start_does_not_affect_the_next(tmp_path: Path) -> None:
    async with Nursery() as nursery:

        def start() -> asyncio.Task[Fork]:
            coroutine = nursery.fork(("--version",), os.environ, tmp_path / "log")
            return asyncio.create_task(coroutine)

        cancelled = start()
        # Until it waits for the process.
        await asyncio.sleep(0)
        cancelled.cancel()
        fork = await start()
        assert await fork.wait() == 0
