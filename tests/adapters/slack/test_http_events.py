"""Slack over HTTP: events, commands and controls at the request URL, and refused
requests."""

import asyncio
import gzip
import json
import logging
import time
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import aiohttp
import pytest
import pytest_asyncio

from adapters.slack import http_events
from adapters.slack.adapter import connect
from bot.app import App
from bot.errors import ConfigError, StorageFull
from bot.messages import slack_http as texts
from bot.messages.commands import NOTHING_RUNS
from bot.runtime import logs
from storage.store import DatabaseStore
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR, running, slack_env, slack_http_env
from tests.support.scripted_model import ScriptedModel

JSON, FORM = "application/json", "application/x-www-form-urlencoded"
WORDS = "the-words-of-a-person"


class Desk:
    """A workspace whose app is reached over HTTP."""

    def __init__(
        self, slack: SlackEmulator, store: "Away", model: ScriptedModel, app: App
    ) -> None:
        self.slack, self.store, self.model, self.app = slack, store, model, app
        self.alice = slack.add_user("Alice")
        self.general = slack.add_channel("general")

    def ask(self, text: str) -> str:
        """Let Alice mention the bot."""
        return self.slack.say(self.alice, self.general, f"{self.slack.mention} {text}")

    async def answered(self, ts: str) -> None:
        """Wait until a question has its answer, here and in the store."""
        slack = self.slack
        await slack.until(lambda: len(slack.thread(self.general, ts)) == 2)
        [thread] = [
            each.thread
            for each in await self.store.list_threads("slack", self.general)
            if each.thread.thread == ts
        ]
        while await self.app.host.conversations.answering(thread):  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    async def post(
        self,
        body: str | bytes | AsyncIterator[bytes],
        content_type: str = JSON,
        *,
        path: str = "/slack/events",
        method: str = "POST",
        headers: dict[str, str] | None = None,
    ) -> tuple[int, str]:
        """Send a request of one's own; return the status and the body."""
        url = self.slack.http.url.removesuffix("/slack/events") + path
        signed = headers
        if signed is None:
            assert isinstance(body, str | bytes)
            signed = self.slack.http.signed(body)
        async with (
            aiohttp.ClientSession() as session,
            session.request(
                *(method, url),
                data=body,
                headers={**signed, "Content-Type": content_type},
            ) as response,
        ):
            return response.status, await response.text()


class Away:
    """A store that may be away, or slow."""

    def __init__(self, store: DatabaseStore) -> None:
        self._store = store
        self.is_away = False
        self.gate: asyncio.Event | None = None
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def receive(self, *arguments: Any, **more: Any) -> Any:
        if self.gate is not None:
            await self.gate.wait()
        if self.is_away:
            self.refused += 1
            raise StorageFull("the disk is full")
        return await self._store.receive(*arguments, **more)


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[Desk]:
    retries = (0.01, 0.05, 0.1)
    store = MemoryStore()
    async with (
        SlackEmulator(retries=retries, ack_timeout=30.0) as slack,
    ):
        away, model = Away(store), ScriptedModel()
        async with running(
            slack, away, model, env=slack_http_env(slack), grace=0.2
        ) as app:
            yield Desk(slack, away, model, app)


async def test_a_mention_is_answered_without_any_connection(desk: Desk) -> None:
    ts = desk.ask("hello")
    await desk.answered(ts)
    assert desk.slack.socket.opened == 0
    assert desk.slack.calls_of("apps.connections.open") == []
    [found] = desk.app.vitals.connections.all({})
    assert found.since is not None
    assert found.events


async def test_commands_buttons_and_forms_are_answered_over_http(desk: Desk) -> None:
    slack = desk.slack
    # Bolt takes a command with this word in it for a form.
    typed = slack.command(desk.alice, desk.general, "/claude", "set prompt payload")
    await slack.until(lambda: typed.acked)
    assert typed.answer is not None
    typed = slack.command(desk.alice, desk.general, "/claude", "help")
    await slack.until(lambda: typed.acked and slack.ephemerals(desk.alice))
    ts = desk.ask("hello")
    await desk.answered(ts)
    used = slack.shortcut(desk.alice, desk.general, ts, "thread_settings")
    await slack.until(lambda: used.acked and slack.modal(desk.alice))


async def test_a_repeat_makes_no_second_turn(desk: Desk) -> None:
    ts = desk.ask("hello")
    await desk.answered(ts)
    for delivery in list(desk.slack.deliveries):
        if delivery.type == "events_api":
            desk.slack.socket.deliver(delivery.payload)
    await desk.slack.until(lambda: desk.slack.settled)
    await desk.answered(ts)
    assert len(desk.model.requests) == 1


async def test_a_repeated_command_is_carried_out_once(desk: Desk) -> None:
    def told() -> list[str]:
        return [each.text for each in desk.slack.ephemerals(desk.alice)]

    desk.ask("usage")
    await desk.slack.until(told)
    for delivery in list(desk.slack.deliveries):
        if delivery.type == "events_api":
            desk.slack.socket.deliver(delivery.payload)
    await desk.slack.until(lambda: desk.slack.settled)
    # Each is carried out in the order in which it came.
    desk.ask("stop")
    await desk.slack.until(lambda: told()[-1] == NOTHING_RUNS)
    assert len(told()) == 2
    assert desk.model.requests == []


