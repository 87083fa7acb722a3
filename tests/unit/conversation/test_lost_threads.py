"""A thread that another process took while this one answered in it."""

import asyncio

import pytest

from bot.domain.turn import TurnState
from storage import leases
from tests.support.memory_store import MemoryStore
from tests.support.store_helpers import answer
from tests.unit.conversation.test_responder import HERE, THERE, Desk


async def take(store: MemoryStore) -> None:
    """Have another process take HERE."""
    assert await store._write(lambda db: leases.take_turn(db, HERE, "another"))


@pytest.mark.parametrize("begun", [False, True])
async def test_an_answer_ends_without_a_write_when_its_thread_is_lost(
    begun: bool,
) -> None:
    desk, gate = Desk(), asyncio.Event()
    desk.model.script(*(["The capital "] if begun else []), gate, "is Paris.")
    desk.model.script("Elsewhere.")
    seen = "The capital" if begun else ""
    async with desk.open():
        await desk.ask("?")
        await desk.adapter.until(
            lambda: [text.rstrip(" …") for text in desk.adapter.texts(HERE)] == [seen]
        )
        await take(desk.store)
        writes = len(desk.adapter.writes)
        gate.set()
        await desk.adapter.until(lambda: desk.adapter.closed == 1)
        assert len(desk.adapter.writes) == writes
        turn = await desk.turn()
        assert (turn.state, turn.owner) == (TurnState.ANSWERING, "another")
        # Its place is free, and other threads are answered.
        await desk.ask("?", THERE)
        await desk.answered("Elsewhere.", thread=THERE)


async def test_a_thread_of_another_process_is_not_answered() -> None:
    desk = Desk()
    await desk.left("The capital")
    await take(desk.store)
    desk.store.db.execute(
        "INSERT INTO processes (id, role, started_at, seen_at) "
        "VALUES ('another', 'work', 1, 1)"
    )
    desk.model.script("Elsewhere.")
    async with desk.open():
        await desk.ask("?", THERE)
        await desk.answered("Elsewhere.", thread=THERE)
    assert desk.adapter.texts(HERE) == ["The capital"]
    assert len(desk.model.requests) == 1


async def test_a_turn_that_was_stopped_elsewhere_before_it_began_is_not_answered() -> (
    None
):
    desk = Desk()
    await desk.store.receive(desk.said("?"), answer)
    assert await desk.store.ask_to_stop(HERE, "", "stop")
    desk.model.script("Elsewhere.")
    async with desk.open():
        await desk.ask("?", THERE)
        await desk.answered("Elsewhere.", thread=THERE)
    assert desk.adapter.texts(HERE) == []
    assert len(desk.model.requests) == 1
    assert await desk.store.open_threads() == []
