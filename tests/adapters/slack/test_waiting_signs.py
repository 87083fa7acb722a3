"""A message that waits for an earlier answer has a sign until its turn begins."""

import asyncio

import pytest

from bot.messages.answers import BUSY
from tests.adapters.slack.conftest import Office
from tests.emulators.slack.faults import Fault, cut, error

HOURGLASS = ("hourglass_flowing_sand",)


def signs(office: Office, ts: str) -> tuple[str, ...]:
    return office.slack.message(office.general, ts).reactions


async def two(office: Office) -> tuple[asyncio.Event, str, str]:
    """Ask twice in a thread; what lets the first answer end, and both questions."""
    gate = asyncio.Event()
    office.model.script("One", gate, ".")
    office.model.script("Two.")
    ts = office.ask("first")
    await office.answered(ts, "One …")
    return gate, ts, office.ask("second", thread_ts=ts)


async def test_a_message_that_waits_has_an_hourglass(office: Office) -> None:
    gate, ts, second = await two(office)
    await office.slack.until(lambda: signs(office, second) == HOURGLASS)
    gate.set()
    await office.answered(ts, "One.", "Two.")
    await office.slack.until(lambda: not signs(office, second))
    assert office.slack.world.ephemeral == []


@pytest.mark.parametrize("fault", [error("missing_scope"), cut()])
async def test_without_the_right_to_react_a_sentence_says_so(
    office: Office, fault: Fault
) -> None:
    office.slack.faults.add("reactions.add", fault)
    gate, ts, second = await two(office)
    await office.slack.until(lambda: office.slack.world.ephemeral)
    [told] = office.slack.world.ephemeral
    assert (told.user, told.text) == (office.alice, BUSY)
    gate.set()
    await office.answered(ts, "One.", "Two.")
    assert signs(office, second) == ()
