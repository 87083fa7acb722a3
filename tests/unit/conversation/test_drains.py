"""Threads that this process is woken for, and those that it has no place for."""

import asyncio

from bot.conversation.dispatcher import ThreadDispatcher
from bot.conversation.drains import Drains
from bot.conversation.stop_signal import StopSignal
from bot.domain.scope import Scope, ThreadKey
from bot.runtime.background import Background
from tests.storage.test_leases import OneOf
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import said, waiting

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


async def test_a_thread_that_is_said_to_be_answered_here_and_is_not_is_left() -> None:
    one = OneOf("one")
    two = OneOf("two", one)
    asked = await waiting(one, said("m1"))
    here = asked.thread
    gate, begun = asyncio.Event(), asyncio.Event()

    async def work(thread: ThreadKey, stop: StopSignal) -> None:
        begun.set()
        await gate.wait()

    async def sort(case: int, channel: Scope) -> bool:
        return True

    async with Background() as tasks:
        drains = Drains(one, ThreadDispatcher(tasks, work, at_once=4), sort, tasks)
        assert await one.take_turn(here)
        draining = asyncio.create_task(drains.drain(here))
        await begun.wait()
        drains.release([here])
        await asyncio.sleep(0)
        assert await two.take_turn(here) is None
        gate.set()
        await draining
        # A server says so that lost the end of that.
        assert await one.take_turn(here)
        drains.release([here])
    assert await two.take_turn(here)
