"""Retry stands on the last answer of a thread only."""

from tests.adapters.discord.conftest import Guild


def buttons(guild: Guild, thread: str) -> list[int]:
    """How much can be pressed below each answer of a thread."""
    return [len(each.buttons) for each in guild.discord.messages(thread) if each.bot]


async def test_retry_is_taken_off_when_the_next_answer_is_complete(
    guild: Guild,
) -> None:
    thread = await guild.thread_of(guild.mention("one"))
    await guild.settled(thread)
    await guild.discord.until(lambda: buttons(guild, thread) == [2])
    guild.mention("two", thread)
    await guild.settled(thread, 2)
    await guild.discord.until(lambda: buttons(guild, thread) == [0, 2], timeout=20)
    texts = guild.replies(thread)
    guild.mention("three", thread)
    await guild.discord.until(lambda: buttons(guild, thread) == [0, 0, 2], timeout=20)
    assert guild.replies(thread)[:2] == texts
    assert guild.discord.pings == []
