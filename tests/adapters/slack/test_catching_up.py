"""Messages sent while no events arrived from Slack are fetched and answered once."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from adapters.slack import catching_up, late_threads, missed_messages
from adapters.slack.history import MessageHistory
from bot.app import App
from bot.domain.scope import ThreadKey
from bot.errors import StorageFull
from storage.store import DatabaseStore
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import error, hold
from tests.support.memory_store import MemoryStore
from tests.support.process import running, slack_http_env
from tests.support.scripted_model import ScriptedModel
from tests.support.slack_house import house

REPLIES, HISTORY = "conversations.replies", "conversations.history"


class Desk:
    """A workspace in which every outage is longer than Slack's repeats."""

    def __init__(self, slack: SlackEmulator, store: DatabaseStore) -> None:
        self.slack, self.store = slack, store
        self.model = ScriptedModel()
        self.alice = slack.add_user("Alice")
        self.general = slack.add_channel("general")

    def say(self, text: str, root: str = "", channel: str = "") -> str:
        place = channel or self.general
        return self.slack.say(self.alice, place, text, thread_ts=root or None)

    def ask(self, text: str, root: str = "", channel: str = "") -> str:
        return self.say(f"{self.slack.mention} {text}", root, channel)

    def replies(self, root: str, channel: str = "") -> int:
        seen = self.slack.thread(channel or self.general, root)
        return sum(each.bot for each in seen)

    async def answered(self, root: str, count: int, channel: str = "") -> None:
        """Wait until a thread has so many answers, and nothing is open in the store."""
        await self.slack.until(lambda: self.replies(root, channel) == count)
        while await self.store.open_threads():  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    @contextlib.asynccontextmanager
    async def serving(self, env: dict[str, str] | None = None) -> AsyncIterator[App]:
        """The bot."""
        slack, model = self.slack, self.model
        async with running(slack, self.store, model, env=env, grace=0.2) as app:
            yield app
        await self.slack.until(lambda: not self.slack.connections)

    @contextlib.contextmanager
    def lost(self) -> Iterator[None]:
        """Let what is said meanwhile never arrive as an event."""
        subscribed = set(self.slack.feed.subscribed)
        self.slack.feed.subscribed.clear()
        try:
            yield
        finally:
            self.slack.feed.subscribed.update(subscribed)


@pytest_asyncio.fixture
async def desk(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Desk]:
    monkeypatch.setattr(catching_up, "AWAY", 0.0)
    monkeypatch.setattr(catching_up, "PACE", 0.0)
    monkeypatch.setattr(late_threads, "PACE", 0.0)
    store = MemoryStore()
    async with (
        SlackEmulator(retries=[0.01], ack_timeout=30.0) as slack,
    ):
        yield Desk(slack, store)


async def begun(desk: Desk) -> str:
    """Return a thread with one answer; then the bot is stopped."""
    async with desk.serving():
        root = desk.ask("hello")
        await desk.answered(root, 1)
    return root


async def test_what_was_said_while_it_was_down_is_answered_once(desk: Desk) -> None:
    root = await begun(desk)
    with desk.lost():
        desk.say("are you there?", root)
    async with desk.serving():
        await desk.answered(root, 2)
    assert "are you there?" in desk.model.requests[1].messages[-1].content
    # A second start finds nothing new.
    async with desk.serving():
        await caught_up(desk, 2)
    assert (desk.replies(root), len(desk.model.requests)) == (2, 2)


async def caught_up(desk: Desk, count: int) -> None:
    """Wait until the threads were read in so many starts."""
    calls = desk.slack.calls_of
    await desk.slack.until(
        lambda: (
            sum(each.value("oldest") is not None for each in calls(REPLIES)) >= count
        )
    )
    await desk.slack.until(lambda: desk.slack.settled)


async def test_a_short_outage_is_left_to_slacks_repeats(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "AWAY", 240.0)
    root = await begun(desk)
    async with desk.serving():
        desk.ask("again", root)
        await desk.answered(root, 2)
    assert not [e for e in desk.slack.calls_of(REPLIES) if e.value("oldest")]
    assert desk.slack.calls_of(HISTORY) == []


