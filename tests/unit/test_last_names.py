"""Names for the operator's reports: looked up afterwards, of whom they name alone."""

import asyncio
import logging
from collections.abc import Sequence

import pytest

from bot.domain.names import LastName, NameKind, Sighting
from bot.domain.scope import Scope
from bot.domain.served_workspaces import Served
from bot.errors import StorageFull
from bot.last_names import AT_ONCE, EVERY, LastNames
from bot.platforms import Platforms
from tests.support.fakes import FakeAdapter

NOON = 1_795_694_400.0
BILLING, DIRECT = Scope("fake", "w", "billing"), Scope("fake", "w", "D1")


class Remembered:
    """A store of names that returns `seen` once, and fails as often as it is told."""

    def __init__(self, *seen: Sighting) -> None:
        self.seen = list(seen)
        self.names: dict[tuple[NameKind, str], str] = {}
        self.failures = 0
        self.dropped: list[bool] = []

    async def unnamed(self, since: float, now: float) -> list[Sighting]:
        if self.failures:
            self.failures -= 1
            raise StorageFull("full")
        return self.seen

    async def store_names(self, names: Sequence[LastName], now: float) -> None:
        self.names |= {(each.kind, each.id): each.name for each in names}

    async def drop_names(self, serves) -> int:  # type: ignore[no-untyped-def]
        self.dropped = [serves("fake", "w"), serves("fake", "gone")]
        return 1


class Setup:
    def __init__(self, *seen: Sighting, served: str = "") -> None:
        self.adapter = FakeAdapter()
        self.store = Remembered(*seen)
        entries = frozenset(filter(None, [served]))
        self.platforms = Platforms([self.adapter], Served(entries))
        self.slept = 0
        self.enough = asyncio.Event()
        self.names = LastNames(
            self.store, self.platforms, now=lambda: NOON, sleep=self.sleep
        )

    async def sleep(self, seconds: float) -> None:
        assert seconds == EVERY
        self.slept += 1
        if self.slept > 3:
            self.enough.set()
            await asyncio.Event().wait()


async def test_who_and_where_get_their_names() -> None:
    setup = Setup(Sighting(BILLING, "olga"), Sighting(DIRECT, "ben"))
    assert await setup.names.look(0.0) == NOON
    assert setup.store.names == {
        (NameKind.PERSON, "olga"): "Olga",
        (NameKind.CHANNEL, "billing"): "#billing",
        (NameKind.WORKSPACE, "w"): "W",
        (NameKind.PERSON, "ben"): "Ben",
        (NameKind.CHANNEL, "D1"): "@Ben",
    }


async def test_one_of_whom_nothing_is_told_now_keeps_nobody_else() -> None:
    setup = Setup(Sighting(BILLING, "lost"), Sighting(BILLING, "olga"))
    setup.adapter.unknown.add("lost")
    await setup.names.look(0.0)
    people = {id for kind, id in setup.store.names if kind is NameKind.PERSON}
    assert people == {"olga"}


async def test_workspaces_that_are_not_served_are_not_asked() -> None:
    elsewhere = Sighting(Scope("fake", "gone", "billing"), "olga")
    setup = Setup(elsewhere, Sighting(Scope("none", "w", "c"), "u"), served="fake:w")
    await setup.names.look(0.0)
    assert setup.store.names == {}


async def test_many_are_looked_up_some_a_minute() -> None:
    people = [Sighting(BILLING, f"u{number}") for number in range(2 * AT_ONCE)]
    setup = Setup(*people)
    await setup.names.look(0.0)
    assert setup.slept == 2
    assert len(setup.store.names) == 2 * AT_ONCE + 2


async def test_the_watch_drops_what_is_not_served_and_survives_failures(
    caplog: pytest.LogCaptureFixture,
) -> None:
    setup = Setup(Sighting(BILLING, "olga"), served="fake:w")
    setup.store.failures = 1
    with caplog.at_level(logging.INFO, logger="bot.last_names"):
        watching = asyncio.create_task(setup.names.watch())
        await asyncio.wait_for(setup.enough.wait(), 60)
        watching.cancel()
    assert setup.store.dropped == [True, False]
    assert "names.dropped names=1" in caplog.text
    assert "task.failed task=names" in caplog.text
    assert setup.store.names[NameKind.PERSON, "olga"] == "Olga"
