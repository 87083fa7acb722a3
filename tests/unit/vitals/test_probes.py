"""Probes are posted while a platform is silent, and only then."""

import asyncio
import contextlib

import pytest

from bot.errors import DeliveryError
from bot.vitals.connections import Connections
from bot.vitals.probes import EVERY, Probes
from tests.support.fakes import FakeAdapter

WITHIN = 100.0


class Echoing:
    """A platform that sends a message back, or not, and fails on demand."""

    def __init__(self, connections: Connections) -> None:
        self.connections = connections
        self.deaf = False
        self.fails = False
        self.posted: list[str] = []
        self.removed: list[str] = []

    async def probe(self, channel: str) -> str:
        if self.fails:
            raise DeliveryError("no")
        self.posted.append(f"{len(self.posted)}")
        if not self.deaf:
            self.connections.heard("fake", echo=self.posted[-1])
        return self.posted[-1]

    async def remove(self, channel: str, message: str) -> None:
        self.removed.append(message)


class Clock:
    """Time that passes while somebody waits, up to an end."""

    def __init__(self, end: float) -> None:
        self.now, self.end = 0.0, end

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds
        if self.now > self.end:
            raise asyncio.CancelledError


async def watched(
    seconds: float, *, within: float | None = WITHIN, **faults: bool
) -> Echoing:
    clock = Clock(seconds)
    connections = Connections(["fake"], clock)
    connections.connected("fake")
    adapter, echoing = FakeAdapter(), Echoing(connections)
    adapter.prober = echoing
    for name, value in faults.items():
        setattr(echoing, name, value)
    places = [("fake", "c"), ("unknown", "c")]
    probes = Probes({"fake": adapter}, places, connections, within, clock, clock.sleep)
    with contextlib.suppress(asyncio.CancelledError):
        await probes.watch()
    return echoing


async def test_a_platform_that_is_silent_is_asked_to_say_something() -> None:
    found = await watched(10 * WITHIN)
    # What came back counts as heard for half of the time.
    assert 14 <= len(found.posted) <= 20
    assert found.removed == found.posted


async def test_one_that_was_heard_is_left_in_peace() -> None:
    assert (await watched(WITHIN / 2)).posted == []


async def test_without_a_time_none_are_posted() -> None:
    assert (await watched(10 * WITHIN, within=None)).posted == []


async def test_what_never_comes_back_is_an_error_and_removed_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    found = await watched(2 * WITHIN, deaf=True)
    assert len(found.posted) >= 2
    assert len(found.removed) >= len(found.posted) - 1
    assert "probe.not_heard platform=fake" in caplog.text


async def test_one_that_cannot_be_posted_is_tried_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    await watched(WITHIN / 2 + 4 * EVERY, fails=True)
    assert caplog.text.count("probe.not_posted") >= 2
