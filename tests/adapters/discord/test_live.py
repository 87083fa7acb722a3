"""`threadkeep check --live` on Discord names the causes of missing events."""

import asyncio
from collections.abc import AsyncIterator

import pytest_asyncio

from adapters.discord.live import check
from bot.domain.finding import Finding, Grade
from tests.emulators.discord.emulator import DiscordEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel

GOOD, BAD = Grade.GOOD, Grade.BAD


@pytest_asyncio.fixture
async def discord() -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator() as discord:
        yield discord


async def tried(discord: DiscordEmulator, channel: str, **env: str) -> Finding:
    [found] = await check({**discord.env, **env}, channel, None, patience=1.0)
    return found


async def test_a_message_that_comes_back_is_deleted_again(
    discord: DiscordEmulator,
) -> None:
    channel = discord.add_channel("test")
    found = await tried(discord, channel)
    assert (found.grade, f"discord:{channel}" in found.text) == (GOOD, True)
    assert discord.messages(channel) == []
    await discord.until(lambda: not discord.gateway.connected)


async def test_what_the_bot_may_not_see_or_write_is_named(
    discord: DiscordEmulator,
) -> None:
    hidden, quiet = discord.add_channel("hidden"), discord.add_channel("quiet")
    discord.set_permissions(hidden, deny=["view_channel"])
    discord.set_permissions(quiet, deny=["send_messages"])
    found = await tried(discord, hidden)
    assert (found.grade, "View Channel" in found.text) == (BAD, True)
    found = await tried(discord, quiet)
    assert (found.grade, "Send Messages" in found.text) == (BAD, True)
    for wrong in ("1", "not a number"):
        assert (await tried(discord, wrong)).grade is BAD


async def test_a_missing_intent_is_named() -> None:
    async with DiscordEmulator(message_content=False) as discord:
        channel = discord.add_channel("test")
        found = await tried(discord, channel, DISCORD_MESSAGE_CONTENT="on")
        assert (found.grade, "Message Content" in found.text) == (BAD, True)
        assert (await tried(discord, channel)).grade is GOOD


async def test_the_running_bot_is_asked_where_there_is_one(
    discord: DiscordEmulator,
) -> None:
    channel = discord.add_channel("test")
    async with running(discord, MemoryStore(), ScriptedModel()) as app:

        async def heard(message: str) -> bool:
            for _ in range(300):
                if f"discord:{message}" in app.vitals.read().echoes:
                    return True
                await asyncio.sleep(0.01)
            return False

        [found] = await check(discord.env, channel, heard)
        assert (found.grade, "running bot" in found.text) == (GOOD, True)
        assert discord.messages(channel) == []

        async def deaf(message: str) -> bool:
            return False

        [found] = await check(discord.env, channel, deaf)
        assert found.grade is BAD
        assert discord.messages(channel) == []
