"""Waiting for one's turn to write, on a real event loop with small limits."""

import asyncio
import time

from bot.delivery.write_request import Priority, WriteRequest
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.platform import Limits, Rate, RateLimitScope, WriteKind
from bot.domain.scope import ThreadKey

THREAD = ThreadKey("fake", "w", "c", "t")
# Nothing is ever granted twice within a test's life.
ONE = Limits(
    40,
    rates={
        WriteKind.EDIT: (Rate(count=1, seconds=3600.0, scope=RateLimitScope.WORKSPACE),)
    },
)


def request(
    reply: str, priority: Priority = Priority.REFRESH, earliest: float = 0
) -> WriteRequest:
    return WriteRequest(reply, THREAD, WriteKind.EDIT, priority, earliest)


async def test_whoever_is_in_a_hurry_goes_first() -> None:
    now = 0.0
    scheduler = WriteScheduler(ONE, lambda: now)
    await scheduler.may_write(request("first"))
    slow = asyncio.ensure_future(scheduler.may_write(request("slow")))
    late = asyncio.ensure_future(scheduler.may_write(request("late")))
    await asyncio.sleep(0)
    now = 3600.0
    scheduler.hurry(request("late", Priority.FINAL))
    await late
    assert not slow.done()
    slow.cancel()
    await asyncio.wait({slow})


async def test_a_reply_that_goes_away_takes_its_wish_along() -> None:
    now = 0.0
    scheduler = WriteScheduler(ONE, lambda: now)
    await scheduler.may_write(request("first"))
    waiting = asyncio.ensure_future(scheduler.may_write(request("gone")))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    now = 3600.0
    await scheduler.may_write(request("next"))


async def test_a_wish_is_granted_when_its_time_has_come() -> None:
    scheduler = WriteScheduler(Limits(40), time.monotonic)
    earliest = time.monotonic() + 0.02
    await scheduler.may_write(request("a", earliest=earliest))
    assert time.monotonic() >= earliest - 1e-3


async def test_hurrying_without_waiting_changes_nothing() -> None:
    scheduler = WriteScheduler(ONE, lambda: 0.0)
    scheduler.hurry(request("nobody", Priority.FINAL))
    await scheduler.may_write(request("first"))


async def test_one_that_is_cancelled_as_it_is_granted_harms_nobody() -> None:
    now = 0.0
    scheduler = WriteScheduler(ONE, lambda: now)
    await scheduler.may_write(request("first"))
    gone = asyncio.ensure_future(scheduler.may_write(request("gone", Priority.FINAL)))
    other = asyncio.ensure_future(scheduler.may_write(request("other")))
    await asyncio.sleep(0)
    now = 3600.0
    # It has not left yet when the other one asks again.
    gone.cancel()
    scheduler.hurry(request("other"))
    now = 7200.0
    scheduler.hurry(request("other"))
    await other
