"""New users are greeted, and the person who adds the bot to a channel sees its
settings."""

import pytest

from bot.messages.first_contact import ADDED, EXAMPLES, GREETING, SET_UP, WHAT_ELSE
from tests.adapters.slack.conftest import Office
from tests.emulators.slack.world import Seen

UPDATE = EXAMPLES["update"]


def ours(office: Office, channel: str) -> list[Seen]:
    """Return the bot's messages at the top of a channel."""
    there = [*office.slack.world.messages[channel].values()]
    seen = [office.slack.message(channel, e.ts) for e in there if not e.thread_ts]
    return [each for each in seen if each.bot]


async def greeted(office: Office) -> tuple[str, Seen]:
    """Let Alice open the bot's messages; the channel and the greeting."""
    office.slack.open_home(office.alice, tab="messages")
    direct = office.slack.open_dm(office.alice)
    await office.slack.until(lambda: ours(office, direct))
    [greeting] = ours(office, direct)
    return direct, greeting


async def test_who_opens_the_messages_is_greeted_once(office: Office) -> None:
    direct, greeting = await greeted(office)
    assert greeting.text.startswith(GREETING)
    labels = tuple(each.label for each in greeting.controls)
    assert labels == (*EXAMPLES.values(), WHAT_ELSE)
    office.slack.open_home(office.alice, tab="messages")
    office.slack.open_home(office.alice, tab="home")
    await office.slack.until(lambda: office.slack.settled)
    assert len(ours(office, direct)) == 1


async def test_an_example_is_answered_below_the_greeting(office: Office) -> None:
    direct, greeting = await greeted(office)
    office.model.script("Gladly. What is it about?")
    office.model.script("Done.")
    for _ in range(2):
        office.slack.press(office.alice, direct, greeting.ts, UPDATE)
    expected = [greeting.text, "Gladly. What is it about?"]
    await office.answered(greeting.ts, *expected, channel=direct)
    assert UPDATE in office.prompts()[0]
    office.slack.say(office.alice, direct, "our release", thread_ts=greeting.ts)
    await office.answered(greeting.ts, *expected, "Done.", channel=direct)


async def test_the_last_button_lists_the_commands(office: Office) -> None:
    direct, greeting = await greeted(office)
    office.slack.press(office.alice, direct, greeting.ts, WHAT_ELSE)
    await office.slack.until(lambda: office.slack.ephemerals(office.alice))
    assert "`stop`" in office.slack.ephemerals(office.alice)[-1].text
    assert office.prompts() == []


async def test_who_talked_before_is_not_greeted(office: Office) -> None:
    direct = office.slack.open_dm(office.alice)
    ts = office.slack.say(office.alice, direct, "hello")
    await office.slack.until(lambda: office.replies(ts, direct))
    office.slack.open_home(office.alice, tab="messages")
    await office.slack.until(lambda: office.slack.settled)
    assert ours(office, direct) == []


@pytest.mark.parametrize("kind", ["channel", "group"])
async def test_who_adds_the_bot_to_a_channel_is_shown_how_to_set_it_up(
    office: Office, kind: str
) -> None:
    olga = office.slack.add_user("Olga", admin=True)
    channel = office.slack.add_channel(
        "billing", kind=kind, joined=False, members=[olga]
    )
    for _ in range(2):
        office.slack.invite(channel, by=olga)
    await office.slack.until(lambda: office.slack.ephemerals(olga))
    [told] = office.slack.ephemerals(olga)
    assert told.text.startswith(ADDED)
    assert ours(office, channel) == []
    office.slack.press_in(told, olga, SET_UP)
    await office.slack.until(
        lambda: "*Model and answers*" in office.slack.ephemerals(olga)[-1].text
    )
    assert len(office.slack.ephemerals(olga)) == 1