async def test_while_the_database_is_away_slack_is_told_to_repeat(desk: Desk) -> None:
    desk.store.is_away = True
    ts = desk.ask("hello")
    await desk.slack.until(lambda: desk.store.refused >= 2)
    desk.store.is_away = False
    await desk.answered(ts)
    events = [each for each in desk.slack.http.posts if each.kind == "events_api"]
    refused = [each for each in events if each.failure]
    assert {each.status for each in refused} == {503}
    assert {each.reason for each in events if each.retry} == {"http_error"}
    assert len(desk.model.requests) == 1


async def test_what_is_stored_too_slowly_is_answered_in_time_and_stored_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_events, "PATIENCE", 0.2)
    desk.store.gate = asyncio.Event()
    ts = desk.ask("hello")
    posts = desk.slack.http.posts
    await desk.slack.until(lambda: any(each.status == 503 for each in posts))
    desk.store.gate.set()
    await desk.answered(ts)
    await desk.slack.until(lambda: desk.slack.settled)
    assert len(desk.model.requests) == 1


async def test_another_team_is_acknowledged_and_nothing_is_done(desk: Desk) -> None:
    desk.slack.say_elsewhere("T0ELSE", "hello")
    await desk.slack.until(lambda: desk.slack.settled)
    assert desk.slack.deliveries[-1].acked
    assert desk.model.requests == []


async def test_it_says_that_it_is_alive(desk: Desk) -> None:
    status, body = await desk.post("", method="GET", path="/healthz", headers={})
    assert (status, json.loads(body)) == (200, {"alive": True})


async def test_no_answer_names_the_versions_of_libraries(desk: Desk) -> None:
    url = desk.slack.http.url
    async with aiohttp.ClientSession() as session:
        for path in (url, url.replace("/slack/events", "/healthz"), f"{url}/x"):
            async with session.get(path) as response:
                assert response.headers["Server"] == "Threadkeep"


def event() -> str:
    return json.dumps({"type": "event_callback", "event": {"type": WORDS}})


async def refused(desk: Desk, status: int, text: str, **request: Any) -> None:
    body = request.pop("body", event())
    assert await desk.post(body, **request) == (status, text), body
    assert desk.model.requests == []


