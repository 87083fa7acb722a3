"""Messages that people deleted while the bot was down are deleted here, too."""

import asyncio

import pytest

from adapters.discord import message_listener, missed_deletions
from bot.domain.scope import ThreadKey
from tests.adapters.discord.conftest import Guild
from tests.adapters.discord.test_troubles import answering
from tests.support.memory_store import MemoryStore

TEXTS = "my password is hunter2", "thanks", "bye"


@pytest.fixture(autouse=True)
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    # The messages of a test count as posted long ago.
    monkeypatch.setattr(missed_deletions, "SETTLED", -60.0)


async def talked(guild: Guild) -> tuple[str, list[str]]:
    """Return a thread, and three messages in it that are stored when the bot ends."""
    guild.claude.always("Yes.")
    async with answering(guild.discord, guild.claude, guild.store):
        thread = await guild.thread_of(guild.mention("first"))
        await guild.answered(thread, "Yes.")
        said = [guild.discord.say(guild.bob, thread, text) for text in TEXTS]
        async with asyncio.timeout(60):
            while not all(await known(guild, thread, *said)):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await guild.quiet()
    await guild.discord.until(lambda: not guild.discord.gateway.connected)
    return thread, said


async def known(guild: Guild, thread: str, *messages: str) -> list[bool]:
    """Return which of `messages` are stored."""
    key = ThreadKey("discord", guild.discord.guild, guild.general, thread)
    found = [await guild.store.stored_message(key, each) for each in messages]
    return [each is not None for each in found]


async def caught_up(guild: Guild) -> None:
    """Let the bot answer what was said while it was down."""
    async with answering(guild.discord, guild.claude, guild.store):
        await guild.claude.until(
            lambda: any("are you there?" in each for each in guild.prompts()), 20
        )
        await guild.quiet()


async def test_a_message_that_was_deleted_meanwhile_is_not_read_by_claude(
    unattended: Guild,
) -> None:
    thread, said = await talked(unattended)
    unattended.discord.delete(said[0])
    unattended.mention("are you there?", thread)
    await caught_up(unattended)
    assert await known(unattended, thread, thread, *said) == [True, False, True, True]


async def test_nothing_is_deleted_where_history_may_not_be_read(
    unattended: Guild, store: MemoryStore
) -> None:
    thread, said = await talked(unattended)
    denied = ["read_message_history"]
    unattended.discord.set_permissions(unattended.general, deny=denied)
    unattended.discord.say(unattended.bob, thread, "nobody reads this")
    path = f"/channels/{thread}/messages"
    async with answering(unattended.discord, unattended.claude, unattended.store):
        await unattended.discord.until(lambda: unattended.discord.calls_of("GET", path))
        async with asyncio.timeout(60):
            while store.db.execute("SELECT 1 FROM outages").fetchall():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    assert await known(unattended, thread, thread, *said) == [True] * 4


async def test_nothing_is_deleted_beyond_what_was_read(
    unattended: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    thread, said = await talked(unattended)
    first, *later = said
    unattended.discord.delete(*later)
    # The first message and those that the bot posted are the most that are read.
    posted = [each.id for each in unattended.discord.messages(thread)]
    most = posted.index(first) + 1
    monkeypatch.setattr(message_listener, "MOST_MISSED", most)
    unattended.mention("are you there?", unattended.general)
    unattended.discord.say(unattended.bob, thread, "too late")
    await caught_up(unattended)
    assert await known(unattended, thread, *said) == [True, True, True]


async def test_the_root_of_a_thread_that_was_deleted_meanwhile_is_forgotten(
    unattended: Guild,
) -> None:
    thread, said = await talked(unattended)
    unattended.discord.delete(thread)
    unattended.mention("are you there?")
    await caught_up(unattended)
    assert await known(unattended, thread, thread, *said) == [False, True, True, True]
