"""A process whose database is away."""

import asyncio
import itertools
import logging
import time
from pathlib import Path

import pytest

from bot.ports.wakeups import WORK
from storage.engine import presence
from storage.engine.presence import Presence
from storage.engine.reaper import Reaper


async def nothing() -> None:
    pass


def ignore(_how: str, _turn: str) -> None:
    pass


async def test_a_database_that_is_away_costs_a_line_a_minute(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The clock goes on by a second with each connection that fails."""
    monkeypatch.setattr(presence, "AGAIN", 0.0)
    caplog.set_level(logging.WARNING)
    seconds = map(float, itertools.count())
    kept = Presence(
        f"host={tmp_path} dbname=none user=none",
        *("one", WORK, "box:1", Reaper(nothing)),
        clock=lambda: next(seconds),
    )
    keeping = asyncio.create_task(kept.keep(ignore))
    try:
        async with asyncio.timeout(60):
            while len(caplog.messages) < 3:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    finally:
        keeping.cancel()
    times = [line.rpartition(" ")[2] for line in caplog.messages[:3]]
    assert times == ["times=1", "times=60", "times=60"]


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_is_off_is_named(
    hours: int, address: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.ERROR)
    kept = Presence(
        *(address, "one", WORK, "box:1", Reaper(nothing)),
        now=lambda: time.time() + hours * 3600,
    )
    keeping = asyncio.create_task(kept.keep(ignore))
    try:
        async with asyncio.timeout(60):
            await kept.entered.wait()
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
    assert caplog.messages == ["process.clock_is_off seconds=3600 set=the_time"]
