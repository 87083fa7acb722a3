"""A flag behaves as an event of asyncio."""

import asyncio
import sys

import pytest

from bot.runtime.flag import Flag

BOTH = pytest.mark.parametrize("kind", [Flag, asyncio.Event])


async def turns() -> None:
    """Let everything run that can."""
    for _ in range(5):
        await asyncio.sleep(0)


@BOTH
async def test_all_who_wait_go_on(kind: type[Flag]) -> None:
    flag, went = kind(), list[int]()

    async def wait(number: int) -> None:
        await flag.wait()
        went.append(number)

    waiting = [asyncio.create_task(wait(number)) for number in range(3)]
    await turns()
    assert (went, flag.is_set()) == ([], False)
    flag.set()
    # Reset before anybody ran.
    flag.clear()
    await asyncio.gather(*waiting)
    assert (went, flag.is_set()) == ([0, 1, 2], False)


@BOTH
async def test_nobody_waits_for_a_flag_that_is_set(kind: type[Flag]) -> None:
    flag = kind()
    flag.set()
    await flag.wait()
    assert flag.is_set()


@BOTH
async def test_who_is_cancelled_leaves_the_others_waiting(kind: type[Flag]) -> None:
    flag = kind()
    leaving, staying = (asyncio.create_task(flag.wait()) for _ in range(2))
    await turns()
    leaving.cancel()
    await turns()
    assert (leaving.cancelled(), staying.done()) == (True, False)
    flag.set()
    await staying


async def test_it_takes_little_memory() -> None:
    flag, event = Flag(), asyncio.Event()
    assert sys.getsizeof(flag) * 5 < sys.getsizeof(event._waiters)


async def test_waits_for_a_time_or_for_ever() -> None:
    flag = Flag()
    await flag.wait_at_most(0.0)
    waiting = [asyncio.create_task(flag.wait_at_most(t)) for t in (60.0, float("inf"))]
    await turns()
    assert not any(each.done() for each in waiting)
    flag.set()
    await asyncio.gather(*waiting)
