"""The contract of stores: new beginnings of a thread, and second answers."""

import pytest

from bot.domain.completion import ChatMessage, Usage
from bot.domain.reply import PostedPart
from bot.domain.turn import Ended, Outcome, Turn, TurnMessage, TurnState
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    ask,
    done,
    exchange,
    following,
    keep,
    needs_backfill,
    repeated,
    said,
    waiting,
)

# Beginning anew


async def test_it_knows_who_ever_asked_in_a_thread(store: Store) -> None:
    assert await store.askers(HERE) == frozenset()
    await exchange(store, said("1", at=1.0, author="U1"), "One.")
    await store.receive(said("2", at=2.0, author="U2"), keep)
    await store.receive(said("3", at=3.0, author="U3"), answer)
    await store.receive(said("3", at=3.0, author="U9", thread=THERE), answer)
    assert await store.askers(HERE) == {"U1", "U3"}
    # Also once it began anew, and who took the question back.
    await store.reset_context(HERE)
    await store.delete_messages("slack", "T1", ["1"], None, 4.0)
    assert await store.askers(HERE) == {"U1", "U3"}


async def test_claude_reads_only_what_comes_after_a_new_beginning(
    store: Store,
) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    await store.receive(said("2", at=2.0), keep)
    await store.receive(said("2", at=2.0, thread=THERE), answer)
    assert await store.reset_context(HERE) is True
    assert await store.conversation(HERE) == []
    turn = await ask(store, said("3", at=3.0))
    assert await store.begin_turn(turn, 11.0) == [
        TurnMessage(said("3", at=3.0), "TEXT OF 3")
    ]
    await store.finish_turn(turn, done("Three."), 20.0)
    assert await store.conversation(HERE) == [
        ChatMessage("user", "TEXT OF 3"),
        ChatMessage("assistant", "Three."),
    ]
    assert [text for _, text in await store.transcript(HERE)] == [
        *("text of 1", "One.", "text of 2", "text of 3", "Three.")
    ]
    there = await following(store, THERE)
    assert len(await store.begin_turn(there, 12.0)) == 1


async def test_an_unknown_thread_is_not_renewed(store: Store) -> None:
    assert await store.reset_context(HERE) is False
    assert await store.list_threads("slack", "C1") == []


async def test_a_new_beginning_makes_a_thread_read(store: Store) -> None:
    turn = await ask(store, said("2", at=2.0))
    assert await store.reset_context(HERE) is True
    assert await needs_backfill(store) is False
    # It had been asked for before the new beginning.
    assert await store.backfill(turn, [said("1", at=1.0)]) == []
    assert await store.transcript(HERE) == [("U1", "text of 2")]
    await store.finish_turn(turn, done("Yes."), 11.0)
    await store.mark_delivered(turn, 11.0)
    spoken = await store.begin_turn(await waiting(store, said("3", at=3.0)), 12.0)
    assert [each.message.message for each in spoken] == ["3"]


async def test_an_answer_that_runs_through_a_new_beginning_is_not_read(
    store: Store,
) -> None:
    turn = await ask(store, said("1", at=1.0), preface="Monday.")
    await store.reset_context(HERE)
    assert await store.begin_turn(turn, 11.0) == []
    await store.finish_turn(turn, done("One."), 20.0)
    await store.mark_delivered(turn, 21.0)
    assert await store.conversation(HERE) == []
    await exchange(store, said("2", at=2.0), "Two.")
    assert await store.conversation(HERE) == [
        ChatMessage("user", "TEXT OF 2"),
        ChatMessage("assistant", "Two."),
    ]


async def test_a_question_that_waited_is_left_behind_by_a_new_beginning(
    store: Store,
) -> None:
    turn = await waiting(store, said("1", at=1.0))
    await store.reset_context(HERE)
    await store.receive(said("2", at=2.0), answer)
    assert (await following(store)).id == turn.id
    assert await store.begin_turn(turn, 3.0) == [TurnMessage(said("2", at=2.0))]
    await store.store_prompt(turn, "Monday.", {"1": "ONE", "2": "TWO"})
    assert await store.conversation(HERE) == [ChatMessage("user", "Monday.\nTWO")]


