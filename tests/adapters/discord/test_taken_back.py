"""If a question is deleted while it is being answered, the answer is removed."""

import asyncio

import pytest

from bot.domain.scope import ThreadKey
from tests.adapters.discord.conftest import Guild
from tests.emulators.claude.reply import Fail, Hold
from tests.security.remains import in_rows
from tests.support.memory_store import MemoryStore


def told(guild: Guild) -> list[str]:
    """Return all that the bot says in the channel and its threads."""
    places = [guild.general, *guild.discord.threads(guild.general)]
    return [text for place in places for text in guild.replies(place)]


async def until_gone(guild: Guild, text: str) -> None:
    """Wait until `text` is deleted from the store."""
    store = guild.store
    assert isinstance(store, MemoryStore)
    await guild.discord.until(lambda: not in_rows(store.db.conn, text))


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


@pytest.mark.parametrize("heard", [True, False])
async def test_a_deleted_answer_is_posted_again_if_asked_for(
    guild: Guild, *, heard: bool
) -> None:
    guild.claude.script("First.", "Second.", "Third.")
    thread = await guild.thread_of(guild.mention("?"))
    await guild.settled(thread)
    [answer] = [each for each in guild.discord.messages(thread) if each.bot]
    if heard:
        guild.discord.delete(answer.id)
        await until_gone(guild, "First.")
    else:
        # Without an event, as when the bot is down.
        del guild.discord._model.messages[int(thread)][int(answer.id)]
    for text in ("Second.", "Third."):
        guild.mention("retry", thread)
        await guild.discord.until(lambda text=text: text in guild.replies(thread))  # type: ignore[misc]
        await guild.quiet()
    assert "Second." not in guild.replies(thread)
    key = ThreadKey("discord", guild.discord.guild, guild.general, thread)
    assert ("", "Third.") in await guild.store.transcript(key)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("part", [0, 1])
async def test_a_deleted_part_stays_deleted_if_a_retry_fails(
    guild: Guild, part: int, *, heard: bool
) -> None:
    gate = asyncio.Event()
    answer = "\n".join(f"line {n}: {'x' * 60}" for n in range(40))
    guild.claude.script(answer, [Hold(gate), Fail(400)])
    thread = await guild.thread_of(guild.mention("?"))
    await guild.settled(thread, 2)
    deleted = [each for each in guild.discord.messages(thread) if each.bot][part]
    guild.mention("retry", thread)
    await guild.claude.until(lambda: len(guild.claude.requests) == 2)
    if heard:
        guild.discord.delete(deleted.id)
    else:
        del guild.discord._model.messages[int(thread)][int(deleted.id)]
    gate.set()
    await guild.quiet()
    beginning = deleted.text[:20]
    assert not any(beginning in each for each in guild.replies(thread))
