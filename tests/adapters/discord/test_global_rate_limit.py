"""The global rate limit of a bot, over all channels."""

import asyncio
from itertools import pairwise
from typing import Any

import pytest

from adapters.discord.client import open_link
from adapters.discord.config import DiscordConfig
from adapters.discord.global_rate_limit import BURST, EACH, MOST, GlobalRateLimiter
from bot.domain.call_lease import CallLease
from bot.errors import StorageBusy, ThreadLost
from bot.runtime import fencing
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.rates import Rate
from tests.storage.test_leases import OneOf


async def test_a_rush_in_many_channels_meets_no_limit() -> None:
    # Less than Discord's second, because a busy machine delays calls on their way.
    async with DiscordEmulator(rates={"global": Rate(50, 0.8)}) as discord:
        channels = [discord.add_channel(f"room-{n}") for n in range(60)]
        async with open_link(DiscordConfig.from_env(discord.env)) as link:
            places = [link.client.get_partial_messageable(int(c)) for c in channels]
            await asyncio.gather(*(place.send("hello") for place in places))
        assert all(discord.messages(channel) for channel in channels)
        assert discord.refused == 0


async def test_a_patient_call_goes_last_and_a_cancelled_one_not_at_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.discord.global_rate_limit.SECONDS", (0.1, 0.2))
    turnstile, left = GlobalRateLimiter(), []

    async def leave(name: str, *, patient: bool = False) -> None:
        await turnstile.acquire(patient=patient)
        left.append(name)

    for _ in range(MOST):
        await leave("before")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(leave("typing", patient=True))
        gone = tasks.create_task(leave("gone"))
        tasks.create_task(leave("post"))
        # One turn of the loop puts all three in line.
        await asyncio.sleep(0)
        gone.cancel()
    assert left[MOST:] == ["post", "typing"]


async def test_after_a_refusal_calls_are_further_apart(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("adapters.discord.global_rate_limit.MOST", 5)
    monkeypatch.setattr("adapters.discord.global_rate_limit.SECONDS", (0.0, 0.4))
    loop = asyncio.get_running_loop()
    async with DiscordEmulator(rates={"global": Rate(5, 0.2)}) as discord:
        channels = [discord.add_channel(f"room-{n}") for n in range(12)]
        async with open_link(DiscordConfig.from_env(discord.env)) as link:
            places = [link.client.get_partial_messageable(int(c)) for c in channels]
            await asyncio.gather(*(place.send("hello") for place in places))
            assert (refused := discord.refused) > 0
            began = loop.time()
            # Of these the last waits for the first one.
            await asyncio.gather(*(place.send("again") for place in places[:6]))
    assert loop.time() - began >= 0.4
    assert discord.refused == refused
    assert caplog.text.count("discord.global_limit") == 1


def test_a_refusal_widens_by_a_step_and_ten_minutes_without_one_narrow() -> None:
    now = 0.0
    limiter = GlobalRateLimiter(lambda: now)
    found = [limiter.seconds]
    for now in (100.0, 100.9, 102.0, 104.0, 703.9, 704.0, 1304.0):
        # The second refusal is of a call that was under way with the first.
        if now < 700:
            limiter.refused()
        found.append(limiter.seconds)
    assert found == [1.05, 1.1, 1.1, 1.5, 1.5, 1.5, 1.1, 1.05]


async def test_two_processes_meet_no_limit_together() -> None:
    async with DiscordEmulator() as discord:
        channels = [discord.add_channel(f"room-{n}") for n in range(72)]
        config, one = DiscordConfig.from_env(discord.env), OneOf("one")
        async with (
            open_link(config, listens=False) as here,
            open_link(config, listens=False) as there,
        ):
            here.share_calls(one)
            there.share_calls(OneOf("two", one))
            await asyncio.gather(
                *(
                    link.client.get_partial_messageable(int(channel)).send("hello")
                    for half, link in ((0, here), (1, there))
                    for channel in channels[half::2]
                )
            )
        assert all(discord.messages(channel) for channel in channels)
        assert discord.refused == 0


async def test_calls_are_leased_a_few_at_a_time_and_each_is_used_once() -> None:
    limiter = GlobalRateLimiter()
    wanted: list[int] = []

    async def lease(want: int) -> CallLease:
        wanted.append(want)
        return CallLease(min(want, 3), 0.0, 2)

    limiter.lease = lease
    await asyncio.gather(*(limiter.acquire() for _ in range(10)))
    assert wanted == [BURST, 7, 4, 1]


async def test_a_call_waits_as_long_as_there_is_no_lease() -> None:
    limiter, loop = GlobalRateLimiter(), asyncio.get_running_loop()
    answers = [CallLease(0, 0.05, 2), CallLease(1, 0.0, 2)]

    async def lease(want: int) -> CallLease:
        return answers.pop(0)

    limiter.lease = lease
    began = loop.time()
    await limiter.acquire()
    assert loop.time() - began >= 0.04
    assert answers == []


async def test_an_unforeseen_error_costs_no_call(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("adapters.discord.global_rate_limit.AGAIN", 0.01)
    limiter = GlobalRateLimiter()
    errors: list[Exception] = [LookupError(), ValueError()]

    async def lease(want: int) -> CallLease:
        if errors:
            raise errors.pop()
        return CallLease(want, 0.0, 2)

    limiter.lease = lease
    await limiter.acquire()
    assert errors == []


async def test_without_the_store_calls_go_on_at_the_share_of_a_process() -> None:
    limiter = GlobalRateLimiter()
    times: list[float] = []

    async def lease(want: int) -> CallLease:
        if not times:
            return CallLease(1, 0.0, 4)
        raise StorageBusy("away")

    async def call() -> None:
        await limiter.acquire()
        times.append(asyncio.get_running_loop().time())

    limiter.lease = lease
    for _ in range(4):
        await call()
    gaps = [after - before for before, after in pairwise(times)]
    assert all(gap >= 4 * EACH * 0.9 for gap in gaps)
    await limiter.close()


async def test_a_call_that_may_not_be_made_any_more_is_not_made() -> None:
    steps: list[str] = []

    class Leases(OneOf):
        async def lease_calls(self, *given: Any) -> CallLease:
            steps.append("lease")
            return await super().lease_calls(*given)

    async def lost() -> None:
        steps.append("look")
        raise ThreadLost("another process answers")

    async with DiscordEmulator() as discord:
        channel = discord.add_channel("general")
        async with open_link(DiscordConfig.from_env(discord.env)) as link:
            link.share_calls(Leases("one"))
            place = link.client.get_partial_messageable(int(channel))
            steps.clear()
            with fencing.checked_by(lost), pytest.raises(ThreadLost):
                await place.send("late")
            # However long the lease takes, the look comes after it.
            assert steps == ["lease", "look"]
            await place.send("hello")
        assert [each.text for each in discord.messages(channel)] == ["hello"]