async def test_a_signature_that_is_forged_old_or_missing_is_refused(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    # As in production, where the level of the libraries is fixed.
    for name, least in logs.LIBRARIES.items():
        caplog.set_level(least, name)
    http = desk.slack.http
    await refused(desk, 401, texts.UNSIGNED, headers={})
    for name in http.signed(event()):
        part = {k: v for k, v in http.signed(event()).items() if k != name}
        await refused(desk, 401, texts.UNSIGNED, headers=part)
    # A slow machine reads what comes from the future later.
    for age in (-301, 400):
        old = http.signed(event(), time.time() + age)
        await refused(desk, 401, texts.OLD, headers=old)
    for stamp in ("now", "-1", "9" * 400):
        headers = http.signed(event()) | {"X-Slack-Request-Timestamp": stamp}
        await refused(desk, 401, texts.OLD, headers=headers)
    for forged in (
        http.signed(event() + " "),
        http.signed(event()) | {"X-Slack-Signature": "v0=0"},
        http.signed(event()) | {"X-Slack-Signature": "x"},
        http.signed(event()) | {"X-Slack-Signature": "v0=\u00e9"},
    ):
        await refused(desk, 401, texts.FORGED, headers=forged)
    secret, http.signing_secret = http.signing_secret, "f" * 32
    await refused(desk, 401, texts.FORGED)
    http.signing_secret = secret
    assert WORDS not in caplog.text
    assert secret not in caplog.text
    # One line for each reason, however many requests.
    assert caplog.text.count("slack.http_refused") == 3


async def test_a_body_of_10_mb_is_refused_before_it_is_read(desk: Desk) -> None:
    text = texts.too_large(most=http_events.MOST_BYTES)
    body = b'{"a":"' + b"x" * 10_000_000 + b'"}'
    await refused(desk, 413, text, body=body, headers=desk.slack.http.signed(b""))

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(200):
            yield b"x" * 50_000

    # Without its length in front.
    headers = desk.slack.http.signed(b"")
    await refused(desk, 413, text, body=endless(), headers=headers)


async def test_a_broken_body_is_refused(desk: Desk) -> None:
    for body in (
        *("", "{", "[]", "null", "1", '"x"', "{}", "[" * 100_000, b"\xff\xfe"),
        '{"event": ' + "[" * 100_000,
    ):
        await refused(desk, 400, texts.UNREADABLE, body=body)
    many = urlencode([("a", "1")] * 101)
    for form in ("", "payload={", "payload=[]", "payload=", many):
        await refused(desk, 400, texts.UNREADABLE, body=form, content_type=FORM)


async def test_a_value_that_slack_never_sends_is_refused_and_logged_once(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    for body in ('{"type": "event_callback", "event": null}', '{"event": 1}') * 2:
        field = "event.type" if "null" in body else "event"
        await refused(desk, 400, texts.impossible(field=field), body=body)
    assert caplog.text.count("slack.http_refused") == 2
    assert "task.failed" not in caplog.text


async def test_another_content_type_path_and_method_are_refused(desk: Desk) -> None:
    for kind in ("text/plain", "multipart/form-data; boundary=x", "application/xml"):
        await refused(desk, 415, texts.WRONG_TYPE, content_type=kind)
    for path in ("/", "/slack", "/slack/events/", "/slack/events/x", "/metrics"):
        await refused(desk, 404, texts.UNKNOWN_PATH, path=path)
    for method in ("GET", "PUT", "DELETE"):
        await refused(desk, 405, texts.NOT_POSTED, method=method)


async def test_a_zipped_body_is_refused(desk: Desk) -> None:
    bomb = gzip.compress(b" " * 1_000_000)
    headers = {**desk.slack.http.signed(b""), "Content-Encoding": "gzip"}
    await refused(desk, 415, texts.WRONG_TYPE, body=bomb, headers=headers)


async def test_a_body_that_never_ends_is_given_up(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_events, "PATIENCE", 0.1)
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await gate.wait()

    headers = desk.slack.http.signed(b"{")
    status, text = await desk.post(slow(), headers=headers)
    gate.set()
    assert (status, text) == (503, texts.LATE)


@pytest.fixture
def few_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the server, if it starts later, read few bodies at once."""
    monkeypatch.setattr(http_events, "MOST_READING", 10)


@pytest.mark.usefixtures("few_at_once")
async def test_only_so_many_bodies_are_read_at_once(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_events, "PATIENCE", 5.0)
    gate = asyncio.Event()

    async def slow() -> AsyncIterator[bytes]:
        yield b"{"
        await gate.wait()

    headers = desk.slack.http.signed(b"{")
    async with asyncio.TaskGroup() as group:
        reading = [
            group.create_task(desk.post(slow(), headers=headers))
            for _ in range(http_events.MOST_READING + 5)
        ]
        await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
        while sum(each.done() for each in reading) < 5:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        gate.set()
    answers = [each.result() for each in reading]
    assert answers.count((503, texts.BUSY)) == 5


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"SLACK_SIGNING_SECRET": "xoxb-1-2-3-4-5-6-7-8-9"}, "is not a signing secret"),
        ({"SLACK_SIGNING_SECRET": "short"}, "is not a signing secret"),
        ({"SLACK_SIGNING_SECRET": ""}, "SLACK_APP_TOKEN is not set"),
        ({"THREADKEEP_SLACK_HTTP": "3000"}, "THREADKEEP_SLACK_HTTP must be an address"),
        ({"THREADKEEP_SLACK_HTTP": "a:70000"}, "THREADKEEP_SLACK_HTTP must be"),
    ],
)
async def test_a_wrong_setting_is_named(wrong: dict[str, str], named: str) -> None:
    async with SlackEmulator() as slack:
        with pytest.raises(ConfigError, match=named) as caught:
            async with connect({**slack_http_env(slack), **wrong}):
                pass
    assert "xoxb-1" not in str(caught.value)


async def test_an_address_without_a_secret_is_named() -> None:
    async with SlackEmulator() as slack:
        env = {**slack_env(slack), "THREADKEEP_SLACK_HTTP": "127.0.0.1:0"}
        with pytest.raises(ConfigError, match="set without SLACK_SIGNING_SECRET"):
            async with connect(env):
                pass


async def test_an_address_that_is_taken_ends_the_platform_with_its_reason(
    desk: Desk,
) -> None:
    address = desk.slack.http.url.removeprefix("http://").split("/")[0]
    env = {**slack_http_env(desk.slack), "THREADKEEP_SLACK_HTTP": address}
    store = MemoryStore()
    async with (
        connect(env) as adapter,
    ):
        app = App(
            store=store,
            model=ScriptedModel(),
            adapters=[adapter],
            operator=OPERATOR,
            grace=0.0,
        )
        with pytest.raises(ConfigError, match="THREADKEEP_SLACK_HTTP"):
            await app.run(asyncio.Event())


async def test_both_ways_at_once_are_one_bot() -> None:
    store = MemoryStore()
    async with (
        SlackEmulator() as slack,
    ):
        env = slack_http_env(slack) | {"SLACK_APP_TOKEN": slack.app_token}
        model = ScriptedModel()
        alice, general = slack.add_user("Alice"), slack.add_channel("general")
        async with running(slack, store, model, env=env) as app:
            first = slack.say(alice, general, f"{slack.mention} over a socket")
            await slack.until(lambda: len(slack.thread(general, first)) == 2)
            adapter: Any = app.platforms.adapters["slack"]
            await slack.use_http(adapter.address + http_events.PATH)
            second = slack.say(alice, general, f"{slack.mention} over HTTP")
            await slack.until(lambda: len(slack.thread(general, second)) == 2)
    assert len(model.requests) == 2
    assert [each.kind for each in slack.http.posts[:1]] == ["challenge"]
