"""Commands in Discord, as seen by the people who give them."""

from typing import Any

import pytest

from adapters.discord import interaction_responses
from adapters.discord.ask_command import ABOUT
from bot.messages.commands import STALE
from bot.messages.controls import NO_QUESTION
from tests.adapters.discord.conftest import Guild
from tests.adapters.discord.conftest import shared_guild as guild
from tests.emulators.discord.faults import CALLBACK, error
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen

__all__ = ["guild"]

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_asking_in_a_channel_makes_a_thread_in_which_people_go_on(
    guild: Guild,
) -> None:
    guild.claude.script("Paris.", "Madrid.")
    asked = guild.discord.command(
        guild.alice, guild.general, "ask", question="What is the capital of France?"
    )
    await guild.discord.until(lambda: asked.acked)
    assert asked.response is not None
    card = asked.response.message
    assert card is not None
    assert card.text == "**Alice** asks:\n> What is the capital of France?"
    thread = await guild.thread_of(card.id)
    await guild.answered(thread, "Paris.")
    assert guild.discord.name(thread) == "What is the capital of France?"
    assert asked.error == ""
    assert guild.discord.pings == []
    guild.discord.say(guild.bob, thread, "and of Spain?")
    await guild.answered(thread, "Paris.", "Madrid.")
    read = guild.claude.requests[-1].body["messages"]
    assert len(read) == 3
    assert "capital of France?" in read[0]["content"]
    assert '<message author="Bob"' in read[2]["content"]


async def test_a_long_question_names_its_thread_by_its_first_words(
    guild: Guild,
) -> None:
    question = "word " * 1_190 + "end of it"
    thread = await ask(guild, guild.general, question)
    await guild.settled(thread)
    name = guild.discord.name(thread)
    assert len(name) <= 100
    assert name.endswith("word…")
    assert question.strip() in guild.prompts()[0]


async def test_in_a_thread_and_in_person_it_answers_in_place(guild: Guild) -> None:
    guild.claude.script("One.", "Two.", "Three.")
    thread = await ask(guild, guild.general, "first")
    await guild.answered(thread, "One.")
    guild.discord.command(guild.bob, thread, "ask", question="second")
    await guild.answered(thread, "One.", "Two.")
    place = guild.discord.open_dm(guild.alice)
    guild.discord.command(guild.alice, place, "ask", question="third")
    await guild.answered(place, "Three.")
    assert len(guild.discord.threads(guild.general)) == 1


async def test_a_file_goes_by_its_name(guild: Guild) -> None:
    asked = guild.discord.command(
        guild.alice,
        guild.general,
        "ask",
        question="what is in it?",
        file=("notes.txt", b"hello"),
    )
    await guild.discord.until(lambda: guild.prompts())
    assert "(attached: notes.txt" in guild.prompts()[0]
    assert asked.followups == []


async def test_a_file_that_is_too_large_is_left_out_and_that_is_said(
    guild: Guild,
) -> None:
    asked = guild.discord.command(
        guild.alice,
        guild.general,
        "ask",
        question="what is in it?",
        file=("dump.zip", bytes(26 * 1024 * 1024)),
    )
    await guild.discord.until(lambda: asked.followups)
    [told] = asked.followups
    assert told.text.startswith("dump.zip has 26 MB, and I accept at most 25 MB")
    assert told.ephemeral_for == guild.alice
    await guild.discord.until(lambda: guild.prompts())
    assert "dump.zip" not in guild.prompts()[0]


