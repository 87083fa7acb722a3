"""The contract of stores: questions of one process about the turns of another."""

from bot.domain.reply import PostedPart
from bot.domain.scope import Scope
from bot.domain.turn import TurnState
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

A = PostedPart(0, "a")

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


async def test_what_was_posted_is_known_once_it_is_decided(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    await store.begin_turn(turn, 2.0)
    assert await store.known_messages(turn, 0) == frozenset()
    await store.store_part(turn, PostedPart(0, None), "P", 3.0)
    assert await store.known_messages(turn, 0) is None
    assert await store.known_messages(turn, 1) == frozenset()
    await store.store_part(turn, A, "P", 4.0)
    assert await store.known_messages(turn, 0) == frozenset("a")
    await store.finish_turn(turn, done("Paris."), 5.0)
    await store.mark_delivered(turn, 6.0)
    # It belongs to another turn once it is written again.
    assert await store.retry_turn(HERE, turn.key, 7.0)
    assert await store.known_messages(turn, 0) == frozenset("a")
    await store.store_part(await following(store), PostedPart(1, None), "P", 8.0)
    assert await store.known_messages(turn, 1) == frozenset("a")


async def test_a_post_that_was_given_up_is_awaited_no_more(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    await store.begin_turn(turn, 2.0)
    await store.store_part(turn, PostedPart(0, None), "P", 3.0)
    await store.abandon_turn(turn, "gone", 4.0)
    assert await store.known_messages(turn, 0) == frozenset()


async def test_a_message_is_written_once_more_after_it_was_delivered(
    store: Store,
) -> None:
    turn = await waiting(store, said("m1"))
    await store.begin_turn(turn, 2.0)
    await store.store_part(turn, A, "P", 3.0)
    # It will be written in any case.
    assert await store.deliver_again(turn, "a")
    assert (await following(store)).state is TurnState.ANSWERING
    await store.finish_turn(turn, done("Paris."), 4.0)
    assert not await store.deliver_again(turn, "a")
    await store.mark_delivered(turn, 5.0)
    assert await store.deliver_again(turn, "b")
    assert await store.open_threads() == []
    assert await store.deliver_again(turn, "a")
    again = await following(store)
    assert (again.key, again.state) == (turn.key, TurnState.UNDELIVERED)
    assert (again.text, again.shown) == ("Paris.", (A,))


async def test_an_answer_that_people_deleted_is_not_written_again(
    store: Store,
) -> None:
    turn = await waiting(store, said("m1"))
    await store.begin_turn(turn, 2.0)
    await store.store_part(turn, A, "P", 3.0)
    await store.finish_turn(turn, done("Paris."), 4.0)
    await store.mark_delivered(turn, 5.0)
    await store.delete_messages("slack", "T1", ["a"], "C1", 6.0)
    assert await store.deliver_again(turn, "a")
    assert await store.open_threads() == []
