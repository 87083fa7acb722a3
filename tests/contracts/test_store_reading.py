"""The contract of stores: reading conversations."""

import pytest

from bot.domain.budget import Spending
from bot.domain.completion import ChatMessage, Usage
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Ended, Outcome, ThreadSummary
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    ask,
    done,
    exchange,
    keep,
    said,
    waiting,
)

# What Claude reads


async def test_a_conversation_is_turn_by_turn(store: Store) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    turn = await ask(store, said("2", at=2.0), said("3", at=3.0), preface="Monday.")
    asked = [
        ChatMessage("user", "TEXT OF 1"),
        ChatMessage("assistant", "One."),
        ChatMessage("user", "Monday.\nTEXT OF 2\nTEXT OF 3"),
    ]
    assert await store.conversation(HERE) == asked
    await store.finish_turn(turn, done("Two."), 20.0)
    assert await store.conversation(HERE) == [*asked, ChatMessage("assistant", "Two.")]


async def test_a_conversation_holds_only_what_claude_was_given(store: Store) -> None:
    assert await store.conversation(HERE) == []
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    assert await store.conversation(HERE) == []
    await store.begin_turn(turn, 3.0)
    assert await store.conversation(HERE) == []
    await store.store_prompt(turn, "Monday.", {"2": "two"})
    assert await store.conversation(HERE) == [ChatMessage("user", "Monday.\ntwo")]