async def test_a_thread_can_begin_anew_more_than_once(store: Store) -> None:
    for number in range(3):
        await exchange(store, said(f"{number}", at=number), "Yes.")
        assert len(await store.conversation(HERE)) == 2
        await store.reset_context(HERE)
        assert await store.conversation(HERE) == []


# Answering again


async def test_an_answer_given_anew_takes_the_place_of_the_old_one(
    store: Store,
) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    turn = await ask(store, said("3", at=3.0), preface="Monday.")
    await store.receive(said("2", at=2.0), keep)
    await store.begin_turn(turn, 11.0)
    await store.store_prompt(turn, "", {"2": "two"})
    prompt = await store.conversation(HERE)
    await store.store_part(turn, PostedPart(0, "m", "Thr"), "Thr", 12.0)
    await store.finish_turn(turn, done("Three."), 20.0)
    await store.mark_delivered(turn, 21.0)

    assert await repeated(store, 30.0) is True
    again = await following(store)
    assert again == Turn(
        id=again.id,
        key=again.key,
        owner=again.owner,
        thread=HERE,
        state=TurnState.WAITING,
        attempts=0,
        touched=30.0,
        received=30.0,
        shown=(PostedPart(0, "m", "Thr"),),
        opening=said("1", at=1.0),
        asker="U1",
    )
    assert again.id > turn.id
    assert again.key not in ("", turn.key)
    repeated_turn = await store.repeated_turn(again)
    assert repeated_turn is not None
    assert (repeated_turn.key, repeated_turn.text) == (turn.key, "Three.")
    assert await store.repeated_turn(turn) is None
    assert await store.conversation(HERE) == prompt
    spoken = await store.begin_turn(again, 31.0)
    assert [each.content for each in spoken] == ["two", "TEXT OF 3"]
    await store.store_prompt(again, "Tuesday.", {"3": "else"})
    assert await store.conversation(HERE) == prompt
    await store.finish_turn(again, done("Drei."), 32.0)
    await store.mark_delivered(again, 33.0)
    assert await store.conversation(HERE) == [
        *prompt,
        ChatMessage("assistant", "Drei."),
    ]
    assert [text for _, text in await store.transcript(HERE)] == [
        *("text of 1", "One.", "text of 2", "text of 3", "Drei.")
    ]
    assert await store.next_turn(HERE) is None


async def test_an_answer_given_anew_waits_since_it_was_first_asked(
    store: Store,
) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    await store.receive(said("2", at=2.0, thread=THERE), answer)
    await repeated(store, 30.0)
    assert await store.open_threads() == [HERE, THERE]


async def test_both_answers_were_paid_for(store: Store) -> None:
    turn = await ask(store, said("1"))
    outcome = Outcome(Ended.DONE, "One.", "One.", model="m", usage=Usage(1), cost=0.5)
    await store.finish_turn(turn, outcome, 20.0)
    await store.mark_delivered(turn, 21.0)
    await repeated(store, 30.0)
    again = await following(store)
    await store.finish_turn(again, outcome, 31.0)
    (spent,) = await store.spending(since=0.0)
    assert (spent.turns, spent.usage, spent.cost) == (2, Usage(2), 1.0)


@pytest.mark.parametrize("ended", [Ended.REFUSED, Ended.FAILED, Ended.INTERRUPTED])
async def test_what_did_not_end_well_can_be_tried_again(
    store: Store, ended: Ended
) -> None:
    turn = await ask(store, said("1"))
    await store.finish_turn(turn, Outcome(ended, text="Hel"), 20.0)
    await store.mark_delivered(turn, 21.0)
    assert await repeated(store, 30.0) is True
    assert await store.conversation(HERE) == [ChatMessage("user", "TEXT OF 1")]
    assert await store.transcript(HERE) == [("U1", "text of 1")]
    assert await store.begin_turn(await following(store), 31.0) == [
        TurnMessage(said("1"), "TEXT OF 1")
    ]


