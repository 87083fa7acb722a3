"""`threadkeep check --live` on Slack: what keeps events from arriving is named."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.slack.live import check
from bot.domain.finding import Finding, Grade
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import running, slack_env
from tests.support.scripted_model import ScriptedModel

GOOD, NOTE, BAD = Grade.GOOD, Grade.NOTE, Grade.BAD


@pytest_asyncio.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator() as slack:
        yield slack


async def tried(slack: SlackEmulator, channel: str) -> Finding:
    [found] = await check(slack_env(slack), channel, None, patience=0.5)
    return found


@pytest.mark.parametrize("kind", ["channel", "group", "mpim"])
async def test_a_message_that_comes_back_is_deleted_again(
    slack: SlackEmulator, kind: str
) -> None:
    channel = slack.add_channel("test", kind=kind)
    found = await tried(slack, channel)
    assert (found.grade, f"slack:{channel}" in found.text) == (GOOD, True)
    assert len(slack.calls_of("chat.postMessage")) == 1
    assert len(slack.calls_of("chat.delete")) == 1
    assert slack.connections == []


@pytest.mark.parametrize(
    ("kind", "event"), [("channel", "message.channels"), ("group", "message.groups")]
)
async def test_a_missing_subscription_is_named(
    slack: SlackEmulator, kind: str, event: str
) -> None:
    channel = slack.add_channel("test", kind=kind)
    slack.feed.subscribed.discard(event)
    found = await tried(slack, channel)
    assert (found.grade, event in found.text) == (BAD, True)
    assert len(slack.calls_of("chat.delete")) == 1


@pytest.mark.parametrize("scope", ["channels:history", "chat:write", "channels:read"])
async def test_a_missing_scope_is_named(slack: SlackEmulator, scope: str) -> None:
    channel = slack.add_channel("test")
    slack.granted.discard(scope)
    found = await tried(slack, channel)
    assert (found.grade, scope in found.text) == (BAD, True)


async def test_who_is_not_a_member_is_told_how_to_become_one(
    slack: SlackEmulator,
) -> None:
    found = await tried(slack, slack.add_channel("test", joined=False))
    assert (found.grade, "/invite @threadkeep" in found.text) == (BAD, True)
    secret = slack.add_channel("secret", kind="group", joined=False)
    for channel in (secret, "C99999999"):
        found = await tried(slack, channel)
        assert (found.grade, f"slack:{channel}" in found.text) == (BAD, True)
    assert slack.calls_of("chat.postMessage") == []


async def test_a_workspace_without_socket_mode_is_told_so(slack: SlackEmulator) -> None:
    channel = slack.add_channel("test")
    await slack.turn_off_socket_mode()
    found = await tried(slack, channel)
    assert found.grade is BAD
    assert slack.calls_of("chat.postMessage") == []


async def test_what_people_say_meanwhile_is_left_to_the_bot(
    slack: SlackEmulator,
) -> None:
    channel, alice = slack.add_channel("test"), slack.add_user("Alice")
    slack.feed.subscribed.discard("message.channels")
    checking = asyncio.create_task(tried(slack, channel))
    await slack.until(lambda: slack.connections)
    slack.say(alice, channel, f"{slack.mention} hello?")
    await checking
    assert [each for each in slack.deliveries if each.acked] == []


async def test_a_message_that_another_process_got_is_no_proof(
    slack: SlackEmulator,
) -> None:
    channel = slack.add_channel("test")
    async with running(slack, MemoryStore(), ScriptedModel()):
        seen = set[Grade]()
        for _ in range(20):
            found = await tried(slack, channel)
            seen.add(found.grade)
            if found.grade is NOTE:
                break
    # Slack sends each event to one of both.
    assert BAD not in seen
    assert NOTE in seen


async def test_the_running_bot_is_asked_where_there_is_one(
    slack: SlackEmulator,
) -> None:
    channel = slack.add_channel("test")
    async with running(slack, MemoryStore(), ScriptedModel()) as app:

        async def heard(message: str) -> bool:
            for _ in range(200):
                if f"slack:{message}" in app.vitals.read().echoes:
                    return True
                await asyncio.sleep(0.01)
            return False

        [found] = await check(slack_env(slack), channel, heard)
        assert (found.grade, "running bot" in found.text) == (GOOD, True)
        slack.feed.subscribed.discard("message.channels")
        [found] = await check(slack_env(slack), channel, heard)
        assert (found.grade, "message.channels" in found.text) == (BAD, True)
