"""The number of times that a turn waits for PostgreSQL before Claude is asked is
bounded."""

import time
from collections.abc import Callable
from contextlib import closing
from functools import partial
from typing import Any, TypeVar

import psycopg
from psycopg.conninfo import conninfo_to_dict

from bot.domain.budget import NO_LIMITS
from bot.domain.reply import PostedPart
from storage.postgres.connection import Connection
from storage.postgres.pool import Pool
from storage.store import DatabaseStore
from tests.support import postgres
from tests.support.store_helpers import HERE, answer, ask, done, said

T = TypeVar("T")

#: What a question in a known thread asks, in this order, and how many round trips that
#: takes. Nobody waits for the end of a read.
WAITS = {
    "receive": 2,
    "take_turn": 2,
    "begin_turn": 2,
    "thread_state": 1,
    "store_prompt": 3,
    "reserve": 2,
}
#: The first one of a thread also keeps its settings.
FIRST = {**WAITS, "store_prompt": 4}

#: Asked beside another one, which takes as long.
BESIDE = ("thread_state",)

# Each is a round trip.
MOST = 12


class Counting:
    """The threads of a store, and how often their last transaction waited."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self.waits = 0

    async def read(self, work: Callable[[Connection], T]) -> T:
        return await self._pool.read(partial(self._counted, work, 0))

    async def write(self, work: Callable[[Connection], T], *, waits: bool = True) -> T:
        return await self._pool.write(partial(self._counted, work, 1), waits=waits)

    def _counted(self, work: Callable[[Connection], T], end: int, db: Connection) -> T:
        before = db.waits
        made = work(db)
        self.waits = db.waits - before + end
        return made


async def test_a_turn_waits_so_often_before_claude_is_asked() -> None:
    with (
        postgres.emptied(postgres.migrated) as address,
        closing(Pool(partial(Connection, address))) as pool,
    ):
        counting = Counting(pool)
        store = DatabaseStore(
            *(counting.read, counting.write),
            clock=time.time,
            owner="this process",
            shared=True,
        )
        found: list[dict[str, int]] = []

        async def count(name: str, *values: object) -> Any:
            result = await getattr(store, name)(*values)
            found[-1][name] = counting.waits
            return result

        for number in range(3):
            found.append({})
            question = said(str(number), at=float(number), addressed=True)
            await count("receive", question, answer)
            turn = await count("take_turn", HERE)
            await count("begin_turn", turn, 10.0)
            await count("thread_state", HERE, 12)
            pinned = None if number else {"model": "m"}
            await count("store_prompt", turn, "", {str(number): "TEXT"}, 1, pinned)
            await count("reserve", turn, "U1", 0.1, NO_LIMITS, 11.0)
            await store.finish_turn(turn, done("Yes."), 12.0)
            await store.mark_delivered(turn, 13.0)
            await store.leave_thread(HERE)
    assert found == [FIRST, WAITS, WAITS]
    in_turn = [
        sum(n for name, n in each.items() if name not in BESIDE) for each in found
    ]
    assert max(in_turn) <= MOST


async def test_only_refreshes_do_not_wait_for_the_disk() -> None:
    """The server may restart while we go on: whatever else it lost, nobody would store
    again."""
    found = dict[str, str]()

    with (
        postgres.database(postgres.migrated) as address,
        closing(Pool(partial(Connection, address))) as pool,
    ):

        async def write(work: Callable[[Connection], T], *, waits: bool = True) -> T:
            def noting(db: Connection) -> T:
                made = work(db)
                [(found["last"],)] = db.execute("SHOW synchronous_commit").fetchall()
                return made

            return await pool.write(noting, waits=waits)

        with psycopg.connect(address, autocommit=True) as db:
            name = conninfo_to_dict(address)["dbname"]
            db.execute(f"ALTER DATABASE {name} SET synchronous_commit TO on")
        store = DatabaseStore(pool.read, write, clock=time.time, shared=True)
        turn = await ask(store, said("1"))

        async def note(name: str, verb: str, *values: object) -> None:
            await getattr(store, verb)(*values)
            found[name] = found["last"]

        await note("begin", "begin_turn", turn, 10.0)
        await note("pin", "pin_settings", HERE, {"model": "m"})
        await note("prompt", "store_prompt", turn, "", {"1": "TEXT"}, 1)
        await note("reserve", "reserve", turn, "U1", 0.1, NO_LIMITS, 11.0)
        await note("intent", "store_part", turn, PostedPart(0, None, ""), "Hi", 11.0)
        await note("posted", "store_part", turn, PostedPart(0, "5", ""), "Hi", 11.0)
        await note("refresh", "store_part", turn, None, "Hi all", 12.0)
        await note("end", "finish_turn", turn, done("Hi all."), 13.0)
        await note("delivered", "mark_delivered", turn, 14.0)
    waiting = [name for name, waits in found.items() if waits == "on"]
    assert found.keys() - set(waiting) == {"refresh"}