async def test_deleted_messages_of_an_answer_are_not_written_again(
    store: Store,
) -> None:
    turn = await ask(store, said("1"))
    for index in range(3):
        part = PostedPart(index, f"m{index}", f"{index}")
        await store.store_part(turn, part, "012", 12.0)
    await store.finish_turn(turn, done("012"), 20.0)
    await store.mark_delivered(turn, 21.0)
    await store.delete_messages("slack", "T1", ["m1"], "C1", 25.0)
    assert await repeated(store, 30.0) is True
    again = await following(store)
    assert [(each.index, each.message) for each in again.shown] == [
        (0, "m0"),
        (1, "m2"),
    ]
    assert again.is_repeat
    # The new answer is kept.
    await store.begin_turn(again, 31.0)
    await store.finish_turn(again, done("new"), 32.0)
    await store.mark_delivered(again, 33.0)
    assert ("", "new") in await store.transcript(HERE)


async def test_an_answer_can_be_given_anew_more_than_once(store: Store) -> None:
    await exchange(store, said("1"), "0")
    for number in range(1, 4):
        assert await repeated(store, 30.0) is True
        again = await following(store)
        await store.finish_turn(again, done(f"{number}"), 31.0)
        await store.mark_delivered(again, 32.0)
    assert await store.conversation(HERE) == [
        ChatMessage("user", "TEXT OF 1"),
        ChatMessage("assistant", "3"),
    ]


async def test_nothing_is_repeated_in_an_unknown_thread(store: Store) -> None:
    assert await repeated(store, 30.0) is False


@pytest.mark.parametrize("state", list(TurnState)[:3])
async def test_nothing_is_repeated_while_a_turn_is_open(
    store: Store, state: TurnState
) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    turn = await waiting(store, said("2", at=2.0))
    if state is not TurnState.WAITING:
        await store.begin_turn(turn, 3.0)
    if state is TurnState.UNDELIVERED:
        await store.finish_turn(turn, done("Two."), 4.0)
    before = await store.next_turn(HERE)
    assert await repeated(store, 30.0) is False
    assert await store.next_turn(HERE) == before


async def test_an_erased_question_is_not_answered_again(store: Store) -> None:
    await exchange(store, said("2", at=2.0, quotes=(said("1"),)), "Two.")
    before = await store.conversation(HERE)
    await store.delete_messages("slack", "T1", ["2"], "C1", 50.0)
    assert await repeated(store, 30.0) is False
    assert (await store.conversation(HERE))[-1] == before[-1]


async def test_a_question_from_before_a_new_beginning_is_not_answered_again(
    store: Store,
) -> None:
    await exchange(store, said("1"), "One.")
    await store.reset_context(HERE)
    assert await repeated(store, 30.0) is False


async def test_what_was_said_since_joins_the_answer_given_anew(store: Store) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    await store.receive(said("2", at=2.0), keep)
    await repeated(store, 30.0)
    again = await following(store)
    assert await store.begin_turn(again, 31.0) == [
        TurnMessage(said("1", at=1.0), "TEXT OF 1"),
        TurnMessage(said("2", at=2.0)),
    ]


# The first turn


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("addressed", [True, False])
async def test_the_first_turn_of_a_thread_that_follows_begins_it(
    store: Store, opens: bool, addressed: bool
) -> None:
    turn = await waiting(store, said("1", at=1.0, opens=opens, addressed=addressed))
    assert turn.begins is (opens and addressed)
    await store.begin_turn(turn, 2.0)
    await store.receive(said("2", at=2.0), answer)
    await store.finish_turn(turn, done("One."), 20.0)
    assert (await following(store)).begins is (opens and addressed)
    await store.mark_delivered(turn, 21.0)
    assert (await following(store)).begins is False


async def test_a_first_answer_given_anew_begins_again(store: Store) -> None:
    await exchange(store, said("1", at=1.0, opens=True), "One.")
    await repeated(store, 30.0)
    assert (await following(store)).begins is True


async def test_a_turn_after_an_erased_root_does_not_begin(store: Store) -> None:
    await exchange(store, said("1", at=1.0, opens=True), "One.")
    await store.delete_messages("slack", "T1", ["1"], "C1", 50.0)
    assert (await waiting(store, said("2", at=2.0))).begins is False
