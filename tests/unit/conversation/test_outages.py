"""Missed messages are fetched by one process at a time."""

import asyncio
from collections.abc import Callable

import pytest

from bot.conversation import outages
from bot.conversation.outages import StoredOutages
from bot.domain.outage import Outage
from bot.errors import StorageBusy
from tests.storage.test_leases import OneOf


class Gateway:
    """One process that hears, and what it fetches."""

    def __init__(self, store: OneOf) -> None:
        self.store = store
        #: How often it looked for something to fetch.
        self.looks = 0
        self._take = store.take_outage
        store.take_outage = self._look  # type: ignore[method-assign]
        self.outages = StoredOutages(store, shared=True)
        self.fetched: list[float] = []
        self.gate = asyncio.Event()
        self.task = asyncio.create_task(self.outages.keep("slack", self._fetch))

    async def _look(self, name: str) -> Outage | None:
        self.looks += 1
        return await self._take(name)

    async def _fetch(self, outage: Outage) -> None:
        self.fetched.append(outage.since)
        await self.gate.wait()

    async def kill(self) -> None:
        self.task.cancel()
        await asyncio.wait({self.task})
        self.store.end()


async def until(condition: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.001)


def left(store: OneOf) -> int:
    [(count,)] = store.db.execute("SELECT count(*) FROM outages").fetchall()
    return int(count)


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "LOOK", 0.01)


async def test_one_process_fetches_and_another_goes_on_when_it_is_killed() -> None:
    one = OneOf("one")
    first, second = Gateway(one), Gateway(OneOf("two", one))
    try:
        await first.outages.note("slack", 5.0)
        await until(lambda: first.fetched == [5.0])
        await second.outages.note("slack", 6.0)
        looks = second.looks
        await until(lambda: second.looks > looks + 1)
        assert second.fetched == []
        await first.kill()
        await until(lambda: second.fetched == [5.0])
        second.gate.set()
        await until(lambda: left(one) == 0)
    finally:
        await second.kill()
    assert second.fetched == [5.0]


async def test_what_is_missed_meanwhile_is_fetched_afterwards() -> None:
    one = Gateway(OneOf("one"))
    try:
        await one.outages.note("slack", 5.0)
        await until(lambda: one.fetched)
        await one.outages.note("slack", 9.0)
        one.gate.set()
        await until(lambda: left(one.store) == 0)
    finally:
        await one.kill()
    assert one.fetched == [5.0, 5.0]


async def test_while_the_store_is_away_it_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, refusals = OneOf("one"), [StorageBusy("away")] * 2
    note = store.note_outage

    async def refused(name: str, since: float) -> None:
        if refusals:
            raise refusals.pop()
        await note(name, since)

    monkeypatch.setattr(store, "note_outage", refused)
    one = Gateway(store)
    one.gate.set()
    try:
        await one.outages.note("slack", 5.0)
        await until(lambda: one.fetched == [5.0])
    finally:
        await one.kill()
