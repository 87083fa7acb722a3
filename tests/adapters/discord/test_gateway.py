"""Gateway sessions that end, resume and are lost."""

import asyncio
import contextlib
import logging
import time

import pytest

from adapters.discord import client, gateway
from adapters.discord.app_commands import digest
from adapters.discord.ask_command import ABOUT
from adapters.discord.client import open_link
from adapters.discord.config import DiscordConfig
from bot.domain.message import Message
from bot.domain.scope import ThreadKey
from tests.adapters.discord.conftest import Guild
from tests.adapters.discord.test_troubles import answering
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import MESSAGES, status
from tests.support import store_helpers


async def test_a_resumed_session_misses_nothing_and_doubles_nothing(
    guild: Guild,
) -> None:
    guild.claude.script("One.", "Two.")
    thread = await guild.thread_of(guild.mention("first"))
    await guild.answered(thread, "One.")
    await guild.quiet()
    guild.discord.gateway.drop(resumable=True)
    await guild.discord.until(lambda: not guild.discord.gateway.connected)
    guild.discord.say(guild.bob, thread, "second")
    await guild.answered(thread, "One.", "Two.")


async def test_what_a_lost_session_missed_is_fetched_and_answered_once(
    unattended: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The next session starts at once.
    monkeypatch.setattr(client, "PAUSE", (0.0, 0.0))
    monkeypatch.setattr(gateway, "SPACE", 0.0)
    guild, discord = unattended, unattended.discord
    guild.claude.script("One.", "Two.", "Three.")
    async with answering(discord, guild.claude, guild.store):
        thread = await guild.thread_of(guild.mention("first"))
        place = discord.open_dm(guild.bob)
        await guild.answered(thread, "One.")
        discord.say(guild.bob, place, "in person")
        await guild.answered(place, "Two.")
        await guild.quiet()
        discord.gateway.drop(resumable=False)
        await discord.until(lambda: not discord.gateway.connected)
        discord.say(guild.bob, thread, "second")
        await guild.answered(thread, "One.", "Three.")
        await guild.quiet()
    assert len(guild.prompts()) == 3


async def spoken_to_while_down(guild: Guild) -> str:
    """Return a thread that was answered once, and goes on while the bot is down."""
    async with answering(guild.discord, guild.claude, guild.store):
        thread = await guild.thread_of(guild.mention("first"))
        await guild.answered(thread, "One.")
        await guild.quiet()
    await guild.discord.until(lambda: not guild.discord.gateway.connected)
    guild.discord.say(guild.bob, thread, "are you there?")
    return thread


async def test_what_was_said_while_it_was_down_is_answered_if_it_is_fresh(
    unattended: Guild,
) -> None:
    guild = unattended
    discord, claude, store = guild.discord, guild.claude, guild.store
    claude.script("One.")
    claude.always("Two.")
    thread = await spoken_to_while_down(guild)
    asked = guild.mention("something else")
    discord.say(guild.bob, guild.general, "lunch?")
    async with answering(discord, claude, store):
        await guild.answered(thread, "One.", "Two.")
        await guild.answered(await guild.thread_of(asked), "Two.")
        await guild.quiet()
    assert len(guild.prompts()) == 3
    assert discord.command_puts == 1


async def test_mentions_in_other_threads_are_answered_where_it_was_asked_lately(
    unattended: Guild,
) -> None:
    guild = unattended
    discord, claude, store = guild.discord, guild.claude, guild.store
    claude.always("Yes.")
    forum = discord.add_channel("help", kind="forum")
    others = discord.thread(guild.bob, guild.general, "Lunch")
    async with answering(discord, claude, store):
        await guild.answered(await guild.thread_of(guild.mention("first")), "Yes.")
        text = f"{discord.mention} any idea?"
        post = discord.forum_post(guild.alice, forum, "Login", text)
        await guild.answered(post, "Yes.")
        await guild.quiet()
    await discord.until(lambda: not discord.gateway.connected)
    discord.say(guild.bob, others, "pizza?")
    guild.mention("what would you take?", others)
    post = discord.forum_post(guild.alice, forum, "Logout", text)
    async with answering(discord, claude, store):
        await guild.answered(others, "Yes.")
        await guild.answered(post, "Yes.")
        await guild.quiet()
    assert len(guild.prompts()) == 4


@pytest.mark.parametrize("restarts", [True, False])
async def test_what_was_missed_in_the_outage_of_a_server_is_answered(
    unattended: Guild, restarts: bool
) -> None:
    guild = unattended
    discord, claude, store = guild.discord, guild.claude, guild.store
    claude.always("Yes.")
    other = discord.add_guild("other")
    elsewhere = discord.add_channel("general", guild=other)
    async with contextlib.AsyncExitStack() as stack:
        await stack.enter_async_context(answering(discord, claude, store))
        thread = await guild.thread_of(guild.mention("first"))
        await guild.answered(thread, "Yes.")
        await guild.quiet()
        discord.outage(discord.guild)
        if restarts:
            await stack.aclose()
            await discord.until(lambda: not discord.gateway.connected)
        discord.say(guild.bob, thread, "second")
        asked = guild.mention("third")
        if restarts:
            await stack.enter_async_context(answering(discord, claude, store))
        # Another server has a newer message.
        await guild.answered(
            await guild.thread_of(guild.mention("here?", elsewhere)), "Yes."
        )
        discord.recover(discord.guild)
        await guild.answered(thread, "Yes.", "Yes.")
        await guild.answered(await guild.thread_of(asked), "Yes.")
        await guild.quiet()


@pytest.mark.parametrize("fails", [True, False])
async def test_what_was_missed_is_fetched_though_something_was_heard_since(
    unattended: Guild, fails: bool
) -> None:
    guild = unattended
    discord, claude, store = guild.discord, guild.claude, guild.store
    claude.script("One.", "Two.", "Three.")
    thread = await spoken_to_while_down(guild)
    if fails:
        rule = discord.faults.add("GET", MESSAGES, status(503))
    else:
        # Killed while it caught up, it had heard this one and not the other.
        message = discord.say(guild.bob, thread, "and now?")
        where = ThreadKey("discord", discord.guild, guild.general, thread)
        known = Message(
            thread=where,
            message=message,
            at=time.time(),
            author=guild.bob,
            text="and now?",
            addressed=False,
            opens=False,
        )
        await store.receive(known, store_helpers.answer)
    async with answering(discord, claude, store):
        await claude.until(
            lambda: any("are you there?" in each for each in guild.prompts()), 20
        )
        await guild.quiet()
    assert not fails or rule.struck == 1


async def test_a_form_that_was_open_during_a_restart_still_counts(
    unattended: Guild,
) -> None:
    guild = unattended
    discord, claude, store = guild.discord, guild.claude, guild.store
    async with answering(discord, claude, store):
        about = discord.say(guild.bob, guild.general, "the deploy is red")
        form = discord.message_command(guild.alice, guild.general, about, ABOUT)
        await discord.until(lambda: form.acked)
    await discord.until(lambda: not discord.gateway.connected)
    async with answering(discord, claude, store):
        discord.submit(guild.alice, form, {"question": "why?"})
        await discord.until(lambda: guild.prompts())
        assert "the deploy is red" in guild.prompts()[0]


async def test_guilds_are_shared_out_among_shards(unattended: Guild) -> None:
    guild = unattended
    discord, claude, store = guild.discord, guild.claude, guild.store
    discord.app.max_concurrency = 2
    homes = [discord.add_guild(f"guild {n}", shard=(n, 2)) for n in (0, 1)]
    channels = [discord.add_channel("general", guild=home) for home in homes]
    async with answering(discord, claude, store, {"DISCORD_SHARDS": "2"}):
        await discord.until(lambda: discord.gateway.connected == 2)
        for channel in channels:
            await guild.settled(await guild.thread_of(guild.mention("?", channel)))
    assert sorted(discord.gateway.log) == [("IDENTIFY", 0), ("IDENTIFY", 1)]


async def test_many_starts_are_spread_over_the_day(
    caplog: pytest.LogCaptureFixture,
) -> None:
    waits: list[float] = []

    class Client:
        def __init__(self, remaining: int) -> None:
            self.remaining = remaining
            self.http = self

        async def get_bot_gateway(self) -> tuple[int, str, dict[str, int]]:
            limits = {
                "total": 1000,
                "remaining": self.remaining,
                "reset_after": 3_600_000,
                "max_concurrency": 1,
            }
            return 1, "", limits

    async def sleep(seconds: float) -> None:
        waits.append(seconds)
        asked.remaining = max(1, asked.remaining)

    with caplog.at_level(logging.WARNING):
        for remaining in (900, 100, 0):
            asked = Client(remaining)
            await gateway.identify_in_time(asked, sleep)  # type: ignore[arg-type]
    assert waits == [36.0, 3600.0, 3600.0]
    assert "again and again" in caplog.text


def test_the_digest_of_commands_sees_what_people_see() -> None:
    ask = {"name": "ask", "type": 1, "description": "Ask.", "options": []}
    help_ = {"name": "help", "type": 1, "description": "Help."}
    theirs = {**ask, "id": "1", "version": "7", "nsfw": False, "application_id": "2"}
    del theirs["options"]
    assert digest([ask, help_]) == digest([help_, theirs])
    assert digest([ask]) != digest([{**ask, "description": "Ask me."}])
    assert digest([ask]) != digest([ask, help_])


async def test_nothing_is_left_of_a_client_that_is_closed_while_it_begins() -> None:
    async with DiscordEmulator() as discord:
        discord.add_channel("general")
        before = asyncio.all_tasks()
        async with open_link(DiscordConfig.from_env(discord.env)) as link:
            session = asyncio.create_task(link.connect())
            await discord.until(lambda: discord.gateway.connected)
            ready = link.client._connection
            async with asyncio.timeout(60):
                while not ready._ready_tasks:  # noqa: ASYNC110 - it tells nobody
                    await asyncio.sleep(0)
        await asyncio.wait({session})
        # What the emulator does for a connection ends with it.
        await discord.until(lambda: not discord.gateway.connected)
        left = {each for each in asyncio.all_tasks() - before if not each.done()}
        assert {each for each in left if "discord/state.py" in str(each)} == set()