async def test_where_remembering_takes_long_it_is_told_to_wait(
    guild: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive = guild.store.receive

    async def receive_late(*args: Any, **options: Any) -> Any:
        await guild.discord.until(lambda: guild.discord.calls_of("POST", CALLBACK))
        return await receive(*args, **options)

    monkeypatch.setattr(interaction_responses, "PROMPT", 0.0)
    monkeypatch.setattr(guild.store, "receive", receive_late)
    asked = guild.discord.command(guild.alice, guild.general, "ask", question="hello?")
    await guild.discord.until(
        lambda: (
            asked.response
            and asked.response.message
            and not asked.response.message.thinking
        )
    )
    [called] = guild.discord.calls_of("POST", CALLBACK)
    assert called.body["type"] == 5
    assert asked.response is not None
    assert asked.response.message is not None
    assert asked.response.message.text == "**Alice** asks:\n> hello?"
    await guild.settled(await guild.thread_of(asked.response.message.id))
    assert (await tell(guild, guild.general, "help")).ephemeral_for == guild.bob


async def test_a_question_whose_command_was_not_answered_in_time_is_answered(
    guild: Guild,
) -> None:
    guild.claude.script("Paris.")
    guild.discord.faults.add("POST", CALLBACK, error(404, 10062, "Unknown interaction"))
    guild.discord.command(guild.alice, guild.general, "ask", question="the capital?")
    [thread] = await guild.discord.until(lambda: guild.discord.threads(guild.general))
    await guild.answered(thread, "Paris.")
    [card] = texts(guild)
    assert card == "**Alice** asks:\n> the capital?"
    assert guild.discord.name(thread) == "the capital?"


async def test_asking_about_a_message_brings_it_along(guild: Guild) -> None:
    about = guild.discord.say(
        guild.bob, guild.general, "the deploy is red", files={"log.txt": b"x"}
    )
    form = guild.discord.message_command(guild.alice, guild.general, about, ABOUT)
    await guild.discord.until(lambda: form.acked)
    sent = guild.discord.submit(guild.alice, form, {"question": "why?"})
    await guild.discord.until(lambda: sent.acked)
    assert sent.response is not None
    assert sent.response.message is not None
    assert sent.response.message.text.startswith("**Alice** asks about [this message](")
    await guild.settled(await guild.thread_of(sent.response.message.id))
    prompt = guild.prompts()[0]
    assert '<message author="Bob"' in prompt
    assert "(attached: log.txt" in prompt
    assert prompt.index("the deploy is red") < prompt.index(">why?<")


async def test_what_cannot_be_asked_or_is_of_an_older_version_says_so(
    guild: Guild,
) -> None:
    asked = guild.discord.command(guild.alice, guild.general, "ask", question="   ")
    assert await said_privately(guild, asked) == NO_QUESTION
    for name in ("claude forget", "draw"):
        asked = guild.discord.command(guild.alice, guild.general, name, stale=True)
        assert await said_privately(guild, asked) == STALE, name
    assert guild.discord.threads(guild.general) == []


async def test_where_it_may_not_speak_it_says_what_is_missing(guild: Guild) -> None:
    guild.discord.set_permissions(
        guild.general, deny=["send_messages_in_threads", "create_public_threads"]
    )
    asked = guild.discord.command(guild.alice, guild.general, "ask", question="hi")
    told = await said_privately(guild, asked)
    assert "Create Public Threads and Send Messages in Threads" in told
    guild.mention("hello?")
    await guild.discord.until(lambda: "Create Public Threads" in last(guild))
    guild.mention("hello??")
    thread = await ask(guild, guild.discord.add_channel("other"), "still there?")
    await guild.settled(thread)
    assert sum("I can't answer here" in m for m in texts(guild)) == 1
    assert len(guild.prompts()) == 1


async def test_in_a_locked_thread_it_says_so(guild: Guild) -> None:
    thread = await ask(guild, guild.general, "hello")
    await guild.settled(thread)
    guild.discord.lock(thread, True)
    moderator = guild.discord.add_user("Mo", admin=True)
    asked = guild.discord.command(moderator, thread, "ask", question="hi")
    assert "locked" in await said_privately(guild, asked)


async def ask(guild: Guild, place: str, question: str) -> str:
    """Let Alice ask in a channel; return the thread that comes of it."""
    asked = guild.discord.command(guild.alice, place, "ask", question=question)
    await guild.discord.until(lambda: asked.acked)
    assert asked.response is not None
    assert asked.response.message is not None
    return await guild.thread_of(asked.response.message.id)


async def tell(guild: Guild, place: str, verb: str, who: str = "") -> Seen:
    """Let Bob, or whoever is named, give a command; return what they or all are
    told."""
    asked = guild.discord.command(who or guild.bob, place, f"claude {verb}")
    await guild.discord.until(lambda: asked.acked)
    assert asked.response is not None
    assert asked.response.message is not None
    return asked.response.message


async def said_privately(guild: Guild, asked: Asked) -> str:
    await guild.discord.until(lambda: asked.acked)
    assert asked.response is not None
    assert asked.response.message is not None
    assert asked.response.message.ephemeral_for == asked.user
    return asked.response.message.text


def texts(guild: Guild) -> list[str]:
    """Return the texts of the bot in #general that everybody can read."""
    seen = guild.discord.messages(guild.general)
    return [each.text for each in seen if each.bot and not each.ephemeral_for]


def last(guild: Guild) -> str:
    return texts(guild)[-1]
