"""The Discord emulator enforces Discord's rates, and fails on demand."""

import asyncio
import time
from collections.abc import AsyncIterator

import aiohttp
import discord
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.emulators.bots import Bot, Wire, pointed_at, wired
from tests.emulators.clock import Clock
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import (
    ALWAYS,
    MESSAGE,
    MESSAGES,
    cut,
    error,
    hold,
    html,
    status,
    throttle,
)
from tests.emulators.discord.model import Request
from tests.emulators.discord.rates import RATES, UNLIMITED, Meter, Rate


@pytest.fixture
def clock() -> Clock:
    return Clock(time.time())


@pytest.fixture
async def emulator(clock: Clock) -> AsyncIterator[DiscordEmulator]:
    async with DiscordEmulator(clock=clock) as emulator:
        yield emulator


@pytest.fixture
async def wire(emulator: DiscordEmulator) -> AsyncIterator[Wire]:
    async with wired(emulator) as wire:
        yield wire


@pytest.fixture
async def client(emulator: DiscordEmulator) -> AsyncIterator[Bot]:
    """A bot that has logged in but has no gateway session."""
    with pointed_at(emulator):
        async with Bot() as bot:
            await bot.login(emulator.token)
            yield bot


POST = Request("POST", "/channels/7/messages")


# Rates.


@given(st.lists(st.floats(0, 3), max_size=200))
def test_no_window_serves_more_than_it_may(pauses: list[float]) -> None:
    clock = Clock()
    meter = Meter(RATES, clock)
    served: list[float] = []
    for pause in pauses:
        clock.now += pause
        if not meter.admit(POST).wait:
            served.append(clock.now)
    # Five seconds may include the calls left in one window and those of the next.
    for start in served:
        assert sum(start <= moment < start + 5 for moment in served) <= 10


@given(st.lists(st.floats(0, 2), max_size=100))
def test_whoever_waits_as_told_is_served(pauses: list[float]) -> None:
    clock = Clock()
    meter = Meter(RATES, clock)
    for pause in pauses:
        clock.now += pause
        if wait := meter.admit(POST).wait:
            clock.now += wait
            assert meter.admit(POST).wait == 0


async def test_messages_and_edits_are_counted_apart_in_each_channel(
    emulator: DiscordEmulator, wire: Wire, clock: Clock
) -> None:
    one, two = emulator.add_channel("one"), emulator.add_channel("two")
    body = {"content": "x"}
    for left in (4, 3, 2, 1, 0):
        _, sent, headers = await wire.call("POST", f"/channels/{one}/messages", body)
        assert headers["X-RateLimit-Limit"] == "5"
        assert headers["X-RateLimit-Remaining"] == str(left)
    code, answer, headers = await wire.call("POST", f"/channels/{one}/messages", body)
    assert code == 429
    assert answer["global"] is False
    assert answer["retry_after"] == pytest.approx(5, abs=0.01)
    assert headers["Retry-After"] == f"{answer['retry_after']:.3f}"
    assert headers["Via"]
    assert headers["X-RateLimit-Scope"] == "user"
    assert headers["X-RateLimit-Bucket"] == "message.create"
    edited = f"/channels/{one}/messages/{sent['id']}"
    codes = [(await wire.call("PATCH", edited, body))[0] for _ in range(6)]
    assert codes == [200] * 5 + [429]
    assert (await wire.call("POST", f"/channels/{two}/messages", body))[0] == 200
    assert emulator.refused == emulator.invalid_requests == 2
    assert len(emulator.messages(one)) == 5
    clock.now += answer["retry_after"]
    assert (await wire.call("POST", f"/channels/{one}/messages", body))[0] == 200


async def test_fifty_requests_a_second_are_the_most(
    emulator: DiscordEmulator, wire: Wire, clock: Clock
) -> None:
    codes = [(await wire.call("GET", "/users/@me"))[0] for _ in range(50)]
    assert codes == [200] * 50
    code, answer, headers = await wire.call("GET", "/users/@me")
    assert (code, answer["global"]) == (429, True)
    assert headers["X-RateLimit-Global"] == "true"
    assert headers["X-RateLimit-Scope"] == "global"
    # Responses to people are not counted.
    late = "/interactions/1/token/callback"
    assert (await wire.call("POST", late, {"type": 5}))[0] == 404
    clock.now += 1.01
    assert (await wire.call("GET", "/users/@me"))[0] == 200


