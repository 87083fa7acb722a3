"""A channel that is converted to a shared one gets another id (platform facts A1.4)."""

import asyncio
import time
from dataclasses import replace

import pytest

from adapters.slack import intake
from bot.domain.scope import Scope
from bot.domain.setting import Change
from storage.store import DatabaseStore
from tests.adapters.slack.conftest import Office
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel


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

    async def move_slowly(_: object, channel: Scope, to: str, now: float) -> bool:
        found = await move(channel, to, now)
        late.append(ask_late(office, old))
        event = slack.deliveries[-1]
        await slack.until(lambda: event.acked)
        return found

    monkeypatch.setattr(type(office.store), "move_channel", move_slowly)
    office.general = slack.convert_channel(old)
    [asked] = await slack.until(lambda: late)
    await office.settled(asked)
    assert slack.refused == {}


@pytest.mark.parametrize("late", [False, True])
async def test_another_process_knows_the_new_id_of_a_channel(
    late: bool, store: DatabaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = ScriptedModel()
    if late:
        # An event of which Slack does not say when it happened may be an old one.
        monkeypatch.setattr(intake, "LATE", -60.0)
    async with SlackEmulator() as slack:
        office = Office(slack, store, model)
        old = office.general
        async with running(slack, store, model, grace=0.2):
            model.script("Madrid.")
            root = office.ask("of Spain?")
            await office.answered(root, "Madrid.")
            await office.quiet()
            office.general = slack.convert_channel(old)
            await slack.until(lambda: slack.settled)
        async with running(slack, store, model, grace=0.2):
            model.script("Paris.")
            asked = ask_late(office, old, thread_ts=root)
            await office.answered(root, "Madrid.", "Paris.")
            await office.quiet()
            assert "Madrid." in str(model.requests[-1].messages)
            # So it does for changes of earlier messages.
            emit_late(office, old, "message_deleted", deleted_ts=asked)
            await slack.until(lambda: slack.settled)
        team = Scope("slack", slack.team)
        threads = await store.list_threads("slack", office.general)
        assert [each.thread.thread for each in threads] == [root]
        assert await store.list_threads("slack", old) == []
        key = threads[0].thread
        assert await store.stored_message(key, asked) is None
        assert await store.current_channel(replace(team, channel=old)) == key.channel


def ask_late(office: Office, old: str, thread_ts: str | None = None) -> str:
    """Ask a question whose event still has the `old` id of the channel; return its
    ts."""
    slack = office.slack
    subscribed = set(slack.feed.subscribed)
    slack.feed.subscribed.clear()
    late = office.ask("of France?", thread_ts=thread_ts)
    slack.feed.subscribed.update(subscribed)
    message = slack.world.json(slack.world.messages[office.general][late])
    slack.feed.send(
        {**message, "channel": old, "channel_type": "channel", "event_ts": late}
    )
    return late


def emit_late(office: Office, old: str, subtype: str, **more: str) -> None:
    """Send an event about an earlier message that still has the `old` id of the
    channel."""
    ts = f"{time.time():.6f}"
    kind = {"type": "message", "subtype": subtype, "hidden": True}
    where = {"channel": old, "channel_type": "channel", "ts": ts, "event_ts": ts}
    office.slack.feed.send({**kind, **where, **more})
