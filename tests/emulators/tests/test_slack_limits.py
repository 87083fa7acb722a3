"""The Slack emulator enforces Slack's rates and sizes."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from tests.emulators.clock import Clock
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import RATES, Meter, Rate


@pytest.fixture
def clock() -> Clock:
    return Clock(1000.0)


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator(clock=clock) as slack:
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


async def refusal(call: Any) -> tuple[str, str]:
    """Return Slack's error and its message."""
    with pytest.raises(SlackApiError) as caught:
        await call
    response = caught.value.response
    return response["error"], str(response.get("response_metadata", ""))


@given(st.lists(st.floats(0, 5), max_size=300))
def test_no_minute_sees_more_than_count_and_burst(pauses: list[float]) -> None:
    clock = Clock()
    meter = Meter(RATES, clock)
    admitted: list[float] = []
    for pause in pauses:
        clock.now += pause
        if meter.admit("chat.update", "C1") == 0:
            admitted.append(clock.now)
    for start in admitted:
        assert sum(start <= moment < start + 60 for moment in admitted) <= 60


@given(st.lists(st.floats(0, 2), max_size=100))
def test_whoever_waits_as_told_is_served(pauses: list[float]) -> None:
    clock = Clock()
    meter = Meter(RATES, clock)
    for pause in pauses:
        clock.now += pause
        if wait := meter.admit("chat.update", "C1"):
            assert wait >= 1
            clock.now += wait
            assert meter.admit("chat.update", "C1") == 0


def test_a_burst_is_served_and_then_the_rate() -> None:
    clock = Clock()
    meter = Meter({"m": (Rate(60, burst=3),)}, clock)
    assert [meter.admit("m", "") for _ in range(5)] == [0, 0, 0, 1, 1]
    clock.now += 1
    assert [meter.admit("m", "") for _ in range(2)] == [0, 1]


async def test_edits_are_counted_over_the_whole_workspace(
    slack: SlackEmulator, client: AsyncWebClient, clock: Clock
) -> None:
    channels = [slack.add_channel(name) for name in ("one", "two")]
    posts = [
        (channel, (await client.chat_postMessage(channel=channel, text="x"))["ts"])
        for channel in channels
    ]
    for number in range(10):
        channel, ts = posts[number % 2]
        await client.chat_update(channel=channel, ts=ts, text=str(number))
    with pytest.raises(SlackApiError) as caught:
        await client.chat_update(channel=channel, ts=ts, text="too soon")
    response = caught.value.response
    assert (response.status_code, response["error"]) == (429, "ratelimited")
    assert response.headers["Retry-After"] == "2"
    assert slack.refused == {"chat.update": 1}
    assert slack.message(channel, ts).text == "9"
    clock.now += 2
    await client.chat_update(channel=channel, ts=ts, text="in time")


async def test_posts_are_counted_in_each_channel(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    one, two = slack.add_channel("one"), slack.add_channel("two")
    for _ in range(5):
        await client.chat_postMessage(channel=one, text="x")
    assert (await refusal(client.chat_postMessage(channel=one, text="x")))[0] == (
        "ratelimited"
    )
    await client.chat_postMessage(channel=two, text="x")


async def test_a_capped_app_reads_fifteen_messages_a_minute(clock: Clock) -> None:
    async with (
        SlackEmulator(clock=clock, replies_cap=15) as slack,
        aiohttp.ClientSession() as session,
    ):
        client = AsyncWebClient(
            token=slack.bot_token,
            base_url=slack.api_url,
            session=session,
            retry_handlers=[],
        )
        alice, general = slack.add_user("Alice"), slack.add_channel("general")
        root = slack.say(alice, general, "root")
        for number in range(20):
            slack.say(alice, general, str(number), thread_ts=root)

        async def read(**more: Any) -> AsyncSlackResponse:
            return await client.conversations_replies(channel=general, ts=root, **more)

        page = await read(limit=1000)
        assert len(page["messages"]) == 15
        cursor = page["response_metadata"]["next_cursor"]
        with pytest.raises(SlackApiError) as caught:
            await read(cursor=cursor)
        assert caught.value.response.headers["Retry-After"] == "60"
        clock.now += 60
        page = await read(cursor=cursor)
        assert page["messages"][-1]["text"] == "19"


async def test_long_text_is_cut_when_posted_and_refused_when_updated(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    post = await client.chat_postMessage(channel=general, text="x" * 40_001)
    assert len(slack.message(general, post["ts"]).text) == 40_000
    place = {"channel": general, "ts": post["ts"]}
    await client.chat_update(**place, text="x" * 4_000)
    too_long = client.chat_update(**place, text="x" * 4_001)
    assert (await refusal(too_long))[0] == "msg_too_long"


@pytest.mark.parametrize(
    ("blocks", "why"),
    [
        ([{"type": "markdown", "text": "x" * 6_001}] * 2, "less than 12001"),
        ([{"type": "markdown", "text": ""}], "more than 0"),
        ([{"type": "divider"}] * 51, "no more than 50"),
        ([{"type": "marquee"}], "unsupported type"),
        ([{"type": "section", "text": {"text": "x" * 3_001}}], "less than 3001"),
        ([{"type": "divider", "block_id": "a"}] * 2, "not unique"),
        ([{"type": "context", "elements": []}], "1 to 10 elements"),
        (
            [
                {
                    "type": "actions",
                    "elements": [
                        {
                            "type": "button",
                            "action_id": "a",
                            "text": {"type": "plain_text", "text": "x" * 76},
                        }
                    ],
                }
            ],
            "1 to 75",
        ),
    ],
)
async def test_blocks_beyond_the_limits_are_refused(
    slack: SlackEmulator, client: AsyncWebClient, blocks: list[Any], why: str
) -> None:
    general = slack.add_channel("general")
    post = client.chat_postMessage(channel=general, text="x", blocks=blocks)
    error, message = await refusal(post)
    assert error == "invalid_blocks"
    assert why in message


async def test_a_status_goes_by_itself_after_two_minutes(
    slack: SlackEmulator, client: AsyncWebClient, clock: Clock
) -> None:
    direct = slack.open_dm(alice := slack.add_user("Alice"))
    root = slack.say(alice, direct, "hello")
    await client.assistant_threads_setStatus(
        channel_id=direct, thread_ts=root, status="is thinking…"
    )
    clock.now += 119
    assert slack.status(direct, root) == "is thinking…"
    clock.now += 1
    assert slack.status(direct, root) == ""


async def test_a_message_needs_something_to_say(
    slack: SlackEmulator, client: AsyncWebClient
) -> None:
    general = slack.add_channel("general")
    # By `api_call`, because the SDK's own method only warns.
    blank = {"channel": general, "text": " "}
    assert (await refusal(client.api_call("chat.postMessage", json=blank)))[0] == (
        "no_text"
    )
    both = client.chat_postMessage(channel=general, text="x", markdown_text="y")
    assert (await refusal(both))[0] == "markdown_text_conflict"
    post = await client.chat_postMessage(channel=general, markdown_text="**y**")
    assert slack.message(general, post["ts"]).text == "**y**"
