"""Work that is left out when there is too much of it, or when it takes too long."""

import asyncio
import logging

import pytest

from bot.errors import DeliveryError, StorageBusy
from bot.runtime.background import Background
from bot.runtime.notices import Notices


def notices(tasks: Background, *, most: int = 2, seconds: float = 5.0) -> Notices:
    return Notices(tasks, "notice", most=most, seconds=seconds, failed="not.told")


async def test_more_than_the_most_is_left_out_until_some_is_done() -> None:
    told, gate = list[int](), asyncio.Event()

    async def tell(number: int) -> None:
        await gate.wait()
        told.append(number)

    async with Background() as tasks:
        some = notices(tasks)
        for number in range(3):
            some.start(tell(number), platform="fake", about="thread")
        assert [some.is_full] == [True]
        gate.set()
        async with asyncio.timeout(60):
            while some.is_full:  # noqa: ASYNC110 - it tells nobody
                await asyncio.sleep(0)
        some.start(tell(3), platform="fake", about="thread")
    assert told == [0, 1, 3]


async def test_nobody_waits_for_it_who_ends() -> None:
    told = list[int]()

    async def tell(number: int) -> None:
        await asyncio.Event().wait()
        told.append(number)

    async with asyncio.timeout(60), Background() as tasks:
        some = notices(tasks, seconds=600.0)
        some.start(tell(0), platform="fake", about="thread")
        some.close()
        some.start(tell(1), platform="fake", about="thread")
    assert told == []


@pytest.mark.parametrize("error", [DeliveryError("no"), StorageBusy("no"), None])
async def test_what_fails_or_is_late_is_logged_and_makes_room(
    error: Exception | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)

    async def fail() -> None:
        if error is None:
            await asyncio.Event().wait()
        raise error or AssertionError

    async with Background() as tasks:
        some = notices(tasks, most=1, seconds=5.0 if error else 0.0)
        some.start(fail(), platform="fake", about="thread")
    assert not some.is_full
    assert [each.getMessage() for each in caplog.records] == [
        f"not.told about=thread {error or ''}"
    ]


async def test_what_never_began_makes_room_too() -> None:
    async def never() -> None:
        raise AssertionError

    async with Background() as tasks:
        tasks.leave("fake")
        some = notices(tasks, most=1)
        some.start(never(), platform="fake", about="thread")
    assert not some.is_full
