"""What processes that share a store ask of each other's turns."""

from bot.domain.scope import Scope
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    done,
    following,
    said,
    waiting,
)

CHANNEL, WORKSPACE = Scope("slack", "T1", "C1"), Scope("slack", "T1")


async def test_a_turn_runs_from_its_beginning_until_it_is_delivered(
    store: Store,
) -> None:
    turn = await waiting(store, said("m1"))
    await waiting(store, said("m2", thread=THERE))
    assert await store.running_turns(WORKSPACE) == []
    await store.begin_turn(turn, 2.0)
    for place in (WORKSPACE, CHANNEL, Scope.of(HERE)):
        assert await store.running_turns(place) == [(HERE, turn.key)]
    assert await store.running_turns(Scope.of(THERE)) == []
    assert await store.running_turns(Scope("slack", "T2")) == []
    await store.finish_turn(turn, done("Paris."), 3.0)
    assert await store.running_turns(CHANNEL) == [(HERE, turn.key)]
    await store.mark_delivered(turn, 4.0)
    assert await store.running_turns(CHANNEL) == []


async def test_who_waits_for_a_place_is_who_asked_first_in_a_thread(
    store: Store,
) -> None:
    for number, (thread, author) in enumerate([(THERE, "U1"), (HERE, "U1")]):
        heard = said("m1", at=float(number), thread=thread, author=author)
        await store.receive(heard, answer)
    await store.receive(said("m2", at=9.0, author="U2"), answer)
    assert await store.waiting_threads_of(CHANNEL, "U1") == [THERE, HERE]
    assert await store.waiting_threads_of(CHANNEL, "U2") == []
    assert await store.waiting_threads_of(Scope("slack", "T1", "C2"), "U1") == []
    turn = await following(store, THERE)
    await store.begin_turn(turn, 10.0)
    # What is said there now waits for the answer, not for a place.
    await store.receive(said("m3", at=11.0, thread=THERE), answer)
    assert await store.waiting_threads_of(CHANNEL, "U1") == [HERE]


async def test_a_turn_is_asked_to_stop_once(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    assert not turn.is_stopped
    assert not await store.ask_to_stop(HERE, "another", "stop")
    assert not await store.ask_to_stop(THERE, "", "stop")
    # Nothing to withdraw, perhaps; then it can still be stopped.
    assert await store.ask_to_stop(HERE, turn.key, "withdraw")
    assert not (await following(store)).is_stopped
    assert not await store.ask_to_stop(HERE, turn.key, "withdraw")
    assert await store.ask_to_stop(HERE, "", "stop")
    assert (await following(store)).is_stopped
    assert not await store.ask_to_stop(HERE, turn.key, "stop")
    assert not await store.ask_to_stop(HERE, turn.key, "withdraw")


async def test_a_turn_that_has_ended_is_not_stopped(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    await store.begin_turn(turn, 2.0)
    await store.finish_turn(turn, done("Paris."), 3.0)
    assert not await store.ask_to_stop(HERE, turn.key, "stop")


async def test_a_thread_that_is_left_is_nobodys(store: Store) -> None:
    await waiting(store, said("m1"))
    taken = await store.take_turn(HERE)
    assert taken is not None
    assert taken.owner
    await store.leave_thread(HERE)
    left = await following(store)
    assert (left.owner, left.epoch) == ("", taken.epoch)
    again = await store.take_turn(HERE)
    assert again is not None
    assert again.epoch == taken.epoch + 1
