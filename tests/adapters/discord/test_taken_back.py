"""If a question is deleted while it is being answered, the answer is removed."""

import asyncio

from tests.adapters.discord.conftest import Guild
from tests.emulators.claude.reply import Hold


def told(guild: Guild) -> list[str]:
    """Return all that the bot says in the channel and its threads."""
    places = [guild.general, *guild.discord.threads(guild.general)]
    return [text for place in places for text in guild.replies(place)]


async def test_claude_is_stopped_before_the_first_word(guild: Guild) -> None:
    guild.claude.script([Hold(asyncio.Event()), "Secret answer."])
    asked = guild.mention("what I take back")
    await guild.claude.until(lambda: bool(guild.claude.questions))
    guild.discord.delete(asked)
    await guild.claude.until(lambda: guild.claude.disconnects == 1)
    await guild.quiet()
    assert told(guild) == []


async def test_an_answer_whose_thread_is_deleted_goes_nowhere(guild: Guild) -> None:
    gate = asyncio.Event()
    guild.claude.script([Hold(gate), "Secret answer."])
    thread = await guild.thread_of(guild.mention("?"))
    await guild.claude.until(lambda: bool(guild.claude.questions))
    guild.discord.delete_channel(thread)
    gate.set()
    await guild.quiet()
    assert told(guild) == []
