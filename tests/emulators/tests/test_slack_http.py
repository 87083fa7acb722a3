"""The Slack emulator's requests over HTTP, received by Bolt."""

import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from tests.emulators.slack.emulator import SlackEmulator

Json = dict[str, Any]
Next = Callable[[], Awaitable[BoltResponse]]

#: For tests of requests that are not answered in time.
hasty = pytest.mark.parametrize("ack_timeout", [0.2])


class Bot:
    """A Bolt app behind an HTTP server."""

    def __init__(self, slack: SlackEmulator) -> None:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        self.app = AsyncApp(
            client=client, signing_secret=slack.http.signing_secret, name="bot"
        )
        #: The retry headers and the payload of each request, in order.
        self.heard: list[tuple[str, str, Json]] = []
        #: Responses to the next requests in place of Bolt's.
        self.answers: list[web.Response] = []
        self.url = ""
        self.app.middleware(self._spool)
        self.app.event(re.compile(".*"))(self._nothing)

    async def serve(self, request: web.Request) -> web.StreamResponse:
        asked = await to_bolt_request(request)
        if self.answers:
            answer = self.answers.pop(0)
            self.heard.append((*_retry(request), asked.body))
            return answer
        return await to_aiohttp_response(await self.app.async_dispatch(asked))

    async def _spool(self, req: Any, body: Json, next: Next) -> BoltResponse:
        [number] = req.headers.get("x-slack-retry-num", ["-"])
        [reason] = req.headers.get("x-slack-retry-reason", ["-"])
        self.heard.append((number, reason, body))
        return await next()

    async def _nothing(self) -> None:
        """Do nothing: a matching listener is enough to acknowledge an event."""


def _retry(request: web.Request) -> tuple[str, str]:
    headers = request.headers
    number = headers.get("X-Slack-Retry-Num", "-")
    return number, headers.get("X-Slack-Retry-Reason", "-")


@pytest.fixture
def ack_timeout() -> float:
    return 60.0


@pytest_asyncio.fixture
async def slack(ack_timeout: float) -> AsyncIterator[SlackEmulator]:
    retries = (0.0, 0.01, 0.02)
    async with SlackEmulator(ack_timeout=ack_timeout, retries=retries) as slack:
        yield slack


@pytest_asyncio.fixture
async def bot(slack: SlackEmulator) -> AsyncIterator[Bot]:
    bot = Bot(slack)
    app = web.Application()
    app.router.add_post("/slack/events", bot.serve)
    runner = web.AppRunner(app, shutdown_timeout=0.05)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    bot.url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    try:
        yield bot
    finally:
        await runner.cleanup()


async def test_a_url_that_returns_the_challenge_gets_everything_from_then_on(
    slack: SlackEmulator, bot: Bot
) -> None:
    await slack.use_http(bot.url)
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    ts = slack.say(alice, general, "hello")
    await slack.until(lambda: slack.settled and bot.heard)
    [(number, reason, body)] = bot.heard
    assert (number, reason) == ("-", "-")
    assert (body["type"], body["event"]["ts"]) == ("event_callback", ts)
    assert slack.deliveries[0].acked
    assert slack.connections == []


async def test_a_url_that_does_not_return_the_challenge_is_not_taken(
    slack: SlackEmulator, bot: Bot
) -> None:
    bot.answers = [web.Response(text="ok"), web.Response(status=404)]
    with pytest.raises(ValueError, match="challenge"):
        await slack.use_http(bot.url)
    with pytest.raises(ValueError, match="404"):
        await slack.use_http(bot.url)
    with pytest.raises(ValueError, match="connection_failed"):
        await slack.use_http("http://127.0.0.1:1/")
    assert slack.socket_mode


async def test_what_fails_comes_again_with_its_number_and_reason(
    slack: SlackEmulator, bot: Bot
) -> None:
    await slack.use_http(bot.url)
    bot.answers = [web.Response(status=503), web.Response(status=500)]
    slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
    await slack.until(lambda: slack.settled and len(bot.heard) == 3)
    assert [each[:2] for each in bot.heard] == [
        ("-", "-"),
        ("1", "http_error"),
        ("2", "http_error"),
    ]
    assert len({body["event_id"] for _, _, body in bot.heard}) == 1
    assert slack.deliveries[0].acked


@pytest.mark.parametrize(
    ("answer", "requests"),
    [
        (web.Response, 4),
        (
            lambda status: web.Response(
                status=status, headers={"X-Slack-No-Retry": "1"}
            ),
            1,
        ),
    ],
)
async def test_after_three_repeats_or_where_they_are_forbidden_an_event_is_lost(
    slack: SlackEmulator, bot: Bot, answer: Callable[..., web.Response], requests: int
) -> None:
    await slack.use_http(bot.url)
    bot.answers = [answer(status=500) for _ in range(9)]
    slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
    await slack.until(lambda: slack.deliveries and slack.deliveries[0].lost)
    assert len(bot.heard) == requests


@hasty
async def test_what_is_not_answered_in_time_comes_again(
    slack: SlackEmulator, bot: Bot
) -> None:
    await slack.use_http(bot.url)
    gate = slack.faults.hold("auth.test")
    slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
    await slack.until(lambda: len(slack.http.posts) > 2)
    gate.set()
    await slack.until(lambda: bot.heard)
    late, again = slack.http.posts[1:3]
    assert (late.failure, again.reason) == ("http_timeout", "http_timeout")


async def test_a_server_that_is_away_is_a_failed_connection(
    slack: SlackEmulator, bot: Bot
) -> None:
    await slack.use_http(bot.url)
    slack.http.url = "http://127.0.0.1:1/"
    slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
    await slack.until(lambda: slack.settled and slack.deliveries)
    reasons = [each.reason for each in slack.http.posts[1:]]
    assert reasons == ["", *["connection_failed"] * 3]


async def test_every_request_is_signed_as_bolt_wants_it(
    slack: SlackEmulator, bot: Bot
) -> None:
    await slack.use_http(bot.url)
    slack.http.signing_secret = "f" * 32
    slack.say(slack.add_user("Alice"), slack.add_channel("general"), "hello")
    await slack.until(lambda: slack.settled and slack.deliveries)
    assert {each.status for each in slack.http.posts[1:]} == {401}
    assert bot.heard == []


async def test_commands_and_controls_are_forms_and_sent_once(
    slack: SlackEmulator, bot: Bot
) -> None:
    await slack.use_http(bot.url)

    async def command(ack: AsyncAck) -> None:
        await ack("done")

    async def shortcut(ack: AsyncAck) -> None:
        await ack()

    bot.app.command("/claude")(command)
    bot.app.shortcut("thread_settings")(shortcut)
    alice, general = slack.add_user("Alice"), slack.add_channel("general")
    typed = slack.command(alice, general, "/claude", "help & more")
    await slack.until(lambda: typed.acked)
    assert typed.answer == {"text": "done"}
    assert bot.heard[-1][2]["text"] == "help & more"
    [shown] = slack.ephemerals(alice)
    assert shown.text == "done"
    ts = slack.say(alice, general, "hello")
    used = slack.shortcut(alice, general, ts, "thread_settings")
    await slack.until(lambda: used.acked)
    assert used.answer is None
    bot.answers = [web.Response(status=500)]
    refused = slack.shortcut(alice, general, ts, "thread_settings")
    await slack.until(lambda: refused.lost)
    assert len(refused.attempts) == 1
