"""Threads that this process is woken for, and those that it has no place for."""

import asyncio

from bot.conversation.dispatcher import StopSignal, ThreadDispatcher
from bot.conversation.drains import Drains
from bot.domain.scope import Scope, ThreadKey
from bot.runtime.background import Background
from tests.support.memory_store import MemoryStore

HERE = ThreadKey("fake", "w", "c", "here")
THERE = ThreadKey("fake", "w", "c", "there")
ELSEWHERE = ThreadKey("fake", "w2", "c", "there")


async def test_a_thread_without_a_place_for_its_workspace_is_left_to_others() -> None:
    gate, drained = asyncio.Event(), list[ThreadKey]()

    async def work(thread: ThreadKey, stop: StopSignal) -> None:
        drained.append(thread)
        await gate.wait()

    async def sort(case: int, channel: Scope) -> bool:
        return True

    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, work, at_once=4, per_workspace={"fake": 1})
        drains = Drains(MemoryStore(), dispatcher, sort, tasks)
        first = asyncio.create_task(drains.drain(HERE))
        while not drained:  # noqa: ASYNC110
            await asyncio.sleep(0)
        assert not await drains.drain(THERE)
        second = asyncio.create_task(drains.drain(ELSEWHERE))
        while len(drained) < 2:  # noqa: ASYNC110
            await asyncio.sleep(0)
        gate.set()
        assert await first
        assert await second
        assert await drains.drain(THERE)
    assert drained == [HERE, ELSEWHERE, THERE]
