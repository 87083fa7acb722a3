"""One process owns a thread; the charges of processes that ended are booked."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain.answer_file import Upload
from bot.domain.budget import NO_LIMITS, Charge
from bot.domain.reply import PostedPart
from bot.domain.scope import Scope
from bot.domain.turn import Turn
from bot.errors import ThreadLost
from bot.ports.store import Store
from storage import leases, ledger
from storage.opening import open_store
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import HERE, done, following, said, waiting

CHANNEL = Scope("slack", "T1", "C1")

#: What is written for a turn.
WRITES: dict[str, Callable[[Store, Turn], object]] = {
    "backfill": lambda store, turn: store.backfill(turn, [said("m0")]),
    "begin": lambda store, turn: store.begin_turn(turn, 2.0),
    "prompt": lambda store, turn: store.store_prompt(turn, "", {"m1": "?"}),
    "part": lambda store, turn: store.store_part(
        turn, PostedPart(0, "p1", "Paris"), "Paris", 2.0
    ),
    "forgotten part": lambda store, turn: store.forget_part(turn, 0),
    "uploads": lambda store, turn: store.store_uploads(
        turn, [Upload(0, 0, "a.txt", "d", "F1")]
    ),
    "forgotten uploads": lambda store, turn: store.forget_uploads(turn, 0),
    "reserve": lambda store, turn: store.reserve(turn, "U1", 0.1, NO_LIMITS, 2.0),
    "higher reserve": lambda store, turn: store.raise_reserve(
        turn, 0.2, NO_LIMITS, 2.0
    ),
    "outcome": lambda store, turn: store.finish_turn(turn, done("Paris"), 2.0),
    "delivery": lambda store, turn: store.mark_delivered(turn, 2.0),
    "release": lambda store, turn: store.release_turn(turn),
    "failure": lambda store, turn: store.record_failure(turn),
    "end": lambda store, turn: store.abandon_turn(turn, "", 2.0),
}


class OneOf(MemoryStore):
    """The store of one of several processes."""

    def __init__(self, owner: str, shared: MemoryStore | None = None) -> None:
        super().__init__()
        self.owner = owner
        if shared is not None:
            self.db = shared.db
        leases.enter(self.db, owner, "work", 1.0)

    def end(self) -> None:
        """Have the others know that this process runs no more."""
        self.db.execute("DELETE FROM processes WHERE id = ?", [self.owner])


async def test_a_thread_is_taken_from_nobody_and_from_the_dead() -> None:
    one = OneOf("one")
    two = OneOf("two", one)
    await waiting(one, said("m1"))
    taken = await one.take_turn(HERE)
    assert taken is not None
    assert await two.take_turn(HERE) is None
    assert await one.take_turn(HERE) == taken
    one.end()
    after = await two.take_turn(HERE)
    assert after is not None
    assert (after.epoch, after.owner) == (taken.epoch + 1, "two")


async def test_the_only_process_has_what_it_stores(tmp_path: Path) -> None:
    async with open_store(tmp_path / "threadkeep.db") as store:
        turn = await waiting(store, said("m1"))
        assert turn.owner == store.owner
        assert await store.take_turn(HERE) == turn
    async with open_store(tmp_path / "threadkeep.db") as store:
        # Another process now: the first has the file no more.
        for _ in range(2):
            taken = await store.take_turn(HERE)
            assert taken is not None
            assert (taken.epoch, taken.owner) == (turn.epoch + 1, store.owner)


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
async def test_a_process_that_lost_a_thread_writes_nothing_there(
    write: Callable[[Store, Turn], object],
) -> None:
    one = OneOf("one")
    two = OneOf("two", one)
    await waiting(one, said("m1"))
    lost = await one.take_turn(HERE)
    assert lost is not None
    await one.reserve(lost, "U1", 0.1, NO_LIMITS, 1.0)
    one.end()
    await two.take_turn(HERE)
    before = "\n".join(one.db.conn.iterdump())
    with pytest.raises(ThreadLost):
        await write(one, lost)  # type: ignore[misc]
    assert "\n".join(one.db.conn.iterdump()) == before
    # For the one that has it, the same is written.
    await write(two, await following(two))  # type: ignore[misc]


async def test_an_epoch_that_is_given_out_twice_does_not_confuse_owners() -> None:
    """A failover to a replica that lacks the last seconds leads to this."""
    one = OneOf("one")
    await waiting(one, said("m1"))
    lost = await one.take_turn(HERE)
    assert lost is not None
    one.db.execute("UPDATE threads SET owner = 'two'")
    with pytest.raises(ThreadLost):
        await one.begin_turn(lost, 2.0)


async def test_only_the_calls_of_processes_that_ended_are_booked(
    tmp_path: Path,
) -> None:
    path = tmp_path / "threadkeep.db"
    charge = Charge(CHANNEL, "U1", "try", "m", 0.75)
    async with open_store(path) as store:
        assert isinstance(await store.open_charge(charge, NO_LIMITS, 1.0), int)
    async with open_store(path) as store:
        [booked] = await store.spending(0.0)
        assert booked.cost == 0.75
        assert isinstance(await store.open_charge(charge, NO_LIMITS, 1.0), int)
        await store._write(lambda db: ledger.book_interrupted(db, now=2.0))
        assert len(await store.spending(0.0)) == 1


async def test_a_turn_whose_outcome_is_lost_is_answered_once_more() -> None:
    """A failover to a replica that lacks the last seconds leads to this, too."""
    one = OneOf("one")
    turn = await waiting(one, said("m1"))
    await one.begin_turn(turn, 1.0)
    await one.mark_delivered(turn, 2.0)
    assert await one.open_threads() == [HERE]
    await one.finish_turn(turn, done("Paris"), 3.0)
    await one.mark_delivered(turn, 4.0)
    assert await one.open_threads() == []


async def test_what_a_turn_holds_is_booked_only_once_it_is_open_no_more() -> None:
    one = OneOf("one")
    turn = await waiting(one, said("m1"))
    await one.begin_turn(turn, 1.0)
    await one.reserve(turn, "U1", 0.5, NO_LIMITS, 1.0)
    await one.book_left_calls()
    assert await one.spending(0.0) == []
    one.db.execute("UPDATE turns SET state = 'delivered'")
    await one.book_left_calls()
    [booked] = await one.spending(0.0)
    assert booked.cost == 0.5
    [(held,)] = one.db.execute("SELECT max(reserved) FROM accounts").fetchall()
    assert held == 0.0