async def test_a_mention_at_the_top_of_a_known_channel_is_answered(desk: Desk) -> None:
    await begun(desk)
    other = desk.slack.add_channel("unused")
    with desk.lost():
        missed = desk.ask("and this?")
        desk.say("below", missed)
        idle = desk.say("nobody in particular")
        elsewhere = desk.ask("here, where it never spoke", channel=other)
    async with desk.serving():
        await desk.answered(missed, 1)
        await caught_up(desk, 2)
    assert desk.replies(idle) == 0
    # Slack lists no channels in which it was mentioned.
    assert desk.replies(elsewhere, other) == 0
    said = [e.content for r in desk.model.requests for e in r.messages]
    assert not any("nobody in particular" in each for each in said)


async def test_direct_messages_are_caught_up_with(desk: Desk) -> None:
    direct = desk.slack.open_dm(desk.alice)
    async with desk.serving():
        root = desk.say("hello", channel=direct)
        await desk.answered(root, 1, direct)
    with desk.lost():
        missed = desk.say("anybody?", channel=direct)
    async with desk.serving():
        await desk.answered(missed, 1, direct)


async def test_messages_deleted_while_it_was_down_are_deleted(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The messages of this test count as posted long ago.
    monkeypatch.setattr(missed_messages, "SETTLED", -60.0)
    async with desk.serving():
        root = desk.ask("hello")
        await desk.answered(root, 1)
        said = [desk.ask(f"one more, {n}", root) for n in range(2)]
        await desk.answered(root, desk.replies(root))
        place = ThreadKey("slack", desk.slack.team, desk.general, root)
        while not all(  # noqa: ASYNC110
            [await desk.store.stored_message(place, ts) for ts in said]
        ):
            await asyncio.sleep(0.01)
    with desk.lost():
        desk.slack.delete(desk.general, said[0])
        desk.ask("are you there?", root)
    async with desk.serving():
        while "are you there?" not in str(  # noqa: ASYNC110
            await desk.store.transcript(place)
        ):
            await asyncio.sleep(0.01)
    kept = [await desk.store.stored_message(place, ts) for ts in (root, *said)]
    assert [each is not None for each in kept] == [True, False, True]


async def test_an_edit_while_it_was_down_is_read(desk: Desk) -> None:
    root = await begun(desk)
    with desk.lost():
        desk.slack.edit(desk.general, root, f"{desk.slack.mention} good evening")
    async with desk.serving():
        place = ThreadKey("slack", desk.slack.team, desk.general, root)
        while "good evening" not in str(  # noqa: ASYNC110
            await desk.store.transcript(place)
        ):
            await asyncio.sleep(0.01)
        desk.say("so?", root)
        await desk.answered(root, 2)
    assert "good evening" in desk.model.requests[-1].messages[0].content


async def test_what_was_missed_before_something_that_arrived_is_fetched(
    desk: Desk,
) -> None:
    async with desk.serving() as app:
        root = desk.ask("hello")
        await desk.answered(root, 1)
        with desk.lost():
            desk.say("the first", root)
        # Connected again, it hears the second before it looks for others.
        gate = desk.slack.faults.hold(HISTORY)
        connections = desk.slack.socket.opened
        await desk.slack.socket.disconnect("refresh_requested")
        await desk.slack.until(lambda: desk.slack.socket.opened > connections)
        desk.say("the second", root)
        await desk.answered(root, 2)
        gate.set()
        await desk.answered(root, 3)
        assert app.vitals.connections.all({})[0].reconnects
    said = " ".join(e.content for e in desk.model.requests[-1].messages)
    assert said.count("the first") == 1


async def test_messages_whose_events_slack_left_out_are_fetched(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "AWAY", 240.0)
    monkeypatch.setattr(catching_up, "MINUTE", 0.0)
    async with desk.serving():
        root = desk.ask("hello")
        await desk.answered(root, 1)
        with desk.lost():
            missed = desk.ask("one of many?")
        desk.slack.limit_events(float(root) - 1)
        await desk.answered(missed, 1)
    assert desk.replies(root) == 1


def noted(desk: Desk) -> list[str]:
    assert isinstance(desk.store, MemoryStore)
    rows = desk.store.db.conn.execute("SELECT name FROM outages")
    return [name for (name,) in rows]


async def test_a_limited_minute_is_caught_up_with_after_a_restart(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "AWAY", 240.0)
    async with desk.serving():
        root = desk.ask("hello")
        await desk.answered(root, 1)
        with desk.lost():
            missed = desk.ask("one of many?")
        desk.slack.limit_events(float(root) - 1)
        while not noted(desk):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert desk.replies(missed) == 0
    monkeypatch.setattr(catching_up, "MINUTE", 0.0)
    async with desk.serving():
        await desk.answered(missed, 1)


async def test_a_limited_minute_of_one_workspace_is_no_outage_of_the_others(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catching_up, "AWAY", 240.0)
    monkeypatch.setattr(catching_up, "MINUTE", 0.0)
    caplog.set_level(logging.INFO)
    async with desk.serving():
        root = desk.ask("hello")
        await desk.answered(root, 1)
        desk.slack.limit_events(float(root) - 1, team="T0OTHER")
        while "slack.catching_up threads=" not in caplog.text:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    assert "slack.catching_up threads=0" in caplog.text
    assert desk.slack.calls_of(HISTORY) == []


async def test_after_a_repeat_behind_a_long_silence_the_rest_is_fetched(
    desk: Desk,
) -> None:
    async with desk.serving(slack_http_env(desk.slack)):
        root = desk.ask("hello")
        await desk.answered(root, 1)
        with desk.lost():
            desk.say("are you there?", root)
        # A second repeat: nothing reached the bot for a minute.
        payload = desk.slack.deliveries[-1].payload
        posted = await desk.slack.http.repeat(payload, 2, "http_timeout")
        assert posted.status == 200
        await desk.answered(root, 2)


async def test_after_the_store_refused_events_for_long_the_lost_ones_are_fetched(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive: Any = type(desk.store).receive
    away = False

    async def refuses(self: Any, *arguments: Any, **more: Any) -> Any:
        if away:
            raise StorageFull("the disk is full")
        return await receive(self, *arguments, **more)

    monkeypatch.setattr(type(desk.store), "receive", refuses)
    async with desk.serving(slack_http_env(desk.slack)):
        root = desk.ask("hello")
        await desk.answered(root, 1)
        away = True
        # Slack gives this one up.
        desk.say("are you there?", root)
        await desk.slack.until(lambda: desk.slack.deliveries[-1].lost)
        away = False
        desk.ask("anybody?", desk.say("something else"))
        await desk.answered(root, 2)


async def test_late_questions_are_looked_for_together(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catching_up, "AWAY", 240.0)
    receive: Any = type(desk.store).receive
    away = True

    async def refuses(self: Any, *arguments: Any, **more: Any) -> Any:
        if away:
            raise StorageFull("the disk is full")
        return await receive(self, *arguments, **more)

    monkeypatch.setattr(type(desk.store), "receive", refuses)
    slack = desk.slack
    looking = slack.faults.hold(HISTORY)
    async with desk.serving(slack_http_env(slack)):
        roots = [desk.ask(str(n)) for n in range(5)]
        asked = list(slack.deliveries)
        desk.say("and then?", roots[3])
        # Slack gives them all up, then repeats the questions.
        await slack.until(lambda: all(each.lost for each in slack.deliveries))
        away = False
        for each in asked:
            await slack.http.repeat(each.payload, 1, "http_error")
        await slack.until(lambda: all(desk.replies(root) for root in roots))
        looking.set()
        await desk.answered(roots[3], 2)
    assert "and then?" in desk.model.requests[-1].messages[-1].content
    read = [e.value("ts") for e in slack.calls_of(REPLIES) if e.value("oldest")]
    assert (read, len(slack.calls_of(HISTORY))) == ([roots[3]], 2)


async def test_one_thread_that_fails_costs_that_thread_alone(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk.serving():
        roots = [desk.ask(f"hello {n}") for n in range(3)]
        for root in roots:
            await desk.answered(root, 1)
    with desk.lost():
        for root in roots:
            desk.say("are you there?", root)
    bad = roots[1]
    desk.slack.faults.add(
        *(REPLIES, error("channel_not_found")),
        when=lambda call: call.value("ts") == roots[0] and bool(call.value("oldest")),
    )
    after: Any = MessageHistory.after

    async def fails(self: Any, thread: Any, *arguments: Any, **named: Any) -> Any:
        if thread.thread == bad:
            raise RuntimeError("the-words-of-Alice")
        return await after(self, thread, *arguments, **named)

    monkeypatch.setattr(MessageHistory, "after", fails)
    async with desk.serving():
        await desk.answered(roots[2], 2)
        await caught_up(desk, 2)
    assert "task=catch up at=RuntimeError(" in caplog.text
    assert "the-words-of-Alice" not in caplog.text


async def test_an_app_that_is_capped_reads_the_threads_that_were_used_last(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(catching_up, "MOST_READ_CAPPED", 2)
    async with desk.serving():
        roots = [desk.ask(f"hello {n}") for n in range(4)]
        for root in roots:
            await desk.answered(root, 1)
    with desk.lost():
        for root in roots:
            desk.say("are you there?", root)
    monkeypatch.setattr(MessageHistory, "is_capped", True)
    caplog.set_level(logging.INFO)
    async with desk.serving():
        # Its channel was the other one.
        await desk.answered(roots[3], 2)
        await desk.slack.until(lambda: "slack.not_caught_up" in caplog.text)
    assert [desk.replies(each) for each in roots] == [1, 1, 1, 2]
    assert "threads_and_channels=3" in caplog.text


async def test_after_an_hour_it_ends_and_says_what_is_left(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    root = await begun(desk)
    with desk.lost():
        desk.say("are you there?", root)
    monkeypatch.setattr(catching_up, "LONGEST", 0.0)
    async with desk.serving():
        await desk.slack.until(lambda: "slack.not_caught_up" in caplog.text)
    # A thread, and its channel.
    assert "threads_and_channels=2" in caplog.text
    assert desk.replies(root) == 1


class Team:
    """One of many workspaces, with a thread of its own."""

    def __init__(self, slack: SlackEmulator) -> None:
        self.slack = slack
        self.person = slack.add_user("Pat")
        self.channel = slack.add_channel("general")

    def say(self, text: str, root: str | None = None) -> str:
        return self.slack.say(self.person, self.channel, text, thread_ts=root)

    async def begin(self) -> str:
        """Return a thread with an answer."""
        root = self.say(f"{self.slack.mention} hello")
        await self.replied(root, 1)
        return root

    async def replied(self, root: str, count: int) -> None:
        """Wait for so many complete answers."""
        await self.slack.until(lambda: self.texts(root) == ["Understood."] * count)

    def texts(self, root: str) -> list[str]:
        seen = self.slack.thread(self.channel, root)
        return [each.text for each in seen if each.bot]


async def test_each_of_many_workspaces_is_caught_up_with_by_itself(
    desk: Desk,
) -> None:
    desk.slack.uninstall()
    async with house(desk.slack, desk.store, desk.model, grace=0.2) as here:
        teams = [Team(await here.team(name)) for name in ("Acme", "Globex", "Initech")]
        roots = [await each.begin() for each in teams]
        while await desk.store.open_threads():  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    await desk.slack.until(lambda: not desk.slack.connections)
    for team, root in zip(teams, roots, strict=True):
        # Nothing is connected, and Slack has given it up by the next start.
        subscribed = set(team.slack.feed.subscribed)
        team.slack.feed.subscribed.clear()
        team.say("are you there?", root)
        team.slack.feed.subscribed.update(subscribed)
    acme, globex, initech = teams
    acme.slack.api.refuse("token_revoked")
    held = globex.slack.faults.hold(HISTORY)
    async with house(desk.slack, desk.store, desk.model, grace=0.2):
        # Neither the one without a token nor the slow one is waited for.
        await initech.replied(roots[2], 2)
        assert globex.texts(roots[1]) == ["Understood."]
        held.set()
        await globex.replied(roots[1], 2)
    assert acme.texts(roots[0]) == ["Understood."]


async def test_a_process_that_is_killed_while_it_catches_up_leaves_that_to_the_next(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = await begun(desk)
    with desk.lost():
        desk.say("are you there?", root)
    reading = desk.slack.faults.add(
        REPLIES, hold(3600.0), when=lambda call: call.value("oldest") is not None
    )
    async with desk.serving():
        await desk.slack.until(lambda: reading.struck)
        # Something that arrives: by what is stored, there was no outage any more.
        desk.ask("hello again")
    monkeypatch.setattr(catching_up, "AWAY", 240.0)
    async with desk.serving():
        await desk.answered(root, 2)


@pytest.mark.parametrize("known", [True, False])
async def test_people_of_another_organisation_are_turned_away(
    desk: Desk, known: bool
) -> None:
    stan = desk.slack.add_user("Stan", team="T99999999")
    root = await begun(desk)
    if not known:
        desk.slack.faults.add("conversations.info", error("missing_scope"), times=9)
    said = f"{desk.slack.mention} hello"
    with desk.lost():
        theirs = desk.slack.say(stan, desk.general, said)
        desk.slack.say(stan, desk.general, said, thread_ts=root)
        ours = desk.ask("and me?")
    async with desk.serving():
        await desk.answered(ours, 1)
        await desk.slack.until(lambda: desk.slack.ephemerals(stan))
        await caught_up(desk, 3)
    assert (desk.replies(theirs), desk.replies(root)) == (0, 1)
    assert len(desk.model.requests) == 2
