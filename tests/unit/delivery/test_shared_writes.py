"""Writes that two processes share: what each asks, stores and keeps to."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.delivery.stored_parts import StoredParts
from bot.delivery.write_request import Priority, WriteRequest
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.platform import Limits, Rate, RateLimitScope, WriteKind
from bot.domain.reply import Part
from bot.domain.shared_rate import RateState
from bot.domain.turn import Turn
from bot.errors import StorageBusy, ThreadLost
from bot.runtime import fencing
from tests.storage.test_leases import OneOf
from tests.support.store_helpers import HERE, THERE, following, said, waiting

LIMITS = Limits(
    part_chars=1_000,
    rates={
        WriteKind.EDIT: (Rate(6, 60.0, RateLimitScope.WORKSPACE, burst=2),),
        WriteKind.POST: (Rate(6, 60.0, RateLimitScope.THREAD, burst=1),),
    },
)


@dataclass
class Time:
    """One clock for all; each process may have set its own differently."""

    now: float = 1_000.0


@dataclass
class Process:
    """One of the processes, with a reply to one turn."""

    time: Time
    store: OneOf
    turn: Turn
    #: How far its own clock is off.
    off: float = 0.0
    scheduler: WriteScheduler = field(init=False)
    stored: StoredParts = field(init=False)

    def __post_init__(self) -> None:
        self.store._clock = lambda: self.time.now
        clock = lambda: self.time.now + self.off  # noqa: E731
        self.scheduler = WriteScheduler(LIMITS, clock, self.store)
        self.stored = StoredParts(
            *(self.turn, self.store, clock, self.scheduler),
            clock=lambda: self.time.now,
        )

    async def edit(self, text: str) -> bool:
        """Ask for the final edit to `text`; return whether the platform may be called
        now."""
        request = WriteRequest(
            *(self.turn.key, self.turn.thread, WriteKind.EDIT, Priority.FINAL)
        )
        granted = await self.scheduler.may_write(request)
        may = await self.stored.prepare(Part(0, text), "p", granted, text, "")
        self.scheduler.write_completed(self.turn.key)
        return may

    @property
    def left(self) -> float:
        """Return the number of edits that the process assumes to be left."""
        return sum(e.left for e in self.scheduler.in_use() if e.kind is WriteKind.EDIT)


@pytest.fixture
async def team() -> tuple[Process, Process]:
    time, one = Time(), OneOf("one")
    two = OneOf("two", one)
    here = await waiting(one, said("m1"))
    there = await waiting(one, said("m2", thread=THERE))
    return Process(time, one, here), Process(time, two, there, off=3_600.0)


async def test_what_one_process_wrote_the_other_does_not(
    team: tuple[Process, Process],
) -> None:
    one, two = team
    assert await one.edit("O")
    assert await one.edit("On")
    # By what it knows itself, the other could still write twice.
    assert two.left == 0.0
    assert not await two.edit("Two")
    assert (await following(two.store, THERE)).text == ""
    one.time.now += 10.0
    assert await two.edit("Two")
    assert (await following(two.store, THERE)).text == "Two"


async def test_a_refusal_of_the_platform_is_everybodys(
    team: tuple[Process, Process],
) -> None:
    one, two = team
    assert await one.edit("O")
    request = WriteRequest(one.turn.key, HERE, WriteKind.EDIT, Priority.FINAL)
    await one.stored.back_off(request, 30.0)
    assert not await two.edit("Two")
    one.time.now += 30.0
    assert await two.edit("Two")
    assert not await one.edit("On")


async def test_a_scope_that_one_process_has_is_not_asked_for(
    team: tuple[Process, Process],
) -> None:
    one, _ = team
    request = WriteRequest(one.turn.key, HERE, WriteKind.POST, Priority.FIRST)
    granted = await one.scheduler.may_write(request)
    assert one.scheduler.asks(granted) == ()
    assert await one.stored.prepare(Part(0, "O"), None, granted, "O", "")


async def test_without_the_store_a_process_keeps_to_its_share(
    team: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = team
    assert await two.edit("Two")
    assert await one.edit("O")
    one.time.now += 60.0

    async def away(*_: object) -> None:
        raise StorageBusy("away")

    monkeypatch.setattr(one.store, "store_part", away)
    assert await one.edit("On")
    one.time.now += 1.0
    # One of two processes has half of the rate.
    assert one.left == pytest.approx(6 / 60 / 2)
    monkeypatch.undo()
    one.time.now += 60.0
    # What the rows say holds again.
    assert await one.edit("One.")
    assert one.left == pytest.approx(1.0)


async def test_who_was_frozen_writes_nothing_where_another_answers_by_now(
    team: tuple[Process, Process],
) -> None:
    turn = await team[0].store.take_turn(HERE)
    assert turn is not None
    one, two = Process(team[0].time, team[0].store, turn), team[1]
    assert await one.edit("O")
    with one.stored.guard():
        one.time.now += 20.0
        await fencing.confirm()
        one.store.end()
        await two.store.take_turn(HERE)
        one.time.now += 20.0
        with pytest.raises(ThreadLost):
            await fencing.confirm()
    # Other calls are not checked.
    await fencing.confirm()


@pytest.mark.parametrize(("seconds", "asked"), [(0.1, 1), (20.0, 3)])
async def test_a_store_that_is_slow_all_the_time_holds_nobody_up(
    team: tuple[Process, Process],
    monkeypatch: pytest.MonkeyPatch,
    seconds: float,
    asked: int,
) -> None:
    one, _ = team
    assert await one.edit("O")
    one.time.now += 5.0
    real, times = one.store.store_part, []

    async def slow(*given: Any) -> Sequence[RateState]:
        times.append(one.time.now)
        one.time.now += seconds
        return await real(*given)

    monkeypatch.setattr(one.store, "store_part", slow)
    with one.stored.guard():
        await fencing.confirm()
    assert len(times) == asked


async def test_without_the_store_a_call_is_made(
    team: tuple[Process, Process], monkeypatch: pytest.MonkeyPatch
) -> None:
    one, _ = team
    assert await one.edit("O")
    one.time.now += 5.0

    async def away(*_: object) -> None:
        raise StorageBusy("away")

    monkeypatch.setattr(one.store, "store_part", away)
    with one.stored.guard():
        await fencing.confirm()


async def test_what_is_only_tidied_waits_for_the_whole_burst_of_all(
    team: tuple[Process, Process],
) -> None:
    one, two = team
    assert await one.edit("O")
    tidy = WriteRequest("tidy", THERE, WriteKind.EDIT, Priority.TIDY)
    # By what it knows itself, nobody writes.
    assert not await two.scheduler.agreed(await two.scheduler.may_write(tidy))
    two.scheduler.remove("tidy")
    one.time.now += 10.0
    assert await two.scheduler.agreed(await two.scheduler.may_write(tidy))
    two.scheduler.remove("tidy")
    assert not await one.scheduler.agreed(await one.scheduler.may_write(tidy))
