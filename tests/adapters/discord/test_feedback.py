"""The feedback buttons below an answer."""

from collections.abc import AsyncIterator

import pytest

from adapters.discord.adapter import DiscordAdapter
from bot.domain.reply import Control, Part, PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn, TurnState
from bot.errors import StorageFull
from bot.messages.controls import NO_ANSWER, THANKS
from tests.emulators.discord.emulator import DiscordEmulator
from tests.support.discord_harness import Office, attended
from tests.support.fakes import show

BUTTONS = ("good:t1", "bad:t1")
#: As long as an answer grows.
STOP = "do:stop.answer turn=t1"


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    async with DiscordEmulator() as discord:
        yield Office(discord)


def turn(office: Office, *shown: PostedPart) -> Turn:
    """Return a turn in a thread about what Alice said."""
    about = office.discord.say(office.alice, office.general, "why?")
    thread = office.discord.thread(office.alice, office.general, "why?", message=about)
    key = ThreadKey("discord", office.discord.guild, office.general, thread)
    now = office.discord.now()
    return Turn(1, "t1", key, TurnState.ANSWERING, attempts=1, touched=now, shown=shown)


async def answered(adapter: DiscordAdapter, turn: Turn, *parts: Part) -> list[str]:
    """Show `parts`, one after the other; the ids of their messages."""
    async with adapter.surface(turn) as surface:
        return [await show(surface, part) for part in parts]


async def test_buttons_stand_below_the_last_message_once_it_is_final(
    office: Office,
) -> None:
    asked = turn(office)
    async with attended(office) as adapter:
        parts = [
            Part(0, "One", final=True),
            Part(1, "Two"),
            Part(1, "Two, three.", final=True, controls=(Control.FEEDBACK,)),
        ]
        first, second, same = await answered(adapter, asked, *parts)
    assert second == same
    assert office.discord.message(first).buttons == ()
    assert office.discord.message(second).buttons == BUTTONS


async def test_an_answer_that_is_written_again_loses_them_until_it_is_done(
    office: Office,
) -> None:
    asked = turn(office)
    final = Part(0, "Whole.", final=True, controls=(Control.FEEDBACK,))
    async with attended(office) as adapter:
        # An answer that is posted whole has them at once.
        [message] = await answered(adapter, asked, final)
        assert office.discord.message(message).buttons == BUTTONS
        again = turn_again(asked, message)
        await answered(adapter, again, Part(0, "Anew"))
        assert office.discord.message(message).buttons == (STOP,)
        await answered(adapter, again, final)
        assert office.discord.message(message).buttons == BUTTONS


async def test_they_work_after_a_restart_and_in_a_thread_that_was_put_away(
    office: Office,
) -> None:
    asked = turn(office)
    final = Part(0, "Whole.", final=True, controls=(Control.FEEDBACK,))
    async with attended(office) as adapter:
        [message] = await answered(adapter, asked, final)
    office.discord.archive(asked.thread.thread)
    office.core.turns = {"t1"}
    async with attended(office):
        pressed = office.discord.click(office.bob, message, "good:t1")
        told = await office.told(pressed)
        assert (told.text, told.ephemeral_for) == (THANKS, office.bob)
        office.core.turns = set()
        pressed = office.discord.click(office.alice, message, "bad:t1")
        assert (await office.told(pressed)).text == NO_ANSWER
    here = asked.thread
    assert office.core.judged == [(here, "t1", True), (here, "t1", False)]
    assert office.discord.message(message).buttons == BUTTONS


async def test_what_cannot_be_noted_is_said(office: Office) -> None:
    async with attended(office) as adapter:
        part = Part(0, "Whole.", final=True, controls=(Control.FEEDBACK,))
        [message] = await answered(adapter, turn(office), part)
        office.core.fails = StorageFull("no space")
        pressed = office.discord.click(office.bob, message, "good:t1")
        assert (await office.told(pressed)).text == StorageFull.user_text


def turn_again(turn: Turn, message: str) -> Turn:
    """Return `turn` once something of it is to be seen."""
    return Turn(
        *(turn.id, turn.key, turn.thread, turn.state),
        attempts=2,
        touched=turn.touched,
        shown=(PostedPart(0, message, "Whole."),),
    )