async def test_requests_that_are_out_of_place_are_counted(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    general = emulator.add_channel("general")
    assert (await wire.call("GET", "/users/@me", token="wrong"))[0] == 401
    emulator.set_permissions(general, deny=["view_channel"])
    assert (await wire.call("GET", f"/channels/{general}"))[0] == 403
    assert (await wire.call("GET", "/channels/1"))[0] == 404
    assert emulator.invalid_requests == 2


async def test_discord_py_keeps_within_the_limits_by_the_headers() -> None:
    rates = {"message.create": Rate(2, 0.3), "message.edit": Rate(2, 0.3)}
    async with DiscordEmulator(rates=rates) as emulator:
        place = emulator.add_channel("general")
        with pointed_at(emulator):
            async with Bot() as bot:
                await bot.login(emulator.token)
                for number in range(5):
                    await bot.place(place).send(str(number))
        assert emulator.refused == 0
        first, *_, last = emulator.calls_of("POST", MESSAGES)
        assert last.at - first.at >= 0.6


# Faults.


async def test_faults_strike_the_calls_they_are_meant_for(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    path = f"/channels/{emulator.add_channel('general')}/messages"
    emulator.faults.add("POST", MESSAGES, status(503), nth=2)
    emulator.faults.add("POST", MESSAGES, throttle(30), nth=3)
    rule = emulator.faults.add(
        "*",
        ".*",
        error(403, 50013, "Missing Permissions", after=True),
        when=lambda call: call.text() == "4",
    )
    answers = [await wire.call("POST", path, {"content": text}) for text in "1234"]
    assert [answer[0] for answer in answers] == [200, 503, 429, 403]
    assert answers[2][1]["retry_after"] == 30
    assert answers[3][1]["code"] == 50013
    assert rule.struck == 1
    calls = emulator.calls_of("POST", MESSAGES)
    assert [(call.status, call.code) for call in calls] == [
        (200, 0),
        (503, 0),
        (429, 0),
        (403, 50013),
    ]
    place = path.split("/")[2]
    assert [each.text for each in emulator.messages(place)] == ["1", "4"]


async def test_a_page_for_people_reaches_discord_py_as_an_error(
    emulator: DiscordEmulator, client: Bot
) -> None:
    place = client.place(emulator.add_channel("general"))
    emulator.faults.add("POST", MESSAGES, html(503))
    with pytest.raises(discord.DiscordServerError):
        await place.send("x")


async def test_a_429_that_is_not_discords_own_is_no_reason_to_wait(
    emulator: DiscordEmulator, client: Bot
) -> None:
    place = client.place(emulator.add_channel("general"))
    emulator.faults.add("POST", MESSAGES, throttle(30, via=False))
    with pytest.raises(discord.HTTPException) as caught:
        await place.send("x")
    assert caught.value.status == 429
    emulator.faults.add("POST", MESSAGES, throttle(0.01, everywhere=True))
    await place.send("after a moment")


async def test_a_connection_breaks_before_or_after_the_effect(
    emulator: DiscordEmulator, client: Bot
) -> None:
    general = emulator.add_channel("general")
    emulator.faults.add("POST", MESSAGES, cut(), nth=1)
    emulator.faults.add("POST", MESSAGES, cut(after=True), nth=2)
    for text in ("before", "after"):
        with pytest.raises(aiohttp.ClientError):
            await client.place(general).send(text)
    assert [each.text for each in emulator.messages(general)] == ["after"]
    assert [call.status for call in emulator.calls_of("POST", MESSAGES)] == [0, 0]


async def test_an_answer_can_be_held_back(
    emulator: DiscordEmulator, wire: Wire
) -> None:
    general = emulator.add_channel("general")
    path = f"/channels/{general}/messages"
    early = emulator.faults.hold("POST", MESSAGES)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(wire.call("POST", path, {"content": "x"}))
        await emulator.until(lambda: emulator.calls_of("POST", MESSAGES))
        assert emulator.messages(general) == []
        assert not emulator.settled
        early.set()
    late = emulator.faults.hold("POST", MESSAGES, after=True)
    async with asyncio.TaskGroup() as tasks:
        post = tasks.create_task(wire.call("POST", path, {"content": "y"}))
        await emulator.until(lambda: len(emulator.messages(general)) == 2)
        assert not post.done()
        late.set()
    emulator.faults.add("GET", "/users/@me", hold(0.01))
    assert (await wire.call("GET", "/users/@me"))[0] == 200


async def test_what_is_wrong_can_be_mended() -> None:
    async with DiscordEmulator(rates=UNLIMITED) as emulator, wired(emulator) as wire:
        path = f"/channels/{emulator.add_channel('general')}/messages"
        _, sent, _ = await wire.call("POST", path, {"content": "x"})
        rule = emulator.faults.add("PATCH", MESSAGE, status(500), times=ALWAYS)
        for _ in range(3):
            edited = await wire.call("PATCH", f"{path}/{sent['id']}", {"content": "y"})
            assert edited[0] == 500
        assert rule.struck == 3
        emulator.faults.clear()
        edited = await wire.call("PATCH", f"{path}/{sent['id']}", {"content": "y"})
        assert edited[0] == 200
