"""Each adapter reports its connection: open, lost, open again, event received."""

import asyncio
from collections.abc import Callable

import pytest

from adapters.slack import sockets
from bot.app import App
from bot.domain.vitals import Connection
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel


async def until(condition: Callable[[], object]) -> None:
    """Wait for what the process knows, which no emulator tells of."""
    async with asyncio.timeout(60):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def state(app: App) -> Connection:
    [found] = app.vitals.read().connections
    return found


async def test_slack_is_connected_when_it_greets_and_heard_with_an_event() -> None:
    async with (
        SlackEmulator() as slack,
        running(slack, MemoryStore(), ScriptedModel()) as app,
    ):
        await until(lambda: state(app).since)
        assert (state(app).heard, state(app).reconnects) == (None, 0)
        general, alice = slack.add_channel("general"), slack.add_user("Alice")
        slack.say(alice, general, "Nothing for you.")
        await until(lambda: state(app).heard)
        assert app.vitals.read().echoes == ()


async def test_a_probe_on_slack_comes_back_and_no_answer_counts_as_one() -> None:
    async with (
        SlackEmulator() as slack,
        running(slack, MemoryStore(), ScriptedModel()) as app,
    ):
        general, alice = slack.add_channel("general"), slack.add_user("Alice")
        slack.say(alice, general, f"{slack.mention} hello?")
        prober = app.platforms.adapters["slack"].prober
        assert prober is not None
        await until(lambda: app.vitals.read().answers[0].end.count)
        probe = await prober.probe(general)
        await until(lambda: app.vitals.read().echoes)
        assert app.vitals.read().echoes == (f"slack:{probe}",)


async def test_a_connection_of_slack_that_broke_is_lost_until_it_greets_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sockets, "PING", 0.5)
    async with (
        SlackEmulator() as slack,
        running(slack, MemoryStore(), ScriptedModel()) as app,
    ):
        await until(lambda: state(app).since)
        slack.socket.cut()
        # It may be open again before anybody looks.
        await until(lambda: state(app).reconnects == 1)
        await until(lambda: state(app).since)


async def test_discord_is_connected_with_its_session_and_heard_with_an_event() -> None:
    async with (
        DiscordEmulator() as discord,
        running(discord, MemoryStore(), ScriptedModel()) as app,
    ):
        await until(lambda: state(app).since)
        assert state(app).heard is None
        general, alice = discord.add_channel("general"), discord.add_user("Alice")
        await until(lambda: state(app).heard)
        discord.say(alice, general, f"{discord.mention} hello?")
        await until(lambda: app.vitals.read().answers[0].end.count)
        prober = app.platforms.adapters["discord"].prober
        assert prober is not None
        probe = await prober.probe(str(general))
        await until(lambda: app.vitals.read().echoes)
        assert app.vitals.read().echoes == (f"discord:{probe}",)


async def test_a_session_of_discord_that_broke_is_lost_until_it_resumes() -> None:
    async with (
        DiscordEmulator() as discord,
        running(discord, MemoryStore(), ScriptedModel()) as app,
    ):
        await until(lambda: state(app).since)
        discord.gateway.drop(resumable=True)
        # It may be open again before anybody looks.
        await until(lambda: state(app).reconnects == 1)
        await until(lambda: state(app).since)


async def test_an_answer_is_timed_and_its_writes_are_counted() -> None:
    async with (
        SlackEmulator() as slack,
        running(slack, MemoryStore(), ScriptedModel()) as app,
    ):
        general, alice = slack.add_channel("general"), slack.add_user("Alice")
        slack.say(alice, general, f"{slack.mention} hello?")

        def timed() -> int:
            [found] = app.vitals.read().answers
            return min(found.first_words.count, found.end.count)

        await until(timed)
        [found] = app.vitals.read().answers
        assert 0 < found.first_words.total <= found.end.total
        written = {each.result: each.count for each in app.vitals.read().writes}
        assert written["written"] >= 1
        assert {each.platform for each in app.vitals.read().budgets} == {"slack"}


async def test_a_bot_with_several_sessions_is_connected_with_all_of_them() -> None:
    shards = {"DISCORD_SHARDS": "2"}
    async with DiscordEmulator() as discord:
        discord.app.max_concurrency = 2
        async with running(discord, MemoryStore(), ScriptedModel(), env=shards) as app:
            await until(lambda: state(app).since)
            assert discord.gateway.connected == 2
            assert state(app).reconnects == 0
