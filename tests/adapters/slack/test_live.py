"""`threadkeep check --live` on Slack names the causes of missing events."""

import asyncio
import socket
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from adapters.slack.http_events import PATH
from adapters.slack.live import check
from bot.domain.finding import Finding, Grade
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.memory_store import MemoryStore
from tests.support.ports import free_port
from tests.support.process import running, slack_env, slack_http_env
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


# Over HTTP.


async def tried_over_http(
    slack: SlackEmulator, channel: str, patience: float = 20.0
) -> Finding:
    port = free_port()
    env = {**slack_http_env(slack), "THREADKEEP_SLACK_HTTP": f"127.0.0.1:{port}"}
    # Entered while the bot ran, which is stopped now.
    slack.http.url = f"http://127.0.0.1:{port}{PATH}"
    [found] = await check(env, channel, None, patience=patience)
    return found


async def test_a_message_comes_back_to_the_request_url() -> None:
    async with SlackEmulator(retries=[], ack_timeout=30.0) as slack:
        channel = slack.add_channel("test")
        alice = slack.add_user("Alice")
        slack.say(alice, channel, "hello")
        found = await tried_over_http(slack, channel)
        assert (found.grade, f"slack:{channel}" in found.text) == (GOOD, True)
        assert len(slack.calls_of("chat.delete")) == 1
        await slack.until(lambda: slack.settled)


async def test_what_others_say_meanwhile_is_not_acknowledged_over_http() -> None:
    async with SlackEmulator(retries=[], ack_timeout=30.0) as slack:
        channel, alice = slack.add_channel("test"), slack.add_user("Alice")
        gate = slack.faults.hold("chat.delete")
        checking = asyncio.ensure_future(tried_over_http(slack, channel))
        await slack.until(lambda: slack.calls_of("chat.delete"))
        slack.say(alice, channel, "hello")
        await slack.until(lambda: slack.deliveries[-1].lost)
        gate.set()
        assert (await checking).grade is GOOD
        # Its own message is told of, too, and may come when nobody waits for it.
        assert [each for each in slack.http.posts if each.status == 503]


@pytest.mark.parametrize(
    ("reached", "named"), [(True, "subscribe to message.channels"), (False, "proxy")]
)
async def test_what_keeps_requests_away_is_named(reached: bool, named: str) -> None:
    async with SlackEmulator(retries=[], ack_timeout=30.0) as slack:
        channel = slack.add_channel("test")
        slack.feed.subscribed.discard("message.channels")
        checking = asyncio.ensure_future(tried_over_http(slack, channel, 0.5))
        if reached:
            await slack.until(lambda: slack.calls_of("chat.postMessage"))
            slack.emit("app_home_opened", user="U1", channel="D1", tab="home")
        found = await checking
        assert (found.grade, named in found.text) == (BAD, True)


async def test_an_address_that_is_in_use_is_named() -> None:
    async with SlackEmulator() as slack:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            env = {**slack_http_env(slack), "THREADKEEP_SLACK_HTTP": address}
            channel = slack.add_channel("test")
            [found] = await check(env, channel, None)
        assert (found.grade, "THREADKEEP_SLACK_HTTP" in found.text) == (BAD, True)
        assert slack.calls_of("chat.postMessage") == []
