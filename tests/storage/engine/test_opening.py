"""A process that ends while it connects to the server leaves nothing running."""

import asyncio
from collections.abc import Sequence

from bot.domain.scope import Scope, ThreadKey
from bot.ports.wakeups import WORK
from storage.engine.presence import Presence
from storage.engine.reaper import Reaper
from storage.engine.worker import JobRunner


class _Idle:
    """An answerer without work."""

    async def drain(self, thread: ThreadKey) -> bool:
        return True

    async def sort(self, case: int, channel: Scope) -> bool:
        return True

    def release(self, threads: Sequence[ThreadKey]) -> None:
        pass

    def stop(self, turn: str) -> None:
        pass

    def withdraw(self, turn: str) -> None:
        pass


async def _reap() -> None:
    pass


async def test_a_cancelled_start_leaves_no_task() -> None:
    connected, answering = asyncio.Event(), asyncio.Event()

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await answering.wait()
        writer.close()

    server = await asyncio.start_server(hold, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    address = f"host=127.0.0.1 port={port} dbname=none user=nobody"
    presence = Presence(address, "one", WORK, "one", Reaper(_reap))
    presence.entered.set()
    before = asyncio.all_tasks()
    jobs = JobRunner(address, presence, at_once=1)
    running = asyncio.create_task(jobs.run(_Idle(), [], asyncio.Event()))
    await connected.wait()
    running.cancel()
    await asyncio.sleep(0)
    answering.set()
    await asyncio.wait([running], timeout=5)
    assert running.cancelled()
    left = asyncio.all_tasks() - before
    server.close()
    assert not left
