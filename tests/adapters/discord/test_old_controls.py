"""Retry is shown on the last answer of a thread only, Receipt on each answer."""

import pytest

from adapters.discord.app_commands import RECEIPT
from bot.messages.receipts import NO_RECEIPT
from tests.adapters.discord.test_admin import Town
from tests.adapters.discord.test_admin import town as town

pytestmark = pytest.mark.asyncio(loop_scope="module")


def buttons(town: Town, thread: str) -> list[int]:
    """Return the number of buttons below each answer of a thread."""
    return [len(each.buttons) for each in town.discord.messages(thread) if each.bot]


async def test_retry_is_taken_off_when_the_next_answer_is_complete(
    town: Town,
) -> None:
    thread = await town.thread_of(town.mention("one"))
    await town.settled(thread)
    await town.discord.until(lambda: buttons(town, thread) == [2])
    [text] = town.replies(thread)
    town.mention("two", thread)
    await town.settled(thread, 2)
    await town.discord.until(lambda: buttons(town, thread) == [1, 2])
    assert town.replies(thread)[0] == text
    assert town.discord.pings == []


async def test_the_receipt_of_any_answer_is_in_the_menu_of_its_message(
    town: Town,
) -> None:
    question = town.mention("one")
    thread = await town.thread_of(question)
    await town.settled(thread)
    town.mention("two", thread)
    await town.settled(thread, 2)
    await town.quiet()
    first, second = [each.id for each in town.discord.messages(thread) if each.bot]
    other = town.discord.say(town.bob, town.general, "lunch?")
    for place, message, read in (
        (thread, second, "2 messages and 1 answer of mine"),
        (thread, first, "1 message, of"),
        (town.general, question, "1 message, of"),
        (town.general, other, NO_RECEIPT),
    ):
        shown = await town.told(
            town.discord.message_command(town.bob, place, message, RECEIPT)
        )
        assert read in shown.text
        assert shown.ephemeral_for == town.bob
