"""Socket Mode with several connections, and a process without any."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.slack import sockets
from adapters.slack.adapter import connect
from bot.app import App
from bot.domain.scope import Scope
from bot.errors import ConfigError
from storage.store import DatabaseStore
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR, running, slack_env
from tests.support.scripted_model import ScriptedModel


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator() as slack:
        yield slack


@pytest_asyncio.fixture
async def store() -> AsyncIterator[DatabaseStore]:
    store = MemoryStore()
    yield store


async def test_one_of_several_connections_that_closes_is_no_gap(
    slack: SlackEmulator, store: DatabaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "PING", 0.5)
    channel, alice = slack.add_channel("general"), slack.add_user("Alice")
    env = {"SLACK_CONNECTIONS": "3"}
    async with running(slack, store, ScriptedModel(), env=env):
        await slack.until(lambda: len(slack.connections) == 3)
        # Slack gives out no further connection for now.
        gate = slack.faults.hold("apps.connections.open")
        slack.socket.cut(only=2)
        await slack.until(lambda: len(slack.connections) == 2)
        root = slack.say(alice, channel, f"{slack.mention} still there?")
        asked = slack.command(alice, channel, "/claude", "help")
        await slack.until(lambda: len(slack.thread(channel, root)) == 2)
        await slack.until(lambda: asked.acked)
        assert len(slack.connections) == 2
        gate.set()
        await slack.until(lambda: len(slack.connections) == 3)
        await slack.until(lambda: slack.settled)
    assert not any(each.lost for each in slack.deliveries)


async def test_events_are_spread_over_the_connections(
    slack: SlackEmulator, store: DatabaseStore
) -> None:
    channel, alice = slack.add_channel("general"), slack.add_user("Alice")
    env = {"SLACK_CONNECTIONS": "2"}
    async with running(slack, store, ScriptedModel(), env=env):
        await slack.until(lambda: len(slack.connections) == 2)
        for number in range(20):
            slack.say(alice, channel, str(number))
        await slack.until(lambda: slack.settled)
    used = {each.connection for d in slack.deliveries for each in d.attempts}
    assert len(used) == 2


@pytest.mark.parametrize("written", ["0", "11", "-1", "two", "1.5"])
async def test_a_wrong_number_of_connections_is_named(
    slack: SlackEmulator, written: str
) -> None:
    with pytest.raises(ConfigError, match="SLACK_CONNECTIONS"):
        async with connect({**slack_env(slack), "SLACK_CONNECTIONS": written}):
            pass


async def test_a_process_that_does_not_listen_opens_no_connection_and_answers(
    slack: SlackEmulator, store: DatabaseStore
) -> None:
    env = slack_env(slack)
    del env["SLACK_APP_TOKEN"]
    stopping = asyncio.Event()
    async with connect(env, listens=False) as adapter:
        app = App(
            store=store,
            model=ScriptedModel(),
            adapters=[adapter],
            operator=OPERATOR,
            grace=0.2,
        )
        task = asyncio.create_task(app.run(stopping))
        await app.vitals.connections.complete.wait()
        channel, alice = slack.add_channel("general"), slack.add_user("Alice")
        root = slack.say(alice, channel, f"{slack.mention} hello")
        place = Scope("slack", slack.team, channel)
        # Stored by a process that listens.
        [asked] = await adapter.history.recent(place, 1)
        await app.host.inbox.receive(asked)
        await slack.until(lambda: len(slack.thread(channel, root)) == 2)
        while await app.host.conversations.answering(asked.thread):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        stopping.set()
        await task
    assert slack.socket.opened == 0
    assert slack.calls_of("apps.connections.open") == []
