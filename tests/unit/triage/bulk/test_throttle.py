"""The number of calls at once is limited."""

import asyncio

import pytest

from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit
from bot.triage.bulk.throttle import FIRST, Throttle


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        await asyncio.sleep(0)


def throttle(most: int = 100) -> tuple[Throttle, Clock]:
    clock = Clock()
    return Throttle(most, clock=clock, sleep=clock.sleep), clock


def headers(name: str, limit: int, left: int) -> dict[str, str]:
    return {
        f"anthropic-ratelimit-{name}-limit": str(limit),
        f"anthropic-ratelimit-{name}-remaining": str(left),
    }


async def test_no_more_run_than_there_is_room_for() -> None:
    tested, _ = throttle()
    running = most = 0
    gate = asyncio.Event()

    async def call() -> None:
        nonlocal running, most
        async with tested.turn():
            running += 1
            most = max(most, running)
            await gate.wait()
            running -= 1

    calls = [asyncio.create_task(call()) for _ in range(10)]
    await asyncio.sleep(0)
    assert running == FIRST
    gate.set()
    await asyncio.gather(*calls)
    assert most == FIRST


async def test_room_grows_with_answers_up_to_the_most() -> None:
    tested, _ = throttle(most=7)
    for _ in range(20):
        tested.succeeded({}, (1, 1))
    assert tested.room == 7


async def test_refusals_of_one_moment_halve_the_room_once() -> None:
    tested, clock = throttle(most=64)
    for _ in range(60):
        tested.succeeded({}, (1, 1))
    clock.now = 10.0
    for _ in range(30):
        tested.refuse(began=9.0, wait=5.0)
    assert tested.room == 32
    assert tested.refused == 30
    async with tested.turn() as began:
        assert began == 15.0
    # One that began later says something new; growth is slow from now on.
    tested.refuse(began=15.0, wait=0.0)
    assert tested.room == 16
    tested.succeeded({}, (1, 1))
    assert tested.room == pytest.approx(16 + 1 / 16)


async def test_near_a_limit_calls_are_spaced_so_that_it_is_kept() -> None:
    tested, _ = throttle()
    tested.succeeded(headers("requests", 600, 500), (100, 10))
    async with tested.turn() as first:
        pass
    async with tested.turn() as second:
        assert second == first
    tested.succeeded(headers("requests", 600, 100), (100, 10))
    moments = []
    for _ in range(3):
        async with tested.turn() as began:
            moments.append(began)
    assert moments[2] - moments[1] == pytest.approx(60 / (600 * 0.95))
    tested.succeeded(headers("input-tokens", 60_000, 1_000), (1_000, 10))
    async with tested.turn():
        pass
    async with tested.turn() as next_one:
        pass
    async with tested.turn() as last:
        assert last - next_one == pytest.approx(60 * 1_000 / (60_000 * 0.95))


async def test_a_caller_that_goes_away_leaves_its_place() -> None:
    tested, _ = throttle(most=1)
    async with tested.turn():
        gone = asyncio.create_task(tested.turn().__aenter__())
        waits = asyncio.create_task(tested.turn().__aenter__())
        await asyncio.sleep(0)
        gone.cancel()
        await asyncio.wait([gone])
        assert not waits.done()
    async with asyncio.timeout(60):
        await waits


async def test_a_budget_is_never_passed() -> None:
    limit = SpendLimit(1.0, spent=0.3)
    await limit.reserve(0.4)
    waiting = asyncio.create_task(limit.reserve(0.5))
    await asyncio.sleep(0)
    assert not waiting.done()
    limit.release(0.4, 0.1)
    await waiting
    assert limit.left == pytest.approx(0.1)
    limit.release(0.5, None)
    assert limit.spent == pytest.approx(0.9)
    with pytest.raises(BudgetReached):
        await limit.reserve(0.2)
