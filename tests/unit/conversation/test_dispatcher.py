"""One turn at a time per thread, any number of threads at once."""

import asyncio
import logging

import pytest

from bot.conversation.dispatcher import MOST_FAILURES, ThreadDispatcher
from bot.conversation.stop_signal import StopSignal
from bot.domain.scope import Scope, ThreadKey
from bot.runtime.background import Background

HERE = ThreadKey("fake", "w", "c", "here")
THERE = ThreadKey("fake", "w", "c", "there")


class Site:
    """Work that waits to be let go, and notes what runs at once."""

    def __init__(self) -> None:
        self.started: list[ThreadKey] = []
        self.running: list[ThreadKey] = []
        self.at_once = 0
        self.gate = asyncio.Event()
        self.begun = asyncio.Event()
        self.stop_signals: list[StopSignal] = []

    async def work(self, thread: ThreadKey, stop_signal: StopSignal) -> None:
        assert thread not in self.running, "two turns of one thread"
        self.started.append(thread)
        self.stop_signals.append(stop_signal)
        stop_signal.begin("turn")
        self.running.append(thread)
        self.at_once = max(self.at_once, len(self.running))
        self.begun.set()
        try:
            await self.gate.wait()
        finally:
            self.running.remove(thread)


async def test_what_comes_while_a_lane_works_makes_it_look_again_once() -> None:
    site = Site()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, site.work)
        dispatcher.put(HERE)
        await site.begun.wait()
        dispatcher.put(HERE)
        dispatcher.put(HERE)
        site.gate.set()
    assert site.started == [HERE, HERE]
    assert site.at_once == 1


async def test_threads_do_not_wait_for_each_other() -> None:
    site = Site()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, site.work)
        dispatcher.put(HERE)
        dispatcher.put(THERE)
        await site.begun.wait()
        await asyncio.sleep(0)
        site.gate.set()
    assert site.at_once == 2


async def test_a_lane_exists_only_while_it_has_work() -> None:
    site = Site()
    site.gate.set()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, site.work)
        dispatcher.put(HERE)
    assert dispatcher._active == {}


async def test_stop_reaches_the_running_turn_once() -> None:
    site = Site()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, site.work)
        assert not dispatcher.stop(HERE)
        dispatcher.put(HERE)
        await site.begun.wait()
        reading = asyncio.create_task(site.gate.wait())
        site.stop_signals[0].end_on_request(reading)
        # Meant for another turn, as by a button of an earlier answer.
        assert not dispatcher.stop(HERE, "earlier")
        assert dispatcher.running(Scope("fake", "w", "c")) == [(HERE, "turn")]
        assert dispatcher.running(Scope("fake", "w", "elsewhere")) == []
        assert dispatcher.stop(HERE, "turn")
        assert not dispatcher.stop(HERE)
        await asyncio.wait({reading})
        assert reading.cancelled()
        site.gate.set()


async def test_whoever_has_to_wait_is_told_once_for_each_turn() -> None:
    site = Site()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, site.work)
        assert not dispatcher.delays(HERE, "bob")
        dispatcher.put(HERE)
        await site.begun.wait()
        assert dispatcher.delays(HERE, "bob")
        assert not dispatcher.delays(HERE, "bob")
        assert dispatcher.delays(HERE, "eve")
        site.stop_signals[0].begin("next")
        assert dispatcher.delays(HERE, "bob")
        site.gate.set()


async def test_closing_lets_turns_finish() -> None:
    site = Site()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, site.work)
        dispatcher.put(HERE)
        await site.begun.wait()
        dispatcher.put(HERE)
        closing = tasks.start("close", dispatcher.close(grace=60))
        await asyncio.sleep(0)
        site.gate.set()
        await closing
        dispatcher.put(THERE)
    # What came meanwhile is durable: the next process answers it.
    assert site.started == [HERE]


async def test_closing_cancels_what_takes_too_long() -> None:
    site = Site()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, site.work)
        dispatcher.put(HERE)
        await site.begun.wait()
        await dispatcher.close(grace=0)
    assert site.running == []


async def test_an_unforeseen_error_is_tried_again_and_given_up(
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = []

    async def work(thread: ThreadKey, stop_signal: StopSignal) -> None:
        tries.append(thread)
        raise ValueError("what Alice said")

    with caplog.at_level(logging.ERROR):
        async with Background() as tasks:
            ThreadDispatcher(tasks, work).put(HERE)
    assert len(tries) == MOST_FAILURES
    assert "ValueError(test_dispatcher.py:" in caplog.text
    assert "Alice" not in caplog.text


async def test_a_thread_that_moved_goes_on_where_it_went() -> None:
    seen = []

    async def work(thread: ThreadKey, stop_signal: StopSignal) -> ThreadKey | None:
        seen.append(thread)
        return THERE if thread == HERE else None

    async with Background() as tasks:
        ThreadDispatcher(tasks, work).put(HERE)
    assert seen == [HERE, THERE]


async def test_a_drained_thread_leaves_the_last_slot_after_each_turn() -> None:
    left = {HERE: 3, THERE: 1}

    async def work(thread: ThreadKey, stop_signal: StopSignal) -> ThreadKey | None:
        left[thread] -= 1
        return thread if left[thread] else None

    async with Background() as tasks:
        dispatcher = ThreadDispatcher(tasks, work, at_once=1)
        assert await dispatcher.drain(HERE) is None
        # Others may have the slot now, here or in other processes.
        assert left[HERE] == 2
        await dispatcher.drain(THERE)
        assert left[THERE] == 0
        # While there is another slot, it goes on.
        dispatcher = ThreadDispatcher(tasks, work, at_once=2)
        await dispatcher.drain(HERE)
        assert left[HERE] == 0


async def test_a_workspace_takes_no_more_slots_than_are_its_own() -> None:
    site = Site()
    async with Background() as tasks:
        dispatcher = ThreadDispatcher(
            tasks, site.work, at_once=4, per_workspace={"fake": 1}
        )
        dispatcher.put(HERE)
        await site.begun.wait()
        assert not dispatcher.may_take(THERE)
        assert dispatcher.may_take(ThreadKey("fake", "w2", "c", "there"))
        site.gate.set()
