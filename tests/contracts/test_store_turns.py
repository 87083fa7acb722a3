"""The contract of stores: the life of a turn and its reply."""

from dataclasses import replace

import pytest

from bot.domain.attachment import Attachment
from bot.domain.completion import ChatMessage
from bot.domain.reply import PostedPart
from bot.domain.scope import ThreadKey
from bot.domain.turn import Ended, Outcome, TurnMessage, TurnState
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
    said,
    waiting,
)

# Turns


async def test_open_threads_come_by_their_oldest_question(store: Store) -> None:
    third = ThreadKey("slack", "T1", "C1", "3.0")
    await store.receive(said("1", at=5.0), answer)
    await store.receive(said("1", at=3.0, thread=THERE), answer)
    await store.receive(said("1", at=4.0, thread=third), answer)
    assert await store.open_threads() == [THERE, third, HERE]
    await store.receive(said("0", at=1.0), answer)
    assert await store.open_threads() == [HERE, THERE, third]


async def test_a_thread_is_open_until_its_last_answer_is_delivered(
    store: Store,
) -> None:
    turn = await ask(store, said("1"))
    assert await store.open_threads() == [HERE]
    await store.finish_turn(turn, done("Yes."), 11.0)
    assert await store.open_threads() == [HERE]
    await store.mark_delivered(turn, 12.0)
    assert await store.open_threads() == []


async def test_a_thread_with_two_open_turns_is_listed_once(store: Store) -> None:
    await ask(store, said("1", at=1.0))
    await store.receive(said("2", at=2.0), answer)
    assert await store.open_threads() == [HERE]


async def test_waiting_threads_come_fairly_between_people(store: Store) -> None:
    asked = [("eve", at) for at in (1.0, 2.0, 3.0)] + [("bob", 4.0), ("bob", 5.0)]
    for who, at in asked:
        key = ThreadKey("slack", "T1", "C1", f"{at}")
        await store.receive(said("1", at=at, thread=key, author=who), answer)
    elsewhere = ThreadKey("discord", "T1", "C1", "0")
    await store.receive(said("0", at=0.5, thread=elsewhere), answer)
    found = await store.waiting_threads(["slack"], 9)
    assert [each.asker for each in found] == ["eve", "bob", "eve", "bob", "eve"]
    assert [each.at for each in found] == [1.0, 4.0, 2.0, 5.0, 3.0]
    assert [each.thread.thread for each in found] == ["1.0", "4.0", "2.0", "5.0", "3.0"]
    assert await store.waiting_threads(["slack"], 2) == found[:2]
    assert len(await store.waiting_threads(["slack", "discord"], 9)) == 6


async def test_a_waiting_thread_is_whose_its_next_turn_is(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0, author="eve"))
    await store.receive(said("2", at=2.0, author="bob"), answer)
    [waits] = await store.waiting_threads(["slack"], 9)
    assert (waits.asker, waits.at) == ("eve", 1.0)
    await store.finish_turn(turn, done("Yes."), 11.0)
    await store.mark_delivered(turn, 12.0)
    [waits] = await store.waiting_threads(["slack"], 9)
    assert (waits.asker, waits.at) == ("bob", 2.0)


async def test_there_is_no_next_turn_in_an_unknown_thread(store: Store) -> None:
    assert await store.next_turn(HERE) is None


async def test_beginning_counts_and_touches(store: Store) -> None:
    turn = await waiting(store, said("1"))
    await store.begin_turn(turn, 7.0)
    await store.begin_turn(turn, 8.0)
    begun = await following(store)
    assert begun.state is TurnState.ANSWERING
    assert (begun.attempts, begun.touched) == (2, 8.0)


