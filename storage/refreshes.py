"""Stores the growing texts of all answers of a process in few transactions.

Rule 1: text is stored before readers see it. If a crash cuts an answer, its text is
nowhere else, because the platform has only the text already shown.
Rule 2: a refresh whose thread another process took is not stored, and does not block
the others.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from bot.domain.shared_rate import RateAsk, RateState
from bot.domain.turn import Turn
from bot.errors import StorageError, StorageRejected, ThreadLost
from bot.runtime import background
from storage import dialect, leases, write_rates
from storage.connection import Connection
from storage.dialect import ROW_LOCK, among
from storage.methods import WriteTransaction

T = TypeVar("T")

# Time that a refresh waits for others, in seconds. Each answer has at most one refresh
# a second, and the refreshes of fifty streaming answers become a few transactions.
TOGETHER = 0.1

HELD = f"""
    SELECT turns.id, epoch, owner FROM threads
      CROSS JOIN turns ON turns.thread_id = threads.id
    WHERE turns.{{}} ORDER BY threads.id {ROW_LOCK}
"""
PLACES = """(CAST(:turn{0} AS bigint), CAST(:now{0} AS double precision),
    CAST(:text{0} AS text), CAST(:head{0} AS text))"""
# Stores what `turns.store_part` stores for one turn.
STORE = """
    UPDATE turns
    SET touched = column2,
        text = CASE WHEN state IN ('waiting', 'answering') THEN column3 ELSE text END,
        head = CASE WHEN state IN ('waiting', 'answering') THEN column4 ELSE head END
    FROM (VALUES {}) AS refreshes WHERE turns.id = column1
"""


@dataclass(frozen=True, slots=True)
class Refresh:
    """The answer to `turn` so far, stored just before readers see it."""

    turn: Turn
    text: str
    now: float
    head: str
    asks: Sequence[RateAsk]


#: The result of a refresh, or None if another process has its thread.
Answer = Sequence[RateState] | None


def store(
    db: Connection,
    refreshes: Sequence[Refresh],
    process: str,
    clock: Callable[[], float],
) -> list[Answer]:
    """Store each of `refreshes`, unless its rates require waiting or it lost its
    thread.

    Returns the answer to each refresh.
    """
    of_turns, ids = among("id", _fill([each.turn.id for each in refreshes]))
    asked = db.execute(HELD.format(of_turns), ids)
    locked = write_rates.lock(db, (ask for each in refreshes for ask in each.asks))
    now = dialect.ask_now(db, clock)
    by_id = {each.turn.id: each.turn for each in refreshes}
    lost = {id for id, *held in asked.fetchall() if leases.is_lost(by_id[id], *held)}
    rows = locked()
    at = now()
    found, granted = list[Answer](), list[Refresh]()
    for each in refreshes:
        if each.turn.id in lost:
            found.append(None)
            continue
        states = write_rates.answer_from(rows, each.asks, process, at)
        if not any(state.wait for state in states):
            granted.append(each)
        found.append(states)
    if granted:
        granted = _fill(granted)
        values = {
            f"{name}{n}": value
            for n, each in enumerate(granted)
            for name, value in _values(each).items()
        }
        places = ", ".join(PLACES.format(n) for n in range(len(granted)))
        db.execute(STORE.format(places), values)
    write_rates.store_rows(db, rows)
    return found


def _fill(values: Sequence[T]) -> list[T]:
    """Return `values` with the last one repeated up to a power of two.

    This limits the number of distinct statements.
    """
    more = (1 << (len(values) - 1).bit_length()) - len(values)
    return [*values, *[values[-1]] * more]


def _values(refresh: Refresh) -> dict[str, object]:
    text, head = refresh.text, refresh.head
    return {"turn": refresh.turn.id, "now": refresh.now, "text": text, "head": head}


class RefreshGroup:
    """Collects the refreshes of one process for a moment, and stores them together with
    `write`."""

    def __init__(
        self, write: WriteTransaction, process: str, clock: Callable[[], float]
    ) -> None:
        self._write = write
        self._process = process
        self._clock = clock
        #: The waiting refreshes and the futures of their results, by turn id.
        self._waiting: dict[int, tuple[Refresh, asyncio.Future[Answer]]] = {}
        self._storing: asyncio.Task[None] | None = None

    async def store(self, refresh: Refresh) -> Sequence[RateState]:
        """Store `refresh`, and return its result. Raises StorageError and
        ThreadLost."""
        turn = refresh.turn
        if turn.id in self._waiting:
            # One reply asked twice: both refreshes are stored.
            [found] = await self._store([refresh])
        else:
            future = asyncio.get_running_loop().create_future()
            self._waiting[turn.id] = refresh, future
            if self._storing is None:
                self._storing = background.begin("store refreshes", self._flush_soon())
            found = await future
        if found is None:
            raise ThreadLost(f"turn {turn.key} is another process's now")
        return found

    async def _flush_soon(self) -> None:
        await asyncio.sleep(TOGETHER)
        group, self._waiting, self._storing = self._waiting, {}, None
        try:
            found = await self._store([each for each, _ in group.values()])
        except StorageRejected as error:
            if len(group) > 1:
                # One of the refreshes contains values that cannot be stored.
                for refresh, future in group.values():
                    await self._alone(refresh, future)
                return
            _fail(group, error)
        except Exception as error:
            # The waiting callers get any error. Otherwise, they would wait for ever.
            _fail(group, error)
        else:
            for (_, future), each in zip(group.values(), found, strict=True):
                if not future.done():
                    future.set_result(each)
        finally:
            # Cancelled at shutdown too.
            for _, future in group.values():
                future.cancel()

    async def _alone(self, refresh: Refresh, future: "asyncio.Future[Answer]") -> None:
        group = {refresh.turn.id: (refresh, future)}
        try:
            [found] = await self._store([refresh])
        except StorageError as error:
            _fail(group, error)
        else:
            if not future.done():
                future.set_result(found)

    async def _store(self, refreshes: Sequence[Refresh]) -> list[Answer]:
        work = partial(
            store, refreshes=refreshes, process=self._process, clock=self._clock
        )
        # No wait for the disk: recovery relies on the intent, which was stored before
        # the post.
        return await self._write(work, waits=False)


def _fail(
    group: Mapping[int, tuple[Refresh, "asyncio.Future[Answer]"]], error: Exception
) -> None:
    for _, future in group.values():
        if not future.done():
            future.set_exception(error)
