"""Refreshes of many answers are stored together, and each as if it were alone."""

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

import pytest

from bot.domain.platform import Rate, RateLimitScope, WriteKind
from bot.domain.scope import ThreadKey
from bot.domain.shared_rate import Level, RateAsk
from bot.domain.turn import Turn
from bot.errors import StorageRejected, ThreadLost
from storage.postgres.connection import Connection
from storage.store import DatabaseStore
from tests.support import shared_database
from tests.support.store_helpers import answer, following, said

T = TypeVar("T")

RATE = Rate(count=1, seconds=3_600.0, scope=RateLimitScope.WORKSPACE, burst=3)


class Shared(DatabaseStore):
    """The store of a process beside others, which counts its transactions."""

    def __init__(self, owner: str) -> None:
        self.pool = shared_database.pool()
        self.count = 0
        super().__init__(
            self.pool.read, self._counted, clock=time.time, owner=owner, shared=True
        )

    async def _counted(
        self, work: Callable[[Connection], T], *, waits: bool = True
    ) -> T:
        self.count += 1
        return await self.pool.write(work, waits=waits)

    async def begin(self, number: int) -> Turn:
        """Begin to answer in a thread of its own."""
        thread = ThreadKey("slack", "T1", "C1", f"{number}.5")
        await self.receive(said("1", thread=thread), answer)
        turn = await self.take_turn(thread)
        assert turn is not None
        await self.begin_turn(turn, 10.0)
        return turn

    async def refresh(self, turn: Turn, text: str, *asks: RateAsk) -> list[float]:
        """Store `text`; return for how long each of `asks` has to wait."""
        states = await self.store_part(turn, None, text, 11.0, "", asks)
        return [each.wait for each in states]


@pytest.fixture
async def store() -> Shared:
    await shared_database.begin_anew("this", "other", role="work")
    return Shared("this")


def asking(scope: str) -> RateAsk:
    return RateAsk(scope, WriteKind.EDIT, RATE, Level.FINAL)


async def test_those_of_many_threads_are_one_transaction(store: Shared) -> None:
    turns = [await store.begin(number) for number in range(5)]
    before = store.count
    # Of the scope of all but the last there are three writes.
    scopes = ["slack:T1"] * 4 + ["slack:T2"]
    waits = await asyncio.gather(
        *(
            store.refresh(turn, f"text {turn.id}", asking(scope))
            for turn, scope in zip(turns, scopes, strict=True)
        )
    )
    assert store.count == before + 1
    assert [wait > 0.0 for [wait] in waits] == [False] * 3 + [True, False]
    texts = [(await following(store, turn.thread)).text for turn in turns]
    stored = [f"text {turn.id}" for turn in turns]
    assert texts == [*stored[:3], "", stored[4]]


async def test_one_that_lost_its_thread_keeps_none_of_the_others(
    store: Shared,
) -> None:
    kept, lost = [await store.begin(number) for number in range(2)]
    await store.pool.write(
        lambda db: db.execute(
            "UPDATE threads SET owner = 'other', epoch = epoch + 1 "
            "WHERE id = (SELECT thread_id FROM turns WHERE id = ?)",
            [lost.id],
        )
    )
    done, error = await asyncio.gather(
        store.refresh(kept, "kept"), store.refresh(lost, "lost"), return_exceptions=True
    )
    assert done == []
    assert isinstance(error, ThreadLost)
    assert (await following(store, kept.thread)).text == "kept"
    assert (await following(store, lost.thread)).text == ""


async def test_one_that_cannot_be_stored_keeps_none_of_the_others(
    store: Shared,
) -> None:
    fine, broken = [await store.begin(number) for number in range(2)]
    done, error = await asyncio.gather(
        store.refresh(fine, "fine"),
        store.refresh(broken, "\ud800"),
        return_exceptions=True,
    )
    assert done == []
    assert isinstance(error, StorageRejected)
    assert (await following(store, fine.thread)).text == "fine"


async def test_a_reply_that_refreshes_twice_at_once_waits_for_both(
    store: Shared,
) -> None:
    turn = await store.begin(0)
    await asyncio.gather(store.refresh(turn, "one"), store.refresh(turn, "one"))
    assert (await following(store, turn.thread)).text == "one"
