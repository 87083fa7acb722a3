"""A Slack app that lacks a scope: the operator is told once, and people are served as
far as possible."""

from functools import partial

import pytest

from bot.claude.offline import OfflineModel
from bot.settings.effective import Operator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel


def told(slack: SlackEmulator, user: str) -> list[str]:
    """Return the direct messages of `user` with the bot."""
    talk = slack.world.messages[slack.open_dm(user)].values()
    return [each.text for each in talk]


def answered(slack: SlackEmulator, channel: str, thread: str) -> bool:
    """Return whether the bot wrote something in a thread."""
    return any(each.bot for each in slack.thread(channel, thread))


def operator(user: str) -> Operator:
    return Operator({"model": "m"}, admins=frozenset({f"slack:{user}"}))


async def test_a_required_scope_that_is_missing_at_the_start_is_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    async with SlackEmulator() as slack:
        olga = slack.add_user("Olga")
        slack.granted.discard("mpim:history")
        running_as = {"operator": operator(olga)}
        async with running(slack, store, OfflineModel(), **running_as):  # type: ignore[arg-type]
            await slack.until(lambda: told(slack, olga))
        async with running(slack, store, OfflineModel(), **running_as):  # type: ignore[arg-type]
            pass
    [text] = told(slack, olga)
    assert "the Slack app lacks mpim:history: add it" in text
    assert "reinstall the app" in text
    # Each process logs it; the people are told once an hour.
    assert caplog.text.count("operator.needed the Slack app lacks mpim:history") == 2


async def test_a_scope_that_is_taken_away_meanwhile_is_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    async with SlackEmulator() as slack:
        olga, alice = slack.add_user("Olga"), slack.add_user("Alice")
        general = slack.add_channel("general")
        model = ScriptedModel(["Paris."], ["Rome."])
        async with running(slack, store, model, operator=operator(olga)):
            slack.granted.discard("users:read")
            for question in ("France?", "Italy?"):
                asked = slack.say(alice, general, f"{slack.mention} {question}")
                await slack.until(partial(answered, slack, general, asked))
            await slack.until(lambda: told(slack, olga))
    assert len(told(slack, olga)) == 1
    assert "the Slack app lacks users:read" in told(slack, olga)[0]
    assert caplog.text.count("operator.needed") == 1


async def test_an_optional_scope_is_a_warning_at_the_start_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    store = MemoryStore()
    async with SlackEmulator() as slack:
        olga, alice = slack.add_user("Olga"), slack.add_user("Alice")
        general = slack.add_channel("general")
        slack.granted.discard("usergroups:read")
        model = ScriptedModel(["Paris."])
        async with running(slack, store, model, operator=operator(olga)):
            asked = slack.say(alice, general, f"{slack.mention} France?")
            await slack.until(partial(answered, slack, general, asked))
    assert told(slack, olga) == []
    assert "slack.scopes without usergroups:read" in caplog.text
    assert "operator.needed" not in caplog.text
