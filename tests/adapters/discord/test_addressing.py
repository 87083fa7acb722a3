"""The bot answers messages in Discord that address it, through the real SDK."""

import asyncio

import pytest

from bot.messages.addressing import MENTION_ME
from bot.messages.controls import ONLY_FOR_YOU
from tests.adapters.discord.conftest import Guild
from tests.adapters.discord.conftest import shared_guild as guild
from tests.emulators.claude.reply import Hold

__all__ = ["guild"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


def told(guild: Guild, thread: str) -> list[str]:
    """Return the texts of the bot in `thread`, replies or not."""
    return [each.text for each in guild.discord.messages(thread) if each.bot]


async def test_what_people_tell_each_other_is_read_and_not_answered(
    guild: Guild,
) -> None:
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    say = guild.discord.say
    role = guild.discord.add_role("devs", guild.bob)
    question = say(guild.alice, thread, f"<@{guild.bob}> is that right?")
    say(guild.bob, thread, "it is", reply_to=question)
    say(guild.bob, thread, "sure", reply_to=question, ping=False)
    for text in (f"Hey <@&{role}>, look", "Thanks!", "<:party:123456789012345678>"):
        say(guild.alice, thread, text)
    sticker = {"id": "7", "name": "Wave", "format_type": 1}
    guild.discord.post(guild.bob, thread, {"sticker_items": [sticker]})
    say(guild.alice, thread, "and now?")
    await guild.settled(thread, 2)
    say(guild.alice, thread, f"<@{guild.bob}> and {guild.discord.mention}?")
    await guild.settled(thread, 3)
    prompt = guild.prompts()[1]
    assert prompt.index("is that right?") < prompt.index("it is")
    assert prompt.index("sure") < prompt.index("Wave") < prompt.index("and now?")
    assert len(guild.prompts()) == 3


async def test_a_reply_that_thanks_it_is_not_answered(guild: Guild) -> None:
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    answer = next(each for each in guild.discord.messages(thread) if each.bot)
    guild.discord.say(guild.alice, thread, "Thank you!", reply_to=answer.id)
    guild.discord.say(guild.alice, thread, "and this?", reply_to=answer.id)
    await guild.settled(thread, 2)
    assert len(guild.prompts()) == 2


async def test_it_says_why_about_the_message_that_one_points_at(guild: Guild) -> None:
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    first = guild.discord.say(guild.bob, thread, "thanks")
    guild.discord.say(guild.alice, thread, f"<@{guild.bob}> look")
    guild.mention("why", thread)
    await guild.discord.until(lambda: len(told(guild, thread)) == 2)
    guild.mention("why", thread, reply_to=first)
    await guild.discord.until(lambda: len(told(guild, thread)) == 3)
    last, that = told(guild, thread)[1:]
    assert last.startswith("I did not answer Alice's last message. It mentions Bob ")
    assert that == (
        f"I did not answer that message of Bob. It is only thanks. {MENTION_ME}"
    )
    assert guild.discord.pings == []


async def test_a_mention_added_by_an_edit_is_answered_once(guild: Guild) -> None:
    say, edit = guild.discord.say, guild.discord.edit
    asked = say(guild.alice, guild.general, "why is the sky blue?")
    question = f"{guild.discord.mention} why is the sky blue?"
    edit(asked, question)
    thread = await guild.thread_of(asked)
    await guild.settled(thread)
    edit(asked, f"{question} Really?")
    other = say(guild.alice, thread, f"<@{guild.bob}> look")
    say(guild.alice, thread, "and now?")
    await guild.settled(thread, 2)
    edit(other, f"<@{guild.bob}> look {guild.discord.mention}")
    await guild.settled(thread, 3)
    assert "why is the sky blue?" in guild.prompts()[0]
    assert "Really?" in str(guild.claude.requests[-1].body["messages"][0])
    assert "look" in guild.prompts()[2]
    assert len(guild.prompts()) == 3


async def test_an_edit_in_a_thread_of_others_is_answered_there(guild: Guild) -> None:
    thread = guild.discord.thread(guild.alice, guild.general, "Build")
    asked = guild.discord.say(guild.alice, thread, "why does it fail?")
    guild.discord.edit(asked, f"{guild.discord.mention} why does it fail?")
    await guild.settled(thread)
    assert len(guild.prompts()) == 1


async def test_typed_commands_are_obeyed_and_cost_nothing(guild: Guild) -> None:
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.settled(thread)
    guild.mention("budget day 5", thread)
    await guild.discord.until(lambda: len(told(guild, thread)) == 2)
    assert told(guild, thread)[1].startswith("Sorry, only admins")
    # What one person may see is not posted for all.
    guild.mention("usage", thread)
    await guild.discord.until(lambda: len(told(guild, thread)) == 3)
    offer = guild.discord.messages(thread)[-1]
    assert offer.text == ONLY_FOR_YOU
    [show] = offer.buttons
    asked = guild.discord.click(guild.bob, offer.id, show)
    await guild.discord.until(lambda: asked.response and asked.response.message)
    assert asked.response is not None
    assert asked.response.message is not None
    assert asked.response.message.ephemeral_for == guild.bob
    assert "**You, today**" in asked.response.message.text
    assert len(guild.prompts()) == 1


async def test_stop_alone_stops_the_answer(guild: Guild) -> None:
    guild.claude.script(["One, two", Hold(asyncio.Event())])
    thread = await guild.thread_of(guild.mention("count"))
    await guild.discord.until(lambda: "One, two" in str(guild.replies(thread)))
    guild.discord.say(guild.alice, thread, "Stopp!")
    await guild.discord.until(lambda: "_Stopped._" in str(guild.replies(thread)))
    await guild.quiet()
    assert len(guild.prompts()) == 1
