"""The Slack emulator's Socket Mode, used through Bolt."""

import asyncio
import contextlib
import re
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.emulator import SlackEmulator

Json = dict[str, Any]
Next = Callable[[], Awaitable[BoltResponse]]

#: Seconds until the SDK notices that a connection is closed. It gives up a silent one
#: after four times as long.
PING = 0.05


class Bot:
    """A Bolt app in Socket Mode that records the payloads it receives."""

    def __init__(
        self,
        slack: SlackEmulator,
        session: aiohttp.ClientSession,
        *,
        ping: float = PING,
    ) -> None:
        client = AsyncWebClient(
            token=slack.bot_token, base_url=slack.api_url, session=session
        )
        # Without a name, Bolt searches all modules for one.
        self.app = AsyncApp(
            client=client, name="bot", ignoring_self_events_enabled=False
        )
        self.handler = AsyncSocketModeHandler(
            self.app, app_token=slack.app_token, ping_interval=ping
        )
        #: The payloads, each with its retry number.
        self.heard: list[tuple[str, Json]] = []
        #: How many of the next payloads fail before they are acknowledged.
        self.fails = 0
        self.app.middleware(self._spool)
        self.app.event(re.compile(".*"))(self._nothing)

    @property
    def events(self) -> list[Json]:
        return [payload["event"] for _, payload in self.heard]

    async def connect(self) -> None:
        await self.handler.connect_async()  # type: ignore[no-untyped-call]

    async def close(self) -> None:
        await self.handler.close_async()  # type: ignore[no-untyped-call]

    async def _spool(self, req: Any, body: Json, next: Next) -> BoltResponse:
        if self.fails:
            self.fails -= 1
            return BoltResponse(status=500)
        (retry,) = req.headers.get("x-slack-retry-num", ["-"])
        self.heard.append((retry, body))
        return await next()

    async def _nothing(self) -> None:
        """Do nothing: a matching listener is enough to acknowledge an event."""


@pytest.fixture
def ack_timeout() -> float:
    """Seconds in which an event must be acknowledged: so many that nothing is sent
    twice on a busy machine."""
    return 60.0


#: For tests of events that are not acknowledged.
hasty = pytest.mark.parametrize("ack_timeout", [0.2])


@pytest.fixture
async def slack(ack_timeout: float) -> AsyncIterator[SlackEmulator]:
    retries = (0.0, 0.01, 0.02)
    async with SlackEmulator(ack_timeout=ack_timeout, retries=retries) as slack:
        yield slack


@pytest.fixture
async def bot(slack: SlackEmulator) -> AsyncIterator[Bot]:
    async with running(slack) as bot:
        yield bot


@contextlib.asynccontextmanager
async def running(slack: SlackEmulator, *, ping: float = PING) -> AsyncIterator[Bot]:
    async with aiohttp.ClientSession() as session:
        bot = Bot(slack, session, ping=ping)
        await bot.connect()
        try:
            yield bot
        finally:
            await bot.close()


