"""The counts of what turns read equal a new count."""

import random
from collections.abc import Sequence

import pytest

from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.turn import Ended, Outcome, Turn
from storage import read_counts
from tests.support.deep import rounds
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import (
    HERE,
    done,
    exchange,
    following,
    keep,
    repeated,
    said,
    waiting,
)


async def end(store: MemoryStore, turn: Turn, outcome: Outcome) -> None:
    await store.begin_turn(turn, 10.0)
    spoken = await store.begin_turn(turn, 10.0)
    contents = {each.message.message: "words" for each in spoken}
    await store.store_prompt(turn, "", contents)
    assert stored(store, turn) == anew(store, turn)
    await store.store_part(turn, PostedPart(0, f"a{turn.id}", "Yes."), "Yes.", 11.0)
    await store.finish_turn(turn, outcome, 20.0)
    await store.mark_delivered(turn, 21.0)


def stored(store: MemoryStore, turn: Turn) -> dict[str, int]:
    row = store.db.execute("SELECT * FROM receipts WHERE turn_id = ?", [turn.id])
    found = row.fetchone()
    return {name: found[name] for name in (*read_counts.COUNTED, "upto")}


def anew(store: MemoryStore, turn: Turn) -> dict[str, int]:
    thread = "SELECT * FROM threads WHERE id = (SELECT thread_id FROM turns WHERE id=?)"
    row = store.db.execute(thread, [turn.id]).fetchone()
    at = {"thread": row["id"], "after": row["reads_after"], "turn": turn.id}
    return dict(store.db.execute(read_counts.COUNTS, {**at, "behind": 0}).fetchone())


def kept(store: MemoryStore) -> list[int]:
    return [row[0] for row in store.db.execute("SELECT turn_id FROM read_counts")]


@pytest.mark.parametrize("seed", range(rounds(4, 400)))
async def test_the_sums_are_those_of_all_messages(seed: int) -> None:
    chance, store = random.Random(seed), MemoryStore()
    names: list[str] = []

    async def erase(messages: Sequence[str]) -> None:
        await store.delete_messages("slack", "T1", messages, "C1", 30.0)

    for number in range(25):
        name = f"{number}"
        deed = chance.choice(["ask"] * 4 + ["keep", "erase", "unsay", "new", "again"])
        if deed in ("ask", "keep"):
            names.append(name)
            if deed == "keep":
                await store.receive(said(name, at=float(number)), keep)
                continue
            turn = await waiting(store, said(name, at=float(number)))
            ended = chance.choice([Ended.DONE, Ended.DONE, Ended.REFUSED, Ended.FAILED])
            await end(store, turn, done("Yes.", ended))
        elif deed == "erase" and names:
            await erase([chance.choice(names)])
        elif deed == "unsay":
            turns = [row[0] for row in store.db.execute("SELECT id FROM turns")]
            await erase([f"a{chance.choice(turns)}"] if turns else [])
        elif deed == "new":
            await store.reset_context(HERE)
        elif deed == "again" and await repeated(store, 40.0):
            await end(store, await following(store), done("Again."))


async def test_only_what_is_new_is_counted_until_something_changes() -> None:
    store = MemoryStore()
    turns = [await exchange(store, said(f"{n}", at=float(n)), "Yes.") for n in range(4)]
    assert kept(store) == [turns[2].id]
    # A turn that nobody has counted yet has nothing to undo.
    await store.delete_messages("slack", "T1", ["3"], "C1", 30.0)
    assert kept(store) == [turns[2].id]
    await store.delete_messages("slack", "T1", ["1"], "C1", 30.0)
    assert kept(store) == []
    await exchange(store, said("5", at=5.0), "Yes.")
    assert kept(store) == [turns[3].id]
    await store.clean_up(Retention(threads=1.0), 1e12)
    assert kept(store) == []
