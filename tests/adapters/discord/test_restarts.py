"""What was said, drawn or shown before a restart of the bot still counts after it."""

import asyncio
from typing import Any

import pytest

from adapters.discord.adapter import DiscordAdapter
from bot.claude.client import connect as connect_claude
from bot.messages.addressing import STAYING_OUT
from bot.messages.controls import THANKS
from bot.ui.elements import Command, Response
from storage.store import DatabaseStore
from tests.adapters.discord.conftest import Guild
from tests.adapters.discord.test_addressing import told
from tests.adapters.discord.test_admin import Town
from tests.adapters.discord.test_interactions import EDIT, FORM, PANEL
from tests.adapters.discord.test_triage import put
from tests.adapters.discord.test_troubles import answering
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import hold
from tests.emulators.discord.rules import NONCES_LAST
from tests.support.discord_harness import Office, attended, registered_commands
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.triage_requests import sorted_as


async def test_menus_and_buttons_say_what_they_carry_after_a_restart_too() -> None:
    async with DiscordEmulator() as discord:
        office = Office(discord)
        office.core.says = [PANEL]
        async with attended(office) as adapter:
            told = await office.give("claude settings")
            assert told.text == "What shall it be, <@1>?"
            # By the time of a second answer, the SDK is done with the first.
            await office.give("claude help")
            assert views(adapter) == {}
        office.core.says = [Response("Done.")]
        async with attended(office):
            menu, button = told.buttons
            chosen = discord.select(office.alice, told.id, menu, ["model"])
            assert (await office.told(chosen)).text == "Done."
            assert office.last.command == EDIT.having({"option": "model"})
            pressed = discord.click(office.alice, told.id, button)
            assert (await office.told(pressed)).ephemeral_for == office.alice
            assert office.last.command == Command("draft edit", {"draft": "3"})
        assert discord.command_puts == 1
        assert discord.pings == []


async def test_a_form_outlives_a_restart() -> None:
    async with DiscordEmulator() as discord:
        office = Office(discord)
        office.core.says = [FORM]
        async with attended(office) as adapter:
            asked = discord.command(office.alice, office.general, "claude model")
            form = await office.form(asked)
            office.core.says = [Response("Noted.")]
            await office.give("claude help")
            assert adapter._link.client._connection._view_store._modals == {}
        office.core.says = [Response("Saved.")]
        async with attended(office):
            sent = discord.submit(office.alice, form, {"model": ["opus"], "who": []})
            assert (await office.told(sent)).text == "Saved."
            assert office.last.command.arguments["who"] == ""


async def test_readers_judge_an_answer_even_after_a_restart(unattended: Guild) -> None:
    town = Town(unattended.discord, unattended.claude, unattended.store)
    async with answering(town.discord, town.claude, town.store):
        told = await town.give("claude-admin set", option="feedback", value="on")
        assert told.text.startswith("Saved")
        thread = await town.thread_of(town.mention("why?"))
        await town.settled(thread)
        await town.quiet()
    [answer] = [m for m in town.discord.messages(thread) if m.bot]
    good, bad, *_ = answer.buttons
    assert good.startswith("good:")
    town.discord.archive(thread)
    async with answering(town.discord, town.claude, town.store):
        pressed = town.discord.click(town.alice, answer.id, good)
        assert (await town.told(pressed)).text == THANKS
        assert judged(town.store) == [1]
        pressed = town.discord.click(town.bob, answer.id, bad)
        assert (await town.told(pressed)).ephemeral_for == town.bob
        assert judged(town.store) == [0]


async def test_it_stays_out_after_a_restart_too(unattended: Guild) -> None:
    guild, discord = unattended, unattended.discord
    async with answering(discord, guild.claude, guild.store):
        thread = await guild.thread_of(guild.mention("hello"))
        await guild.settled(thread)
        discord.say(guild.bob, thread, "Halt dich raus!")
        await discord.until(lambda: told(guild, thread)[1:] == [STAYING_OUT])
    async with answering(discord, guild.claude, guild.store):
        discord.say(guild.alice, thread, "and now?")
        guild.mention("you?", thread)
        await discord.until(lambda: len(guild.prompts()) == 2)
        await guild.quiet()
    assert "and now?" in guild.prompts()[1]


async def test_a_mention_added_while_it_was_away_is_answered(
    unattended: Guild,
) -> None:
    guild, discord = unattended, unattended.discord
    async with answering(discord, guild.claude, guild.store):
        thread = await guild.thread_of(guild.mention("hello"))
        await guild.settled(thread)
        other = discord.say(guild.alice, thread, f"<@{guild.bob}> look")
        guild.mention("and now?", thread)
        await guild.settled(thread, 2)
    await discord.until(lambda: not discord.gateway.connected)
    discord.edit(other, f"<@{guild.bob}> {discord.mention} look here")
    async with answering(discord, guild.claude, guild.store):
        await guild.settled(thread, 3)
    assert "look here" in guild.prompts()[2]
    assert len(guild.prompts()) == 3


def views(adapter: DiscordAdapter) -> dict[Any, Any]:
    """Return the views that discord.py keeps for messages it has sent."""
    return dict(adapter._link.client._connection._view_store._views)


def judged(store: DatabaseStore) -> list[int | None]:
    """Return the stored rating of each answer."""
    assert isinstance(store, MemoryStore)
    rows = store.db.execute("SELECT feedback FROM turns ORDER BY id").fetchall()
    return [row[0] for row in rows]


@pytest.mark.parametrize("nth", [1, 2])
async def test_a_result_of_triage_is_posted_once_although_the_process_ended_after_it(
    nth: int, unattended: Guild
) -> None:
    discord, claude, store = unattended.discord, unattended.claude, unattended.store
    discord.app.commands = await registered_commands()
    town = Town(discord, claude, store)
    await put(town, "auto_triage", "on")
    await put(town, "triage_sign", "label")
    await put(town, "triage_announce", f"channel:{town.random}")
    claude.script(sorted_as(priority="critical", summary="All is *down*. "))
    path = rf"/channels/({town.general}|{town.random})/messages"
    post = discord.faults.add("POST", path, hold(60.0, after=True), nth=nth)
    async with connect_claude(claude.api_key, claude.base_url) as model:
        async with running(discord, store, model, grace=0.2):
            discord.say(town.alice, town.general, "Nothing works!")
            await discord.until(lambda: len(discord.calls_of("POST", path)) == nth)
        assert post.struck == 1
        # Discord forgets the nonce.
        discord.advance(NONCES_LAST)
        async with running(discord, store, model, grace=0.2), asyncio.timeout(60):
            while await store.waiting_cases(["discord"], 9):  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    for channel in (town.general, town.random):
        assert len([m for m in discord.messages(channel) if m.bot]) == 1
