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
from tests.storage.engine.conftest import Processes
from tests.support.store_helpers import HERE, said, waiting


async def nothing() -> None:
    pass


def ignore(*_: object) -> None:
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
    keeping = asyncio.create_task(kept.keep(ignore, ignore))
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
    keeping = asyncio.create_task(kept.keep(ignore, ignore))
    try:
        async with asyncio.timeout(60):
            await kept.entered.wait()
    finally:
        keeping.cancel()
        await asyncio.wait({keeping})
    assert caplog.messages == ["process.clock_is_off seconds=3600 set=the_time"]


async def test_threads_that_a_process_is_said_to_answer_in_are_named_to_it(
    processes: Processes,
) -> None:
    one = await processes.one("one", starts=False)
    await waiting(one.store, said("m1"))
    assert await one.store.take_turn(HERE)
    assert one.released == []
    await one.start(works=False)
    await processes.until(lambda: one.released == [HERE])
