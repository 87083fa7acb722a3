"""The Slack emulator's faults on demand, met by slack_sdk's client."""

import asyncio
from collections.abc import AsyncIterator

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import cut, error, hold, html, status, throttle
from tests.emulators.slack.rates import UNLIMITED
from tests.emulators.slack.world import Message


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(rates=UNLIMITED) as slack:
        yield slack


@pytest.fixture
async def client(slack: SlackEmulator) -> AsyncIterator[AsyncWebClient]:
    async with aiohttp.ClientSession() as session:
        yield AsyncWebClient(
            token=slack.bot_token,
            base_url=slack.api_url,
            session=session,
            retry_handlers=[],
        )


async def test_faults_strike_the_calls_they_are_meant_for(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    slack.faults.add("chat.postMessage", status(503), nth=2)
    slack.faults.add("chat.postMessage", throttle(30), nth=3)
    slack.faults.add("chat.postMessage", html(), nth=4)
    rule = slack.faults.add(
        "*", error("internal_error"), when=lambda call: call.text("text") == "5"
    )
    codes = []
    for text in "12345":
        try:
            await client.chat_postMessage(channel=general, text=text)
        except SlackApiError as failure:
            codes.append(failure.response.status_code)
    assert codes == [503, 429, 503, 200]
    assert rule.struck == 1
    assert [call.outcome for call in slack.calls] == [
        "ok",
        "HTTP 503",
        "HTTP 429",
        "HTTP 503",
        "internal_error",
    ]
    assert [message.text for message in shown(slack)] == ["1"]


async def test_a_connection_breaks_before_or_after_the_effect(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    slack.faults.add("chat.postMessage", cut(), nth=1)
    slack.faults.add("chat.postMessage", cut(after=True), nth=2)
    for text in ("before", "after"):
        with pytest.raises(aiohttp.ClientError):
            await client.chat_postMessage(channel=general, text=text)
    assert [message.text for message in shown(slack)] == ["after"]
    assert [call.outcome for call in slack.calls] == ["cut", "cut"]


async def test_the_sdk_itself_repeats_a_post_after_a_broken_connection(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    slack.faults.add("chat.postMessage", cut(after=True))
    client.retry_handlers = AsyncWebClient().retry_handlers
    await client.chat_postMessage(channel=general, text="twice")
    assert [message.text for message in shown(slack)] == ["twice", "twice"]


async def test_an_answer_can_be_held_back(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    early = slack.faults.hold("chat.postMessage")
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(client.chat_postMessage(channel=general, text="x"))
        await slack.until(lambda: slack.calls_of("chat.postMessage"))
        assert shown(slack) == []
        assert not slack.settled
        early.set()
    late = slack.faults.hold("chat.postMessage", after=True)
    async with asyncio.TaskGroup() as tasks:
        post = tasks.create_task(client.chat_postMessage(channel=general, text="y"))
        await slack.until(lambda: len(shown(slack)) == 2)
        assert not post.done()
        late.set()
    slack.faults.add("auth.test", hold(0.01))
    await client.auth_test()


def shown(slack: SlackEmulator) -> list[Message]:
    """Return all messages of all channels."""
    return [
        message
        for messages in slack.world.messages.values()
        for message in messages.values()
    ]
