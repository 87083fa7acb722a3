"""A clock that is ahead is reported; messages fetched after an outage are not."""

import logging
import time
from dataclasses import replace

import pytest

from bot.conversation import clock_watch
from bot.conversation.clock_watch import ClockWatch
from bot.conversation.inbox import STALE
from bot.domain.budget import HOUR
from tests.unit.conversation.test_responder import Desk

AHEAD = "clock.ahead"


def warnings(caplog: pytest.LogCaptureFixture) -> int:
    return sum(
        AHEAD in each.getMessage() and each.levelno == logging.WARNING
        for each in caplog.records
    )


def test_live_messages_that_are_equally_old_show_a_wrong_clock(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = ClockWatch()
    for written in (0.0, 10.0, 31.0, 500.0):
        watch.stale(written, written + 2 * HOUR + 0.5)
    assert warnings(caplog) == 1
    watch.stale(2 * HOUR, 4 * HOUR)
    assert warnings(caplog) == 2


def test_messages_that_are_fetched_late_do_not(
    caplog: pytest.LogCaptureFixture,
) -> None:
    watch = ClockWatch()
    for number in range(100):
        # Written a minute apart, and read four seconds apart.
        watch.stale(number * 60.0, 3 * HOUR + number * 4.0)
    # The same message, read again.
    watch.stale(0.0, 4 * HOUR)
    assert warnings(caplog) == 0


async def test_the_operator_is_warned_when_nobody_is_answered(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock_watch, "APART", 0.0)
    desk = Desk()
    async with desk.open() as app:
        for text in ("one", "two"):
            said = replace(desk.said(text), at=time.time() - STALE - 60)
            await app.host.inbox.receive(said)
    assert desk.model.requests == []
    assert warnings(caplog) == 1
