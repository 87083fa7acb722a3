"""The status line: shown at once, cleared at the end, and harmless when it fails."""

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from adapters.slack.client import SlackClient, open_client
from adapters.slack.config import SlackConfig
from adapters.slack.native_streams import Mode, Streams
from adapters.slack.surface import open_surface
from adapters.slack.thinking_status import BURST, PATIENCE, SPACING, Status
from bot.domain.completion import Activity
from bot.domain.reply import Part
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn, TurnState
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import throttle
from tests.support.fakes import show
from tests.support.process import slack_env

SET = "assistant.threads.setStatus"
NONE = Streams(Mode.OFF, "")


@pytest.fixture
async def slack() -> AsyncIterator[SlackEmulator]:
    async with SlackEmulator() as slack:
        yield slack


@pytest.fixture
async def client(slack: SlackEmulator) -> AsyncIterator[SlackClient]:
    async with open_client(SlackConfig.from_env(slack_env(slack))) as client:
        yield client


def turn_in(slack: SlackEmulator) -> Turn:
    channel = slack.add_channel("general")
    ts = slack.say(slack.add_user("Alice"), channel, "hello")
    thread = ThreadKey("slack", slack.team, channel, ts)
    return Turn(1, "key", thread, TurnState.ANSWERING, 1, 0.0)


def line(slack: SlackEmulator, turn: Turn) -> str:
    return slack.status(turn.thread.channel, turn.thread.thread)


def shows(slack: SlackEmulator, turn: Turn, words: str) -> bool:
    return line(slack, turn) == words


async def test_a_turn_without_a_post_leaves_no_line(
    slack: SlackEmulator, client: SlackClient
) -> None:
    turn = turn_in(slack)
    async with open_surface(client, Status(client), NONE, turn) as surface:
        assert await surface.announce()
        await slack.until(lambda: line(slack, turn) == "is thinking…")
    assert line(slack, turn) == ""


async def test_a_post_that_overtakes_it_does_not_leave_it_behind(
    slack: SlackEmulator, client: SlackClient
) -> None:
    turn = turn_in(slack)
    gate = slack.faults.hold(SET)
    async with open_surface(client, Status(client), NONE, turn) as surface:
        announcing = asyncio.create_task(surface.announce())
        await slack.until(lambda: slack.calls_of(SET))
        await show(surface, Part(0, "Paris.", final=True))
        gate.set()
        assert await announcing
        await slack.until(lambda: line(slack, turn) == "is thinking…")
    assert line(slack, turn) == ""


async def test_the_line_says_what_claude_does_until_the_post(
    slack: SlackEmulator, client: SlackClient
) -> None:
    turn = turn_in(slack)
    async with open_surface(client, Status(client), NONE, turn) as surface:
        assert await surface.announce()
        for activity, words in (
            (Activity("search"), "is searching the web…"),
            (Activity("fetch", "docs.page.example"), "is reading docs.page.example…"),
            (Activity("fetch"), "is reading a page…"),
            (Activity("ask", "Linear"), "is asking Linear…"),
            (Activity("ask"), "is asking a server…"),
        ):
            surface.sign.progress(activity)
            await slack.until(partial(shows, slack, turn, words))
        # One that is on its way while the post is made is cleared in the end.
        gate = slack.faults.hold(SET)
        calls = len(slack.calls_of(SET))
        surface.sign.progress(Activity("search"))
        await slack.until(lambda: len(slack.calls_of(SET)) > calls)
        await show(surface, Part(0, "Paris.", final=True))
        # From then on, it says nothing more.
        made = len(slack.calls_of(SET))
        surface.sign.progress(Activity("search"))
        gate.set()
    assert line(slack, turn) == ""
    # What is left is the call that clears it.
    assert [call.text("status") for call in slack.calls_of(SET)[made:]] == [""]


async def test_many_at_once_stay_below_the_limit(
    slack: SlackEmulator, client: SlackClient
) -> None:
    turn, status = turn_in(slack), Status(client)
    # Most of them would have to wait for too long, and are refused at once.
    many = [status.set(turn, "is thinking…") for _ in range(200)]
    done = await asyncio.gather(*many)
    assert not slack.refused
    within = int(PATIENCE / SPACING)
    assert BURST + within - 5 <= len(slack.calls_of(SET)) == sum(done) <= 200
    assert not all(done)


async def test_told_to_wait_it_keeps_still_for_as_long(
    slack: SlackEmulator, client: SlackClient
) -> None:
    now = 0.0
    turn, status = turn_in(slack), Status(client, lambda: now)
    slack.faults.add(SET, throttle(30))
    await status.set(turn, "is thinking…")
    now = 30.0 - PATIENCE - 1
    await status.set(turn, "is thinking…")
    assert len(slack.calls_of(SET)) == 1
    now = 30.0 + (BURST + 1) * SPACING
    await status.set(turn, "is thinking…")
    assert len(slack.calls_of(SET)) == 2
