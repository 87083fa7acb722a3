"""The shards of a process, and the start of their sessions."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.discord import gateway
from adapters.discord.adapter import connect
from adapters.discord.config import DiscordConfig
from adapters.discord.gateway import SPACE, SessionTurns
from bot.domain.shard_range import ShardRange
from bot.errors import ConfigError, StorageBusy
from bot.ports.processes import Gateways
from tests.emulators.discord.emulator import DiscordEmulator
from tests.storage.test_leases import OneOf
from tests.support.discord_harness import ScriptedCore

TOKEN = {"DISCORD_TOKEN": "a.b.c"}


@pytest.mark.parametrize(
    ("written", "shards"),
    [
        ("", None),
        ("2", ShardRange(0, 1, 2)),
        ("0-3/16", ShardRange(0, 3, 16)),
        ("15/16", ShardRange(15, 15, 16)),
    ],
)
def test_a_process_has_the_shards_that_are_written(
    written: str, shards: ShardRange | None
) -> None:
    config = DiscordConfig.from_env({**TOKEN, "DISCORD_SHARDS": written})
    assert config.shards == shards


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("many", "such as 0-3/16, not “many”"),
        ("0-3", "such as 0-3/16, not “0-3”"),
        ("-1/4", "not “-1/4”"),
        ("0-3/0", "from 1 to 99999"),
        ("0", "from 1 to 99999"),
        ("999999", "from 1 to 99999"),
        ("3-0/16", "from 3 to 0: write the lower number first"),
        ("0-16/16", "names shard 16, but 16 shards have the numbers 0 to 15"),
    ],
)
def test_a_range_that_is_none_is_one_sentence(written: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        DiscordConfig.from_env({**TOKEN, "DISCORD_SHARDS": written})
    assert says in str(caught.value)
    assert str(caught.value).count(".") == 1


class Waits:
    """Takes the time that it is asked to sleep, without sleeping."""

    def __init__(self) -> None:
        self.seconds: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.seconds.append(seconds)


def store_of(owner: str, *, shared: OneOf | None = None) -> OneOf:
    """Return a store whose clock stands still."""
    store = OneOf(owner, shared)
    store._clock = lambda: 100.0
    return store


async def test_the_sessions_of_all_processes_start_one_after_another() -> None:
    one, waits = store_of("one"), Waits()
    for store in (one, store_of("two", shared=one), store_of("three", shared=one)):
        turns = SessionTurns(store, "1", 1, waits.sleep)
        await turns.wait(0)
    assert waits.seconds == [SPACE, 2 * SPACE]


async def test_shards_that_discord_lets_start_at_once_do_not_wait() -> None:
    one, waits = store_of("one"), Waits()
    two = SessionTurns(store_of("two", shared=one), "1", 2, waits.sleep)
    await SessionTurns(one, "1", 2, waits.sleep).wait(0)
    await two.wait(1)
    assert waits.seconds == []
    await two.wait(2)
    assert waits.seconds == [SPACE]


async def test_a_process_alone_spaces_its_own_sessions() -> None:
    waits = Waits()
    turns = SessionTurns(None, "1", 1, waits.sleep)
    await turns.wait(0)
    assert waits.seconds == []
    await turns.wait(1)
    assert waits.seconds[0] == pytest.approx(SPACE, abs=0.5)


async def test_without_the_store_a_session_waits_as_long_as_alone() -> None:
    class Broken(OneOf):
        async def take_slot(self, name: str, seconds: float) -> float:
            raise StorageBusy("away")

    waits = Waits()
    await SessionTurns(Broken("one"), "1", 1, waits.sleep).wait(0)
    assert waits.seconds == [SPACE]


async def test_a_clock_that_was_set_back_keeps_nobody_away_for_long() -> None:
    store = OneOf("one")
    store._clock = lambda: 100_000.0
    assert await store.take_slot("x", 5.0) == 0.0
    store._clock = lambda: 10.0
    assert await store.take_slot("x", 5.0) <= 250.0


@contextlib.asynccontextmanager
async def gateway_of(
    discord: DiscordEmulator, store: Gateways, shards: str
) -> AsyncIterator[tuple[ScriptedCore, "asyncio.Task[None]"]]:
    """A gateway process with these shards, and what its core hears."""
    core = ScriptedCore()
    async with connect({**discord.env, "DISCORD_SHARDS": shards}) as adapter:
        host = replace(core.host, gateways=store)
        task = asyncio.create_task(adapter.run(host))
        try:
            yield core, task
        finally:
            task.cancel()
            await asyncio.wait({task})


async def test_two_processes_share_the_shards_and_none_starts_too_soon(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Six times as long, for whoever is late on a machine that is busy.
    monkeypatch.setattr(gateway, "SPACE", 0.6)
    one = OneOf("one")
    async with DiscordEmulator(identify_interval=0.1) as discord:
        alice = discord.add_user("Alice")
        places = [
            discord.add_channel("c", guild=discord.add_guild("G", shard=(n, 4)))
            for n in range(4)
        ]
        async with (
            gateway_of(discord, one, "0-1/4") as (low, _),
            gateway_of(discord, OneOf("two", one), "2-3/4") as (high, _),
        ):
            await discord.until(lambda: discord.gateway.connected == 4)
            for number, place in enumerate(places):
                discord.say(alice, place, f"{discord.mention} {number}")
            async with asyncio.timeout(60):
                while len(low.heard) + len(high.heard) < 4:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
        # Each identified once: none was sent away because it came too soon.
        assert sorted(discord.gateway.log) == [("IDENTIFY", n) for n in range(4)]
        assert {each.text[-1] for each in low.heard} == {"0", "1"}
        assert {each.text[-1] for each in high.heard} == {"2", "3"}


async def test_shards_that_overlap_those_of_another_process_do_not_start(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "SPACE", 0.0)
    one = OneOf("one")
    async with DiscordEmulator() as discord:
        async with gateway_of(discord, one, "0-1/4"):
            await discord.until(lambda: discord.gateway.connected == 2)
            two = OneOf("two", one)
            async with gateway_of(discord, two, "1-2/4") as (_, task):
                with pytest.raises(ConfigError, match="1-2/4 overlap 0-1/4"):
                    await task
            assert discord.gateway.connected == 2
            # A second gateway for the same shards is a spare.
            async with gateway_of(discord, two, "0-1/4"):
                await discord.until(lambda: discord.gateway.connected == 4)
        one.end()
        two.end()
        # What an ended process had is free.
        async with gateway_of(discord, OneOf("three", one), "1-2/4"):
            await discord.until(lambda: ("IDENTIFY", 2) in discord.gateway.log)


async def test_what_both_gateways_of_a_shard_hear_is_carried_out_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gateway, "SPACE", 0.0)
    one = OneOf("one")
    async with DiscordEmulator() as discord:
        alice, place = discord.add_user("Alice"), discord.add_channel("general")
        async with (
            gateway_of(discord, one, "0/1") as (first, _),
            gateway_of(discord, OneOf("two", one), "0/1") as (second, _),
        ):
            await discord.until(lambda: discord.gateway.connected == 2)
            for number in range(1, 6):
                asked = discord.command(alice, place, "claude usage")
                await discord.until(lambda asked=asked: asked.response)  # type: ignore[misc]
                # What both were sent afterwards is behind that in each session.
                discord.say(alice, place, f"{discord.mention} {number}")
                async with asyncio.timeout(60):
                    while min(len(first.heard), len(second.heard)) < number:  # noqa: ASYNC110
                        await asyncio.sleep(0.01)
                assert len(first.given) + len(second.given) == number