async def test_beginning_takes_what_no_turn_has(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    await store.receive(said("3", at=3.0), keep)
    await store.receive(said("1", at=1.0), keep)
    spoken = await store.begin_turn(turn, 4.0)
    assert [each.message.message for each in spoken] == ["1", "2", "3"]


async def test_beginning_takes_nothing_from_another_thread(store: Store) -> None:
    turn = await waiting(store, said("1"))
    await store.receive(said("1", thread=THERE), answer)
    await store.receive(said("2", thread=THERE), keep)
    assert await store.begin_turn(turn, 4.0) == [TurnMessage(said("1"))]


async def test_a_message_comes_back_as_it_was_heard(store: Store) -> None:
    heard = said(
        "1",
        at=1700000000.123456,
        author="U9",
        text="a\n\tb \U0001f600 \x00 'c' ",
        addressed=False,
        opens=True,
        automated=True,
        files=(Attachment("a b.png", "https://x/1", "F1", 5), Attachment("ü")),
    )
    turn = await waiting(store, heard)
    assert await store.begin_turn(turn, 2.0) == [TurnMessage(heard)]


async def test_what_claude_was_given_comes_back_with_the_message(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.receive(said("2", at=2.0), keep)
    assert await store.begin_turn(turn, 11.0) == [
        TurnMessage(said("1", at=1.0), "TEXT OF 1"),
        TurnMessage(said("2", at=2.0), None),
    ]


async def test_a_turn_handed_over_waits_again_as_it_was(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.store_part(turn, PostedPart(0, "m", "Hel"), "Hel", 11.0)
    await store.release_turn(turn)
    left = await following(store)
    assert left.state is TurnState.WAITING
    assert (left.attempts, left.touched, left.text) == (1, 11.0, "Hel")
    assert left.shown == (PostedPart(0, "m", "Hel"),)


async def test_finishing_stores_the_outcome_whole(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.store_part(turn, PostedPart(0, "m", "Hel"), "Hel", 11.0)
    stopped = Outcome(Ended.STOPPED, text="Hello", replay="Hello", note="Stopped.")
    await store.finish_turn(turn, stopped, 12.0)
    ended = await following(store)
    assert ended.state is TurnState.UNDELIVERED
    assert ended.ended is Ended.STOPPED
    assert (ended.text, ended.note, ended.touched) == ("Hello", "Stopped.", 12.0)
    assert ended.shown == (PostedPart(0, "m", "Hel"),)


async def test_the_first_outcome_stands(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish_turn(turn, done("Yes."), 11.0)
    await store.finish_turn(turn, done("No.", Ended.INTERRUPTED), 12.0)
    ended = await following(store)
    assert (ended.text, ended.ended) == ("Yes.", Ended.DONE)
    assert (await store.conversation(HERE))[-1] == ChatMessage("assistant", "Yes.")
    assert len(await store.conversation(HERE)) == 2


@pytest.mark.parametrize("is_delivered", [True, False])
async def test_a_turn_that_ended_never_moves_up_again(
    store: Store, is_delivered: bool
) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.finish_turn(turn, done("Yes."), 11.0)
    if is_delivered:
        await store.mark_delivered(turn, 12.0)
    await store.receive(said("2", at=2.0), keep)
    before = await store.next_turn(HERE)
    conversation = await store.conversation(HERE)
    assert len(await store.begin_turn(turn, 13.0)) == 1
    await store.release_turn(turn)
    await store.store_prompt(turn, "late", {"1": "late"})
    assert await store.next_turn(HERE) == before
    assert await store.conversation(HERE) == conversation


async def test_the_times_of_the_newest_questions(store: Store) -> None:
    assert await store.question_times(HERE, 2) == []
    await store.receive(said("0", at=1.0), keep)
    for number in (1, 2, 3):
        await exchange(store, said(str(number), at=10.0 * number), "Yes.")
    assert await store.question_times(HERE, 2) == [20.0, 30.0]
    assert await store.question_times(HERE, 9) == [10.0, 20.0, 30.0]


async def test_a_turn_can_end_before_it_began(store: Store) -> None:
    turn = await waiting(store, said("1"))
    await store.finish_turn(
        turn, Outcome(Ended.FAILED, text="", note="No budget."), 5.0
    )
    ended = await following(store)
    assert (ended.state, ended.note) == (TurnState.UNDELIVERED, "No budget.")


# The reply's messages


async def test_an_intended_message_has_no_id_yet(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.store_part(turn, PostedPart(0, None, "Hel"), "Hel", 12.0)
    now = await following(store)
    assert (now.shown, now.text) == ((PostedPart(0, None, "Hel"),), "Hel")


async def test_what_is_shown_is_known_by_part(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.store_part(turn, PostedPart(1, "b", "lo"), "Hello", 12.0)
    await store.store_part(turn, PostedPart(0, None, "Hel"), "Hello", 12.0)
    await store.store_part(turn, PostedPart(0, "a", "Hel"), "Hello", 13.0)
    now = await following(store)
    assert now.shown == (PostedPart(0, "a", "Hel"), PostedPart(1, "b", "lo"))
    assert (now.text, now.touched, now.state) == ("Hello", 13.0, TurnState.ANSWERING)


async def test_an_unknown_outcome_does_not_forget_a_known_id(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.store_part(turn, PostedPart(0, "a", "Hel"), "Hel", 12.0)
    await store.store_part(turn, PostedPart(0, None, "Hello"), "Hello", 12.0)
    assert (await following(store)).shown == (PostedPart(0, "a", "Hello"),)


async def test_a_message_taken_back_is_forgotten(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.store_part(turn, PostedPart(0, "a", "Hel"), "Hello", 12.0)
    await store.store_part(turn, PostedPart(1, "b", "lo"), "Hello", 12.0)
    await store.forget_part(turn, 1)
    await store.forget_part(turn, 2)
    assert (await following(store)).shown == (PostedPart(0, "a", "Hel"),)


async def test_last_writes_of_an_ended_turn_are_noted_but_not_its_text(
    store: Store,
) -> None:
    turn = await ask(store, said("1"))
    await store.finish_turn(turn, done("Hello"), 12.0)
    await store.store_part(turn, PostedPart(0, "a", "Hello"), "Hel", 13.0)
    now = await following(store)
    assert now.shown == (PostedPart(0, "a", "Hello"),)
    assert (now.text, now.touched) == ("Hello", 13.0)
    assert now.state is TurnState.UNDELIVERED


async def test_the_line_above_an_answer_is_stored_with_it(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.store_part(turn, PostedPart(0, "a", "_X._"), "", 12.0, "_X._")
    assert (await following(store)).head == "_X._"
    await store.store_part(turn, PostedPart(0, "a", "_Y._"), "", 12.0, "_Y._")
    assert (await following(store)).head == "_Y._"
    await store.finish_turn(turn, replace(done("Hello"), head="_Z._"), 12.0)
    await store.store_part(turn, PostedPart(0, "a", "_Z._"), "Hello", 13.0)
    assert (await following(store)).head == "_Z._"
    # For programs it is a note.
    answer = await store.answer_so_far(HERE, "1")
    assert answer is not None
    assert (answer.text, answer.note) == ("Hello", "_Z._")
    await store.mark_delivered(turn, 14.0)
    # Claude reads its own words alone. What shows still has the line until it is
    # written again.
    assert (await store.conversation(HERE))[1].content == "Hello"
    assert await store.retry_turn(HERE, turn.key, 15.0)
    assert (await following(store)).head == "_Z._"
