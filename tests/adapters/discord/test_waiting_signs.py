"""A message that waits for an earlier answer has a sign until its turn begins."""

import asyncio

from bot.messages.answers import BUSY
from tests.adapters.discord.conftest import Guild
from tests.emulators.claude.reply import Hold


async def two(guild: Guild) -> tuple[asyncio.Event, str, str]:
    """Ask twice in a thread; what lets the first answer end, the thread, and the
    second question."""
    gate = asyncio.Event()
    guild.claude.script(["One", Hold(gate), "."], "Two.")
    thread = await guild.thread_of(guild.mention("first"))
    await guild.answered(thread, "One …")
    return gate, thread, guild.mention("second", thread)


def signs(guild: Guild, message: str) -> tuple[str, ...]:
    return guild.discord.message(message).reactions


async def test_a_message_that_waits_has_an_hourglass(guild: Guild) -> None:
    gate, thread, second = await two(guild)
    await guild.discord.until(lambda: signs(guild, second) == ("⏳",))
    gate.set()
    await guild.answered(thread, "One.", "Two.")
    await guild.discord.until(lambda: not signs(guild, second))


async def test_without_the_right_to_react_a_sentence_says_so(guild: Guild) -> None:
    guild.discord.set_permissions(guild.general, deny=["add_reactions"])
    gate, thread, second = await two(guild)
    await guild.discord.until(
        lambda: BUSY in [each.text for each in guild.discord.messages(thread)]
    )
    gate.set()
    await guild.quiet()
    assert signs(guild, second) == ()
