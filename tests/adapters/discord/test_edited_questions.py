"""A question that is edited after its answer can be answered again."""

import asyncio
import time

import pytest

from adapters.discord import messages, uploads
from bot.domain.message import Message
from bot.domain.reply import Part, PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn, TurnState
from bot.messages.answers import QUESTION_CHANGED
from bot.messages.commands import NOT_YOURS, REPEATING
from bot.ui.elements import Response
from tests.adapters.discord.conftest import Guild
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen
from tests.support.discord_harness import Office, attended
from tests.support.fakes import show

#: B5.
SUPPRESS_NOTIFICATIONS = 1 << 12


def change(guild: Guild, message: str, text: str) -> None:
    """Let Alice edit her question."""
    guild.discord.edit(message, f"{guild.discord.mention} {text}")


def offers(guild: Guild, place: str) -> list[Seen]:
    found = guild.discord.messages(place)
    return [each for each in found if each.text == QUESTION_CHANGED]


async def offered(guild: Guild, place: str) -> Seen:
    """Wait until a new answer is offered in a thread or channel."""
    await guild.discord.until(lambda: offers(guild, place))
    [told] = offers(guild, place)
    assert told.flags & SUPPRESS_NOTIFICATIONS
    assert len(told.buttons) == 1
    return told


async def stored(guild: Guild, thread: ThreadKey, message: str) -> str:
    found = await guild.store.stored_message(thread, message)
    return found.message.text if found else ""


async def told_privately(guild: Guild, asked: Asked, text: str) -> None:
    """Wait until whoever pressed a button is told `text`, and nobody else."""
    response = await guild.discord.until(lambda: asked.response)
    assert response is not None
    assert response.message is not None
    assert (response.message.text, response.message.ephemeral_for) == (text, asked.user)


async def test_a_new_answer_is_offered_in_the_thread_until_it_is_used(
    guild: Guild,
) -> None:
    guild.claude.script("Madrid.", "Paris.")
    asked = guild.mention("of Spain?")
    thread = await guild.thread_of(asked)
    await guild.answered(thread, "Madrid.")
    await guild.quiet()
    change(guild, asked, "of France?")
    told = await offered(guild, thread)
    assert offers(guild, guild.general) == []
    refused = guild.discord.click(guild.bob, told.id, told.buttons[0])
    await told_privately(guild, refused, NOT_YOURS)
    assert offers(guild, thread) == [told]
    used = guild.discord.click(guild.alice, told.id, told.buttons[0])
    await told_privately(guild, used, REPEATING)
    await guild.discord.until(lambda: offers(guild, thread) == [])
    await guild.answered(thread, "Paris.", NOT_YOURS, REPEATING)
    assert "of France?" in guild.prompts()[-1]
    assert guild.discord.pings == []


async def test_in_a_thread_it_replies_to_the_question(guild: Guild) -> None:
    guild.claude.script("Hello.", "Madrid.", "Paris.")
    thread = await guild.thread_of(guild.mention("hello"))
    await guild.answered(thread, "Hello.")
    asked = guild.mention("of Spain?", thread)
    await guild.answered(thread, "Hello.", "Madrid.")
    await guild.quiet()
    change(guild, asked, "of France?")
    told = await offered(guild, thread)
    assert told.reply_to == asked
    guild.discord.click(guild.alice, told.id, told.buttons[0])
    await guild.answered(thread, "Hello.", "Paris.", REPEATING)
    assert guild.discord.pings == []


async def test_where_answers_are_in_the_channel_so_is_the_offer(guild: Guild) -> None:
    guild.discord.limit_bot("create_public_threads")
    guild.claude.script("Madrid.", "Paris.")
    asked = guild.mention("of Spain?")
    await guild.discord.until(
        lambda: "Madrid." in [e.text for e in guild.discord.messages(guild.general)]
    )
    await guild.quiet()
    change(guild, asked, "of France?")
    told = await offered(guild, guild.general)
    assert told.reply_to == asked
    guild.discord.click(guild.alice, told.id, told.buttons[0])
    await guild.discord.until(
        lambda: "Paris." in [e.text for e in guild.discord.messages(guild.general)]
    )


async def test_an_offer_that_nobody_uses_goes_after_a_while(
    guild: Guild, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = guild.mention("of Spain?")
    thread = await guild.thread_of(asked)
    await guild.settled(thread)
    await guild.quiet()
    monkeypatch.setattr(messages, "READ", 0.05)
    change(guild, asked, "of France?")
    await guild.discord.until(
        lambda: guild.discord.calls_of("DELETE", r"/channels/\d+/messages/\d+")
    )
    assert offers(guild, thread) == []
    assert len(guild.prompts()) == 1


async def test_a_preview_and_spaces_offer_nothing(guild: Guild) -> None:
    asked = guild.mention("of https://example.org ?")
    thread = await guild.thread_of(asked)
    await guild.settled(thread)
    await guild.quiet()
    guild.discord.unfurl(asked, "https://example.org")
    change(guild, asked, "of  https://example.org?")
    key = ThreadKey("discord", guild.discord.guild, guild.general, thread)
    async with asyncio.timeout(60):
        while "of  https" not in await stored(guild, key, asked):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await asyncio.sleep(0)
    assert offers(guild, thread) == []
    change(guild, asked, "of https://example.org and France?")
    await offered(guild, thread)


async def test_an_offer_is_not_taken_for_an_answer_whose_post_was_lost() -> None:
    async with DiscordEmulator() as discord:
        office = Office(discord)
        asked = discord.say(office.alice, office.general, "why?")
        place = discord.thread(office.alice, office.general, "why?", message=asked)
        key = ThreadKey("discord", discord.guild, office.general, place)
        touched = time.time() - uploads.REMEMBERED - 1
        turn = Turn(
            *(1, "t1", key, TurnState.ANSWERING, 1, touched),
            shown=(PostedPart(0, None),),
        )
        heard = Message(key, asked, 1.0, office.alice, "?", addressed=True, opens=True)
        async with attended(office) as adapter:
            told = Response(QUESTION_CHANGED)
            await adapter.messenger.notice(heard, told, in_thread=True)
            async with adapter.surface(turn) as reply:
                await show(reply, Part(0, "Paris.", final=True))
        assert [each.text for each in discord.messages(place) if each.bot] == [
            QUESTION_CHANGED,
            "Paris.",
        ]
