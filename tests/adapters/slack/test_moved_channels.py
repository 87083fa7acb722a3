"""A channel that is converted to a shared one gets another id (platform facts A1.4)."""

import asyncio

import pytest

from bot.domain.scope import Scope
from bot.domain.setting import Change
from tests.adapters.slack.conftest import Office


async def test_a_thread_goes_on_under_the_new_id_of_its_channel(office: Office) -> None:
    office.model.script("Madrid.")
    office.model.script("Paris.")
    here = Scope("slack", office.slack.team, office.general)
    pirate = Change(here, "prompt", "Talk like a pirate.", versioned=True)
    await office.store.change_settings([pirate], who=office.alice, now=1.0)
    root = office.ask("of Spain?")
    await office.answered(root, "Madrid.")
    await office.quiet()
    old = office.general
    office.general = office.slack.convert_channel(old)
    await office.slack.until(lambda: office.slack.settled)
    # The end of the old id is not the end of the channel.
    office.slack.emit("channel_deleted", channel=old)
    await office.slack.until(lambda: office.slack.settled)
    # Nobody has to mention the bot again.
    office.slack.say(office.alice, office.general, "of France?", thread_ts=root)
    await office.answered(root, "Madrid.", "Paris.")
    request = office.model.requests[-1]
    assert "Talk like a pirate." in request.system
    assert "Madrid." in str(request.messages)
    assert office.slack.refused == {}


async def test_an_answer_in_progress_is_written_under_the_new_id(
    office: Office,
) -> None:
    gate = asyncio.Event()
    office.model.script("Mad", gate, "rid.")
    office.model.script("Madrid.")
    root = office.ask("of Spain?")
    await office.slack.until(lambda: office.replies(root))
    office.general = office.slack.convert_channel(office.general)
    await office.answered(root, "Madrid.")
    await office.quiet()
    assert len(office.model.requests) == 2


async def test_a_late_event_with_the_old_id_is_answered_under_the_new_one(
    office: Office,
) -> None:
    old = office.general
    root = office.ask("of Spain?")
    await office.settled(root)
    office.general = office.slack.convert_channel(old)
    await office.slack.until(lambda: office.slack.settled)
    late = ask_late(office, old)
    await office.settled(late)
    assert office.slack.refused == {}


async def test_an_event_that_arrives_while_its_channel_is_moved_is_answered(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    slack, old, late = office.slack, office.general, list[str]()
    await office.settled(office.ask("of Spain?"))
    move = office.store.move_channel

    async def move_slowly(_: object, channel: Scope, to: str) -> bool:
        found = await move(channel, to)
        late.append(ask_late(office, old))
        event = slack.deliveries[-1]
        await slack.until(lambda: event.acked)
        return found

    monkeypatch.setattr(type(office.store), "move_channel", move_slowly)
    office.general = slack.convert_channel(old)
    [asked] = await slack.until(lambda: late)
    await office.settled(asked)
    assert slack.refused == {}


def ask_late(office: Office, old: str) -> str:
    """Ask a question whose event still has the `old` id of the channel; return its
    ts."""
    slack = office.slack
    subscribed = set(slack.feed.subscribed)
    slack.feed.subscribed.clear()
    late = office.ask("of France?")
    slack.feed.subscribed.update(subscribed)
    message = slack.world.json(slack.world.messages[office.general][late])
    slack.feed.send(
        {**message, "channel": old, "channel_type": "channel", "event_ts": late}
    )
    return late