async def test_what_people_say_reaches_the_app_in_order(
    slack: SlackEmulator, bot: Bot
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    root = slack.say(alice, general, "hello")
    reply = slack.say(alice, general, "more", thread_ts=root)
    await slack.until(lambda: slack.settled and len(bot.heard) == 2)
    first, second = bot.events
    assert first == {
        "type": "message",
        "channel": general,
        "channel_type": "channel",
        "user": alice,
        "text": "hello",
        "ts": root,
        "event_ts": root,
        "team": slack.team,
        "client_msg_id": first["client_msg_id"],
        "blocks": first["blocks"],
    }
    assert second["ts"] == reply
    assert (second["thread_ts"], second["parent_user_id"]) == (root, alice)
    assert {retry for retry, _ in bot.heard} == {"0"}
    envelope = bot.heard[0][1]
    assert envelope["type"] == "event_callback"
    assert envelope["authorizations"][0]["user_id"] == slack.bot_user


@pytest.mark.parametrize("pair", ["message_first", "mention_first"])
async def test_a_mention_comes_twice_with_two_event_ids(
    slack: SlackEmulator, bot: Bot, pair: str
) -> None:
    slack.feed.pair = pair
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    ts = slack.say(alice, general, f"{slack.mention} hello")
    await slack.until(lambda: len(bot.heard) == 2)
    kinds = [event["type"] for event in bot.events]
    assert kinds == (
        ["message", "app_mention"]
        if pair == "message_first"
        else ["app_mention", "message"]
    )
    assert {event["ts"] for event in bot.events} == {ts}
    assert len({event["client_msg_id"] for event in bot.events}) == 1
    assert len({payload["event_id"] for _, payload in bot.heard}) == 2
    mention = bot.events[kinds.index("app_mention")]
    assert "channel_type" not in mention


async def test_events_may_come_in_any_order_and_more_than_once(
    slack: SlackEmulator, bot: Bot
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    with slack.feed.backwards():
        for text in "abc":
            slack.say(alice, general, text)
    slack.socket.deliver(slack.deliveries[0].payload)
    await slack.until(lambda: len(bot.heard) == 4)
    assert [event["text"] for event in bot.events] == ["c", "b", "a", "c"]
    assert bot.heard[0][1]["event_id"] == bot.heard[3][1]["event_id"]


async def test_a_direct_message_comes_once(slack: SlackEmulator, bot: Bot) -> None:
    alice = slack.add_user("Alice")
    slack.say(alice, slack.open_dm(alice), f"{slack.mention} hello")
    await slack.until(lambda: bot.heard and slack.settled)
    assert [event["channel_type"] for event in bot.events] == ["im"]


async def test_edits_and_deletions_are_told(slack: SlackEmulator, bot: Bot) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    ts = slack.say(alice, general, "old")
    slack.edit(general, ts, "new")
    slack.delete(general, ts)
    await slack.until(lambda: len(bot.heard) == 3)
    _, edited, deleted = bot.events
    assert (edited["subtype"], deleted["subtype"]) == (
        "message_changed",
        "message_deleted",
    )
    assert edited["previous_message"]["text"] == "old"
    assert edited["message"]["text"] == "new"
    assert edited["message"]["edited"]["user"] == alice
    assert deleted["deleted_ts"] == ts
    assert deleted["previous_message"]["text"] == "new"


async def test_the_app_hears_itself_and_other_programs(
    slack: SlackEmulator, bot: Bot
) -> None:
    general = slack.add_channel("general")
    post = await bot.app.client.chat_postMessage(channel=general, text="a")
    await bot.app.client.chat_update(channel=general, ts=post["ts"], text="b")
    slack.say(slack.add_app("ci", classic=True), general, "c")
    slack.say(slack.add_app("poll"), general, "d")
    await slack.until(lambda: len(bot.heard) == 4)
    own, edited, classic, modern = bot.events
    assert own["bot_id"] == slack.bot_id
    assert edited["message"]["bot_id"] == slack.bot_id
    assert (classic["subtype"], classic["username"]) == ("bot_message", "ci")
    assert "user" not in classic
    assert "subtype" not in modern
    assert modern["bot_id"] not in (slack.bot_id, None)


async def test_the_app_hears_only_where_its_bot_is(
    slack: SlackEmulator, bot: Bot
) -> None:
    alice = slack.add_user("Alice")
    elsewhere = slack.add_channel("elsewhere", joined=False)
    slack.say(alice, elsewhere, f"{slack.mention} unheard")
    slack.invite(elsewhere)
    slack.say(alice, elsewhere, "heard")
    slack.kick(elsewhere)
    slack.say(alice, elsewhere, "unheard again")
    await slack.until(lambda: slack.settled and len(bot.heard) >= 2)
    joined, heard = bot.events
    assert (joined["type"], joined["user"]) == ("member_joined_channel", slack.bot_user)
    assert heard["text"] == "heard"


@hasty
async def test_an_event_that_is_not_acknowledged_comes_again(
    slack: SlackEmulator, bot: Bot
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    bot.fails = 2
    slack.say(alice, general, "hello")
    (delivery,) = slack.deliveries
    await slack.until(lambda: delivery.acked)
    assert [attempt.retry for attempt in delivery.attempts] == [0, 1, 2]
    assert len({attempt.envelope for attempt in delivery.attempts}) == 3
    ((retry, _),) = bot.heard
    assert retry == "2"


@hasty
async def test_after_three_retries_an_event_is_lost(
    slack: SlackEmulator, bot: Bot
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    bot.fails = 4
    slack.say(alice, general, "hello")
    (delivery,) = slack.deliveries
    await slack.until(lambda: delivery.lost)
    assert [attempt.retry for attempt in delivery.attempts] == [0, 1, 2, 3]
    assert bot.heard == []


async def test_what_was_said_while_the_app_was_away_arrives_as_a_retry(
    slack: SlackEmulator,
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    async with running(slack):
        await slack.until(lambda: slack.connections)
    await slack.until(lambda: not slack.connections)
    for text in "abc":
        slack.say(alice, general, text)
    async with running(slack) as bot:
        await slack.until(lambda: len(bot.heard) == 3)
    assert [event["text"] for event in bot.events] == ["a", "b", "c"]
    assert {retry for retry, _ in bot.heard} == {"1"}


#: A program that prints when it is connected, and then waits.
SITTING = """
import asyncio, sys, aiohttp

async def main():
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(sys.argv[1]) as socket:
            await socket.receive()
            await asyncio.sleep(60)

asyncio.run(main())
"""


@hasty
async def test_an_app_that_is_killed_finds_everything_again(
    slack: SlackEmulator,
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    url = slack.api_url.removesuffix("/api/") + slack.socket.ticket()
    app = await asyncio.create_subprocess_exec(sys.executable, "-c", SITTING, url)
    await slack.until(lambda: slack.connections)
    slack.say(alice, general, "before")
    await slack.until(lambda: slack.deliveries[0].attempts)
    app.kill()
    await app.wait()
    await slack.until(lambda: not slack.connections)
    slack.say(alice, general, "after")
    async with running(slack) as bot:
        await slack.until(lambda: len(bot.heard) == 2)
    assert {event["text"] for event in bot.events} == {"before", "after"}


async def test_too_long_an_absence_loses_events() -> None:
    async with SlackEmulator(keep=0.01) as slack:
        slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
        await slack.until(lambda: slack.deliveries[0].lost)


@hasty
@pytest.mark.parametrize("end", ["disconnect", "cut", "freeze"])
async def test_the_app_comes_back_to_the_same_world(
    slack: SlackEmulator, bot: Bot, end: str
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    await slack.until(lambda: slack.connections)
    if end == "disconnect":
        await slack.socket.disconnect("refresh_requested")
    else:
        getattr(slack.socket, end)()
    slack.say(alice, general, "still there?")
    await slack.until(lambda: bot.heard and slack.socket.opened == 2)
    assert bot.events[0]["text"] == "still there?"


async def test_each_payload_goes_to_one_of_several_connections() -> None:
    # The timeouts are long, because a late ack would send a payload twice, and a late
    # ping would open another connection.
    async with SlackEmulator(ack_timeout=60) as slack:
        alice, general = slack.add_user("Alice"), slack.add_channel("general")
        async with running(slack, ping=60) as one, running(slack, ping=60) as two:
            await slack.until(lambda: len(slack.connections) == 2)
            said = [slack.say(alice, general, str(number)) for number in range(20)]
            await slack.until(lambda: slack.settled, timeout=60)
            assert one.heard
            assert two.heard
            heard = [event["ts"] for event in one.events + two.events]
            assert sorted(heard) == said
    attempts = [attempt for each in slack.deliveries for attempt in each.attempts]
    assert len(attempts) == 20
    assert {attempt.connection for attempt in attempts} == {1, 2}


async def test_an_eleventh_connection_is_one_too_many(slack: SlackEmulator) -> None:
    async with aiohttp.ClientSession() as session:
        url = slack.api_url.removesuffix("/api/")
        # Kept in a list, because a connection without a reference is closed.
        ten = [await session.ws_connect(url + slack.socket.ticket()) for _ in range(10)]
        await slack.until(lambda: len(slack.connections) == len(ten))
        eleventh = await session.ws_connect(url + slack.socket.ticket())
        frame = await eleventh.receive_json()
        assert frame["reason"] == "too_many_websockets"
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(f"{url}/link/?ticket=forged")


async def test_pings_are_answered(slack: SlackEmulator) -> None:
    async with aiohttp.ClientSession() as session:
        url = slack.api_url.removesuffix("/api/") + slack.socket.ticket()
        async with session.ws_connect(url, autoping=False) as socket:
            hello = await socket.receive_json()
            assert (hello["type"], hello["num_connections"]) == ("hello", 1)
            await socket.ping(b"sdk-ping-pong:1")
            pong = await socket.receive()
            assert (pong.type, pong.data) == (
                aiohttp.WSMsgType.PONG,
                b"sdk-ping-pong:1",
            )


@hasty
async def test_a_late_ack_does_not_count(slack: SlackEmulator) -> None:
    async with aiohttp.ClientSession() as session:
        url = slack.api_url.removesuffix("/api/") + slack.socket.ticket()
        async with session.ws_connect(url) as socket:
            await socket.receive_json()
            slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
            first = await socket.receive_json()
            second = await socket.receive_json()
            assert (second["retry_attempt"], second["retry_reason"]) == (1, "timeout")
            await socket.send_json({"envelope_id": first["envelope_id"]})
            await slack.until(lambda: slack.socket.stray_acks)
            assert not slack.deliveries[0].acked
            await socket.send_json({"envelope_id": second["envelope_id"]})
            await slack.until(lambda: slack.deliveries[0].acked)


async def test_buttons_and_commands_reach_the_app(
    slack: SlackEmulator, bot: Bot
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    pressed: asyncio.Future[Json] = asyncio.Future()

    @bot.app.action("stop")
    async def stop(ack: AsyncAck, body: Json) -> None:
        await ack()
        pressed.set_result(body)

    @bot.app.command("/threads")
    async def threads(ack: AsyncAck) -> None:
        await ack("none yet")

    button = {
        "type": "button",
        "action_id": "stop",
        "value": "turn:42",
        "text": {"type": "plain_text", "text": "Stop"},
    }
    blocks = [{"type": "actions", "elements": [button]}]
    post = await bot.app.client.chat_postMessage(
        channel=general, text="…", blocks=blocks
    )
    slack.press(alice, general, post["ts"], "stop")
    body = await pressed
    assert (body["user"]["id"], body["actions"][0]["value"]) == (alice, "turn:42")
    assert body["container"]["message_ts"] == post["ts"]
    typed = slack.command(alice, general, "/threads")
    await slack.until(lambda: typed.acked)
    assert typed.answer == {"text": "none yet"}


async def test_a_revoked_token_is_told_and_refused(
    slack: SlackEmulator, bot: Bot
) -> None:
    slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
    await slack.until(lambda: slack.settled)
    slack.revoke()
    await slack.until(lambda: len(bot.heard) == 2)
    assert bot.events[1]["tokens"] == {"oauth": [], "bot": [slack.bot_user]}


async def test_without_a_subscription_all_works_and_nothing_arrives(
    slack: SlackEmulator, bot: Bot
) -> None:
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    slack.feed.subscribed.discard("message.channels")
    slack.say(alice, general, "Hello?")
    slack.say(alice, general, f"{slack.mention} hello?")
    await slack.until(lambda: bot.events)
    await slack.until(lambda: slack.settled)
    assert [event["type"] for event in bot.events] == ["app_mention"]