async def test_what_is_replayed_need_not_be_what_was_shown(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish_turn(
        turn, Outcome(Ended.STOPPED, text="Hel", replay="Hel…"), 20.0
    )
    assert (await store.conversation(HERE))[-1] == ChatMessage("assistant", "Hel…")
    assert (await store.transcript(HERE))[-1] == ("", "Hel")


async def test_an_answer_without_replay_leaves_its_question(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish_turn(turn, Outcome(Ended.FAILED, text="Hel"), 20.0)
    assert await store.conversation(HERE) == [ChatMessage("user", "TEXT OF 1")]


async def test_a_refused_turn_drops_out_whole(store: Store) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    before = await store.conversation(HERE)
    turn = await ask(store, said("2", at=2.0))
    await store.finish_turn(turn, done("I cannot", Ended.REFUSED), 20.0)
    assert await store.conversation(HERE) == before
    await store.mark_delivered(turn, 21.0)
    await exchange(store, said("3", at=3.0), "Three.")
    assert await store.conversation(HERE) == [
        *before,
        ChatMessage("user", "TEXT OF 3"),
        ChatMessage("assistant", "Three."),
    ]


async def test_what_was_given_once_never_changes(store: Store) -> None:
    turn = await ask(store, said("1"), preface="Monday.")
    before = await store.conversation(HERE)
    await store.begin_turn(turn, 11.0)
    await store.store_prompt(turn, "Tuesday.", {"1": "else"})
    assert await store.conversation(HERE) == before


async def test_no_preface_stays_no_preface(store: Store) -> None:
    turn = await ask(store, said("1"), preface="")
    await store.store_prompt(turn, "Tuesday.", {})
    assert await store.conversation(HERE) == [ChatMessage("user", "TEXT OF 1")]


async def test_what_a_second_attempt_brings_along_comes_last(store: Store) -> None:
    turn = await ask(store, said("5", at=5.0))
    await store.receive(said("4", at=4.0), keep)
    spoken = await store.begin_turn(turn, 11.0)
    assert [each.message.message for each in spoken] == ["4", "5"]
    await store.store_prompt(turn, "", {"4": "four"})
    assert await store.conversation(HERE) == [ChatMessage("user", "TEXT OF 5\nfour")]


async def test_contents_for_messages_of_other_turns_are_not_taken(
    store: Store,
) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.receive(said("2", at=2.0), answer)
    await store.store_prompt(turn, "", {"2": "two", "unheard": "?"})
    assert await store.conversation(HERE) == [ChatMessage("user", "TEXT OF 1")]


async def test_a_late_older_message_does_not_disturb_what_was_read(
    store: Store,
) -> None:
    await exchange(store, said("5", at=5.0), "Five.")
    before = await store.conversation(HERE)
    await exchange(store, said("1", at=1.0), "One.")
    assert await store.conversation(HERE) == [
        *before,
        ChatMessage("user", "TEXT OF 1"),
        ChatMessage("assistant", "One."),
    ]


async def test_empty_contents_are_contents(store: Store) -> None:
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    await store.begin_turn(turn, 3.0)
    await store.store_prompt(turn, "", {"1": "", "2": "two"})
    assert await store.conversation(HERE) == [ChatMessage("user", "\ntwo")]


# What people see of it


async def test_a_transcript_is_what_was_said(store: Store) -> None:
    await exchange(store, said("1", at=1.0, author="U1"), "One.")
    await store.receive(said("2", at=2.0, author="U2"), keep)
    assert await store.transcript(HERE) == [
        ("U1", "text of 1"),
        ("", "One."),
        ("U2", "text of 2"),
    ]


async def test_what_was_said_during_an_answer_comes_after_it(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.receive(said("2", at=2.0), answer)
    await store.finish_turn(turn, done("One."), 20.0)
    said_by = [text for _, text in await store.transcript(HERE)]
    assert said_by == ["text of 1", "One.", "text of 2"]


async def test_a_late_older_message_joins_the_transcript_at_its_place(
    store: Store,
) -> None:
    await exchange(store, said("5", at=5.0), "Five.")
    await exchange(store, said("1", at=1.0), "One.")
    said_by = [text for _, text in await store.transcript(HERE)]
    assert said_by == ["text of 1", "text of 5", "Five.", "One."]


@pytest.mark.parametrize("ended", list(Ended))
async def test_a_transcript_holds_every_answer_that_was_shown(
    store: Store, ended: Ended
) -> None:
    turn = await ask(store, said("1"))
    await store.finish_turn(turn, Outcome(ended, text="Hel", note="Broken off."), 20.0)
    assert await store.transcript(HERE) == [("U1", "text of 1"), ("", "Hel")]


async def test_an_answer_without_a_word_is_not_in_the_transcript(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish_turn(turn, Outcome(Ended.FAILED, text=""), 20.0)
    assert await store.transcript(HERE) == [("U1", "text of 1")]


async def test_threads_of_a_channel_come_last_used_first(store: Store) -> None:
    elsewhere = ThreadKey("slack", "T1", "C2", "1.0")
    abroad = ThreadKey("slack", "T2", "C1", "1.0")
    await exchange(store, said("1", at=1.0, text="a\n b  c " + "d" * 99), "Yes.")
    await store.receive(said("2", at=4.0), keep)
    await store.receive(said("1", at=30.0, thread=THERE, text="there"), answer)
    await store.receive(said("1", at=2.0, thread=elsewhere), answer)
    await store.receive(said("1", at=3.0, thread=abroad, text="abroad"), answer)
    assert await store.list_threads("slack", "C1") == [
        ThreadSummary(THERE, "there", turns=1, last=30.0),
        ThreadSummary(HERE, "a b c " + "d" * 74, turns=1, last=20.0),
        ThreadSummary(abroad, "abroad", turns=1, last=3.0),
    ]
    assert await store.list_threads("discord", "C1") == []


async def test_a_title_is_the_first_message_by_time(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    await store.backfill(turn, [said("1", at=1.0)])
    (summary,) = await store.list_threads("slack", "C1")
    assert (summary.title, summary.last) == ("text of 1", 2.0)


async def test_threads_with_something_new_come_with_the_last_message(
    store: Store,
) -> None:
    abroad = ThreadKey("slack", "T2", "C9", "1.0")
    elsewhere = ThreadKey("discord", "T1", "C1", "1.0")
    await exchange(store, said("2", at=8.0), "Eight.")
    await store.receive(said("1", at=3.0), keep)
    await store.receive(said("1", at=5.0, thread=THERE), answer)
    await store.receive(said("2", at=5.0, thread=THERE), keep)
    await store.receive(said("1", at=4.9, thread=abroad), answer)
    await store.receive(said("1", at=9.0, thread=elsewhere), answer)
    assert await store.newest_messages("slack", since=5.0) == [
        (THERE, "2"),
        (HERE, "2"),
    ]
    assert await store.newest_messages("slack", since=8.1) == []
    recent = await store.said(Scope("slack", "T1"), 5.0)
    assert sorted((str(each.thread), each.message) for each in recent) == sorted(
        [(str(HERE), "2"), (str(THERE), "1"), (str(THERE), "2")]
    )
    assert [e.message for e in await store.said(Scope.of(HERE), 0.0)] == ["2", "1"]
    await store.delete_messages("slack", "T1", ["2"], None, 10.0)
    assert [e.message for e in await store.said(Scope.of(HERE), 0.0)] == ["1"]
    assert await store.newest_messages("slack", since=5.0) == [
        (THERE, "2"),
        (HERE, "2"),
    ]


# What it cost

DAY = 24 * 60 * 60.0
USED = Usage(input=1, cache_write_5m=2, cache_write_1h=3, cache_read=4, output=5)


async def spend(
    store: Store,
    now: float,
    *,
    thread: ThreadKey = HERE,
    model: str = "m",
    cost: float | None = 0.25,
) -> None:
    turn = await ask(store, said(f"at {now} of {model}", now, thread=thread))
    outcome = Outcome(Ended.DONE, text="Yes.", model=model, usage=USED, cost=cost)
    await store.finish_turn(turn, outcome, now)
    await store.mark_delivered(turn, now)


def spent(
    day: str, thread: ThreadKey, model: str, turns: int, usage: Usage, cost: float
) -> Spending:
    return Spending(day, Scope.of(thread), "", model, "answer", turns, usage, cost)


async def test_spending_is_added_up_by_day_thread_and_model(store: Store) -> None:
    await spend(store, DAY - 1)
    await spend(store, DAY)
    await spend(store, DAY + 1, cost=0.5)
    await spend(store, DAY + 2, model="n")
    await spend(store, DAY + 3, thread=THERE)
    twice = Usage(2, 4, 6, 8, 10)
    assert await store.spending(since=0.0) == [
        spent("1970-01-01", HERE, "m", 1, USED, 0.25),
        spent("1970-01-02", HERE, "m", 2, twice, 0.75),
        spent("1970-01-02", HERE, "n", 1, USED, 0.25),
        spent("1970-01-02", THERE, "m", 1, USED, 0.25),
    ]


async def test_spending_begins_at_the_time_asked_for(store: Store) -> None:
    await spend(store, 10.0)
    await spend(store, 20.0)
    (spending,) = await store.spending(since=20.0)
    assert spending.turns == 1
    assert await store.spending(since=20.1) == []


async def test_what_has_no_price_is_counted_apart(store: Store) -> None:
    await spend(store, 10.0, cost=None)
    await spend(store, 20.0)
    (spending,) = await store.spending(since=0.0)
    assert (spending.turns, spending.cost, spending.unpriced) == (2, 0.25, 1)


async def test_turns_that_run_have_cost_nothing_yet(store: Store) -> None:
    await ask(store, said("1"))
    assert await store.spending(since=0.0) == []
