"""Turns and shards that gateways claim at once on PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from itertools import pairwise

import pytest

from bot.domain.shard_range import ShardRange
from storage import dialect, gateways, leases
from storage.postgres.connection import Connection
from storage.postgres.pool import Pool
from tests.support import postgres


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    with (
        postgres.emptied(postgres.migrated) as address,
        closing(Pool(partial(Connection, address))) as opened,
    ):
        yield opened


def late() -> float:
    """Return the clock of a process that is an hour slow, which nobody is to read."""
    return 0.0


async def test_each_turn_is_given_once_by_the_clock_of_the_server(pool: Pool) -> None:
    def take(db: Connection) -> float:
        now = dialect.now(db, late)
        return now + gateways.take_slot(db, "x", 60.0, now)

    turns = sorted(await asyncio.gather(*(pool.write(take) for _ in range(8))))
    gaps = [after - before for before, after in pairwise(turns)]
    assert gaps == pytest.approx([60.0] * 7)


async def test_of_shards_that_overlap_one_process_has_them(pool: Pool) -> None:
    def enter(db: Connection, owner: str) -> None:
        leases.enter(db, owner, "gateway", 1.0)

    def claim(db: Connection, owner: str, first: int) -> bool:
        ours = ShardRange(first, first + 1, 16)
        others = gateways.claim_shards(db, "1", owner, ours, 1.0)
        return not any(ours.crosses(each) for each in others)

    for number in range(8):
        await pool.write(partial(enter, owner=f"p{number}"))
    # Each overlaps the one before it and the one after it.
    claimed = await asyncio.gather(
        *(pool.write(partial(claim, owner=f"p{n}", first=n)) for n in range(8))
    )
    theirs = [first for first, is_theirs in enumerate(claimed) if is_theirs]
    assert theirs
    assert all(b - a >= 2 for a, b in pairwise(theirs))
