"""New users and owners of servers are greeted."""

import asyncio
import logging

import pytest

from bot.messages.first_contact import EXAMPLES, GREETING, joined
from tests.adapters.discord.conftest import Guild
from tests.emulators.discord.people import Seen
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel

UPDATE = EXAMPLES["update"]


def greetings(guild: Guild, direct: str) -> list[Seen]:
    return [each for each in guild.discord.messages(direct) if each.text == GREETING]


async def test_the_first_direct_message_is_greeted_and_answered(guild: Guild) -> None:
    direct = guild.discord.open_dm(guild.alice)
    guild.claude.script("Hello.", "Hello again.", "Gladly.")
    guild.discord.say(guild.alice, direct, "hi")
    await guild.discord.until(lambda: greetings(guild, direct))
    await guild.answered(direct, "Hello.")
    guild.discord.say(guild.alice, direct, "hi again")
    await guild.discord.until(lambda: "Hello again." in guild.replies(direct))
    [greeting] = greetings(guild, direct)
    assert len(greeting.buttons) == len(EXAMPLES) + 1
    guild.discord.click(guild.alice, greeting.id, greeting.buttons[0])
    await guild.discord.until(lambda: "Gladly." in guild.replies(direct))
    assert UPDATE in guild.prompts()[-1]


async def test_the_owner_of_a_server_is_told_that_it_was_added(
    unattended: Guild, caplog: pytest.LogCaptureFixture
) -> None:
    discord, model = unattended.discord, ScriptedModel()
    with caplog.at_level(logging.INFO):
        async with running(discord, unattended.store, model, grace=0.2):
            # Guilds that come earlier are those that the bot is in already.
            async with asyncio.timeout(60):
                while "discord.session" not in caplog.text:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)
            owner = discord.owner(discord.add_guild("Another"))
            direct = discord.open_dm(owner)
            await discord.until(lambda: unattended.replies(direct))
    assert unattended.replies(direct) == [joined(server="Another")]
