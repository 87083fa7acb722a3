"""What every Store promises, once per implementation."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.ports import Store
from bot.values import (
    Ended,
    Heard,
    Outcome,
    Said,
    Shown,
    Spending,
    Spoken,
    State,
    ThreadFacts,
    ThreadKey,
    ThreadSummary,
    Usage,
    Verdict,
)
from storage.memory import MemoryStore
from storage.sqlite import open_store
from tests.storage.talk import (
    HERE,
    THERE,
    answer,
    ask,
    done,
    exchange,
    following,
    ignore,
    keep,
    said,
    waiting,
)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    if request.param == "memory":
        yield MemoryStore()
    else:
        async with open_store(tmp_path / "threadkeep.db") as opened:
            yield opened


# Hearing


async def test_a_message_to_answer_makes_a_turn_that_waits(store: Store) -> None:
    assert await store.hear(said("1", at=5.0), answer) is Verdict.ANSWER
    turn = await following(store)
    assert turn.thread == HERE
    assert turn.state is State.WAITING
    assert (turn.attempts, turn.touched) == (0, 5.0)
    assert (turn.text, turn.ended, turn.note, turn.shown) == ("", None, "", ())


async def test_turns_have_keys_of_their_own(store: Store) -> None:
    here = await waiting(store, said("1"))
    there = await waiting(store, said("1", thread=THERE))
    assert here.key
    assert here.key != there.key
    assert here.id != there.id


async def test_a_known_message_is_ignored_and_not_judged(store: Store) -> None:
    def refuse(heard: Heard, facts: ThreadFacts | None) -> Verdict:
        raise AssertionError("judged twice")

    turn = await waiting(store, said("1"))
    assert await store.hear(said("1", at=9.0, text="new"), refuse) is Verdict.IGNORE
    assert await store.begin(turn, 2.0) == [Spoken(said("1"))]


async def test_a_kept_message_is_known_too(store: Store) -> None:
    await store.hear(said("1"), answer)
    await store.hear(said("2"), keep)
    assert await store.hear(said("2"), answer) is Verdict.IGNORE


async def test_many_deliveries_at_once_are_one(store: Store) -> None:
    verdicts = await asyncio.gather(*(store.hear(said("1"), answer) for _ in range(20)))
    assert verdicts.count(Verdict.ANSWER) == 1
    assert verdicts.count(Verdict.IGNORE) == 19
    assert len(await store.begin(await following(store), 2.0)) == 1


async def test_an_ignored_message_leaves_nothing_behind(store: Store) -> None:
    assert await store.hear(said("1"), ignore) is Verdict.IGNORE
    assert await store.open_threads() == []
    assert await store.threads("slack", "C1") == []
    assert await store.hear(said("1"), answer) is Verdict.ANSWER


async def test_keeping_in_an_unknown_thread_is_ignoring(store: Store) -> None:
    assert await store.hear(said("1"), keep) is Verdict.IGNORE
    assert await store.threads("slack", "C1") == []
    assert await store.transcript(HERE) == []


async def test_a_judge_that_fails_leaves_nothing_behind(store: Store) -> None:
    def fail(heard: Heard, facts: ThreadFacts | None) -> Verdict:
        raise LookupError("no idea")

    with pytest.raises(LookupError, match="no idea"):
        await store.hear(said("1"), fail)
    assert await store.threads("slack", "C1") == []


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("addressed", [True, False])
async def test_a_thread_follows_if_its_root_addressed_us(
    store: Store, opens: bool, addressed: bool
) -> None:
    facts = await judged_after(store, said("1", opens=opens, addressed=addressed))
    assert facts == [None, ThreadFacts(follows=opens and addressed)]


async def test_a_root_heard_late_counts_as_well(store: Store) -> None:
    await store.hear(said("2", at=2.0), answer)
    facts = await judged_after(store, said("1", at=1.0, opens=True))
    assert facts == [ThreadFacts(follows=False), ThreadFacts(follows=True)]


async def judged_after(store: Store, heard: Heard) -> list[ThreadFacts | None]:
    """What the judge was told for `heard`, and for one more message after it."""
    told: list[ThreadFacts | None] = []

    def judge(heard: Heard, facts: ThreadFacts | None) -> Verdict:
        told.append(facts)
        return Verdict.ANSWER

    await store.hear(heard, judge)
    await store.hear(said("next", at=9.0), judge)
    return told


async def test_what_is_said_before_a_turn_begins_joins_it(store: Store) -> None:
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    spoken = await store.begin(turn, 3.0)
    assert [each.heard.message for each in spoken] == ["1", "2"]
    await store.delivered(turn, 4.0)
    assert await store.next_turn(HERE) is None


async def test_what_is_said_while_a_turn_runs_waits_for_the_next(store: Store) -> None:
    first = await waiting(store, said("1", at=1.0))
    await store.begin(first, 2.0)
    await store.hear(said("2", at=3.0), answer)
    assert (await following(store)).id == first.id
    assert await store.begin(first, 4.0) == [Spoken(said("1", at=1.0))]
    await store.delivered(first, 5.0)
    second = await following(store)
    assert await store.begin(second, 6.0) == [Spoken(said("2", at=3.0))]


async def test_the_newest_waiting_turn_is_joined(store: Store) -> None:
    first = await waiting(store, said("1", at=1.0))
    await store.begin(first, 2.0)
    await store.hear(said("2", at=3.0), answer)
    await store.hand_over(first)
    await store.hear(said("3", at=4.0), answer)
    assert [each.heard.message for each in await store.begin(first, 5.0)] == ["1"]
    await store.delivered(first, 6.0)
    spoken = await store.begin(await following(store), 7.0)
    assert [each.heard.message for each in spoken] == ["2", "3"]


@pytest.mark.parametrize(
    "other",
    [
        ThreadKey("discord", "T1", "C1", "1.0"),
        ThreadKey("slack", "T2", "C1", "1.0"),
        ThreadKey("slack", "T1", "C2", "1.0"),
        THERE,
    ],
    ids=str,
)
async def test_threads_do_not_see_each_other(store: Store, other: ThreadKey) -> None:
    await exchange(store, said("1", opens=True), "Hello.")
    assert await store.conversation(other) == []
    assert await store.transcript(other) == []
    assert await store.next_turn(other) is None
    assert await store.hear(said("1", thread=other), answer) is Verdict.ANSWER
    assert await store.conversation(HERE) == [
        Said("user", "TEXT OF 1"),
        Said("assistant", "Hello."),
    ]


# Catching up


@pytest.mark.parametrize("opens", [True, False])
async def test_a_thread_that_we_did_not_see_begin_is_unread(
    store: Store, opens: bool
) -> None:
    assert await store.unread(HERE) is False
    await store.hear(said("1", opens=opens), answer)
    assert await store.unread(HERE) is not opens
    await store.hear(said("2", at=2.0), answer)
    assert await store.unread(HERE) is not opens


async def test_what_was_said_before_is_given_to_the_turn(store: Store) -> None:
    turn = await waiting(store, said("3", at=3.0))
    await store.begin(turn, 4.0)
    before = [said("1", at=1.0), said("2", at=2.0)]
    spoken = await store.backfill(turn, before)
    assert spoken == [*map(Spoken, before), Spoken(said("3", at=3.0))]
    assert await store.begin(turn, 5.0) == spoken


async def test_a_backfill_makes_a_thread_read(store: Store) -> None:
    turn = await waiting(store, said("3"))
    assert await store.backfill(turn, []) == [Spoken(said("3"))]
    assert await store.unread(HERE) is False


async def test_a_backfill_skips_what_is_known(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    for _ in range(2):
        spoken = await store.backfill(
            turn, [said("1"), said("1"), said("2", text="else")]
        )
        assert spoken == [Spoken(said("1")), Spoken(said("2", at=2.0))]


async def test_a_backfill_takes_nothing_from_another_turn(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.hear(said("2", at=2.0), answer)
    spoken = await store.backfill(turn, [said("2", at=2.0)])
    assert [each.heard.message for each in spoken] == ["1"]


async def test_a_backfill_skips_our_own_words_and_keeps_other_programs(
    store: Store,
) -> None:
    turn = await waiting(store, said("3", at=3.0))
    robot = said("2", at=2.0, automated=True)
    spoken = await store.backfill(turn, [said("1", echo=True), robot])
    assert [each.heard for each in spoken] == [robot, said("3", at=3.0)]


async def test_a_backfill_makes_no_turn(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    await store.backfill(turn, [said("1")])
    await store.delivered(turn, 3.0)
    assert await store.next_turn(HERE) is None


async def test_what_a_backfill_brings_too_late_is_for_the_next_turn(
    store: Store,
) -> None:
    turn = await exchange(store, said("2", at=2.0), "Two.")
    spoken = await store.backfill(turn, [said("1")])
    assert [each.heard.message for each in spoken] == ["2"]
    later = await waiting(store, said("3", at=3.0))
    spoken = await store.begin(later, 30.0)
    assert [each.heard.message for each in spoken] == ["1", "3"]


@pytest.mark.parametrize("addressed", [True, False])
async def test_a_thread_follows_if_its_backfilled_root_addressed_us(
    store: Store, addressed: bool
) -> None:
    turn = await waiting(store, said("3", at=3.0))
    root = said("1", opens=True, addressed=addressed)
    await store.backfill(turn, [root, said("2", at=2.0)])
    facts = await judged_after(store, said("4", at=4.0))
    assert facts[0] == ThreadFacts(follows=addressed)


# Turns


async def test_open_threads_come_by_their_oldest_question(store: Store) -> None:
    third = ThreadKey("slack", "T1", "C1", "3.0")
    await store.hear(said("1", at=5.0), answer)
    await store.hear(said("1", at=3.0, thread=THERE), answer)
    await store.hear(said("1", at=4.0, thread=third), answer)
    assert await store.open_threads() == [THERE, third, HERE]
    await store.hear(said("0", at=1.0), answer)
    assert await store.open_threads() == [HERE, THERE, third]


async def test_a_thread_is_open_until_its_last_answer_is_delivered(
    store: Store,
) -> None:
    turn = await ask(store, said("1"))
    assert await store.open_threads() == [HERE]
    await store.finish(turn, done("Yes."), 11.0)
    assert await store.open_threads() == [HERE]
    await store.delivered(turn, 12.0)
    assert await store.open_threads() == []


async def test_a_thread_with_two_open_turns_is_listed_once(store: Store) -> None:
    await ask(store, said("1", at=1.0))
    await store.hear(said("2", at=2.0), answer)
    assert await store.open_threads() == [HERE]


async def test_there_is_no_next_turn_in_an_unknown_thread(store: Store) -> None:
    assert await store.next_turn(HERE) is None


async def test_beginning_counts_and_touches(store: Store) -> None:
    turn = await waiting(store, said("1"))
    await store.begin(turn, 7.0)
    await store.begin(turn, 8.0)
    begun = await following(store)
    assert begun.state is State.ANSWERING
    assert (begun.attempts, begun.touched) == (2, 8.0)


async def test_beginning_takes_what_no_turn_has(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    await store.hear(said("3", at=3.0), keep)
    await store.hear(said("1", at=1.0), keep)
    spoken = await store.begin(turn, 4.0)
    assert [each.heard.message for each in spoken] == ["1", "2", "3"]


async def test_beginning_takes_nothing_from_another_thread(store: Store) -> None:
    turn = await waiting(store, said("1"))
    await store.hear(said("1", thread=THERE), answer)
    await store.hear(said("2", thread=THERE), keep)
    assert await store.begin(turn, 4.0) == [Spoken(said("1"))]


async def test_a_message_comes_back_as_it_was_heard(store: Store) -> None:
    heard = said(
        "1",
        at=1700000000.123456,
        author="U9",
        text="a\n\tb \U0001f600 \x00 'c' ",
        addressed=False,
        opens=True,
        automated=True,
        files=("a b.png", "ü"),
    )
    turn = await waiting(store, heard)
    assert await store.begin(turn, 2.0) == [Spoken(heard)]


async def test_what_claude_was_given_comes_back_with_the_message(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.hear(said("2", at=2.0), keep)
    assert await store.begin(turn, 11.0) == [
        Spoken(said("1", at=1.0), "TEXT OF 1"),
        Spoken(said("2", at=2.0), None),
    ]


async def test_a_turn_handed_over_waits_again_as_it_was(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.show(turn, Shown(0, "m", "Hel"), "Hel", 11.0)
    await store.hand_over(turn)
    left = await following(store)
    assert left.state is State.WAITING
    assert (left.attempts, left.touched, left.text) == (1, 11.0, "Hel")
    assert left.shown == (Shown(0, "m", "Hel"),)


async def test_finishing_stores_the_outcome_whole(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.show(turn, Shown(0, "m", "Hel"), "Hel", 11.0)
    stopped = Outcome(Ended.STOPPED, text="Hello", replay="Hello", note="Stopped.")
    await store.finish(turn, stopped, 12.0)
    ended = await following(store)
    assert ended.state is State.UNDELIVERED
    assert ended.ended is Ended.STOPPED
    assert (ended.text, ended.note, ended.touched) == ("Hello", "Stopped.", 12.0)
    assert ended.shown == (Shown(0, "m", "Hel"),)


async def test_the_first_outcome_stands(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish(turn, done("Yes."), 11.0)
    await store.finish(turn, done("No.", Ended.INTERRUPTED), 12.0)
    ended = await following(store)
    assert (ended.text, ended.ended) == ("Yes.", Ended.DONE)
    assert (await store.conversation(HERE))[-1] == Said("assistant", "Yes.")
    assert len(await store.conversation(HERE)) == 2


@pytest.mark.parametrize("is_delivered", [True, False])
async def test_a_turn_that_ended_never_moves_up_again(
    store: Store, is_delivered: bool
) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.finish(turn, done("Yes."), 11.0)
    if is_delivered:
        await store.delivered(turn, 12.0)
    await store.hear(said("2", at=2.0), keep)
    before = await store.next_turn(HERE)
    conversation = await store.conversation(HERE)
    assert len(await store.begin(turn, 13.0)) == 1
    await store.hand_over(turn)
    await store.freeze(turn, "late", {"1": "late"})
    assert await store.next_turn(HERE) == before
    assert await store.conversation(HERE) == conversation


async def test_a_turn_can_end_before_it_began(store: Store) -> None:
    turn = await waiting(store, said("1"))
    await store.finish(turn, Outcome(Ended.FAILED, text="", note="No budget."), 5.0)
    ended = await following(store)
    assert (ended.state, ended.note) == (State.UNDELIVERED, "No budget.")


# The reply's messages


async def test_an_intended_message_has_no_id_yet(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.intend(turn, 0)
    assert (await following(store)).shown == (Shown(0, None, ""),)


async def test_what_is_shown_is_known_by_part(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.show(turn, Shown(1, "b", "lo"), "Hello", 12.0)
    await store.intend(turn, 0)
    await store.show(turn, Shown(0, "a", "Hel"), "Hello", 13.0)
    now = await following(store)
    assert now.shown == (Shown(0, "a", "Hel"), Shown(1, "b", "lo"))
    assert (now.text, now.touched, now.state) == ("Hello", 13.0, State.ANSWERING)


async def test_intending_again_forgets_nothing(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.show(turn, Shown(0, "a", "Hel"), "Hel", 12.0)
    await store.intend(turn, 0)
    assert (await following(store)).shown == (Shown(0, "a", "Hel"),)


async def test_an_unknown_outcome_does_not_forget_a_known_id(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.show(turn, Shown(0, "a", "Hel"), "Hel", 12.0)
    await store.show(turn, Shown(0, None, "Hello"), "Hello", 12.0)
    assert (await following(store)).shown == (Shown(0, "a", "Hello"),)


async def test_a_message_taken_back_is_forgotten(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.show(turn, Shown(0, "a", "Hel"), "Hello", 12.0)
    await store.show(turn, Shown(1, "b", "lo"), "Hello", 12.0)
    await store.unshow(turn, 1)
    await store.unshow(turn, 2)
    assert (await following(store)).shown == (Shown(0, "a", "Hel"),)


async def test_last_writes_of_an_ended_turn_are_noted_but_not_its_text(
    store: Store,
) -> None:
    turn = await ask(store, said("1"))
    await store.finish(turn, done("Hello"), 12.0)
    await store.show(turn, Shown(0, "a", "Hello"), "Hel", 13.0)
    now = await following(store)
    assert now.shown == (Shown(0, "a", "Hello"),)
    assert (now.text, now.touched) == ("Hello", 13.0)
    assert now.state is State.UNDELIVERED


# What Claude reads


async def test_a_conversation_is_turn_by_turn(store: Store) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    turn = await ask(store, said("2", at=2.0), said("3", at=3.0), preface="Monday.")
    asked = [
        Said("user", "TEXT OF 1"),
        Said("assistant", "One."),
        Said("user", "Monday.\nTEXT OF 2\nTEXT OF 3"),
    ]
    assert await store.conversation(HERE) == asked
    await store.finish(turn, done("Two."), 20.0)
    assert await store.conversation(HERE) == [*asked, Said("assistant", "Two.")]


async def test_a_conversation_holds_only_what_claude_was_given(store: Store) -> None:
    assert await store.conversation(HERE) == []
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    assert await store.conversation(HERE) == []
    await store.begin(turn, 3.0)
    assert await store.conversation(HERE) == []
    await store.freeze(turn, "Monday.", {"2": "two"})
    assert await store.conversation(HERE) == [Said("user", "Monday.\ntwo")]


async def test_what_is_replayed_need_not_be_what_was_shown(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish(turn, Outcome(Ended.STOPPED, text="Hel", replay="Hel…"), 20.0)
    assert (await store.conversation(HERE))[-1] == Said("assistant", "Hel…")
    assert (await store.transcript(HERE))[-1] == ("", "Hel")


async def test_an_answer_without_replay_leaves_its_question(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish(turn, Outcome(Ended.FAILED, text="Hel"), 20.0)
    assert await store.conversation(HERE) == [Said("user", "TEXT OF 1")]


async def test_a_refused_turn_drops_out_whole(store: Store) -> None:
    await exchange(store, said("1", at=1.0), "One.")
    before = await store.conversation(HERE)
    turn = await ask(store, said("2", at=2.0))
    await store.finish(turn, done("I cannot", Ended.REFUSED), 20.0)
    assert await store.conversation(HERE) == before
    await store.delivered(turn, 21.0)
    await exchange(store, said("3", at=3.0), "Three.")
    assert await store.conversation(HERE) == [
        *before,
        Said("user", "TEXT OF 3"),
        Said("assistant", "Three."),
    ]


async def test_what_was_given_once_never_changes(store: Store) -> None:
    turn = await ask(store, said("1"), preface="Monday.")
    before = await store.conversation(HERE)
    await store.begin(turn, 11.0)
    await store.freeze(turn, "Tuesday.", {"1": "else"})
    assert await store.conversation(HERE) == before


async def test_no_preface_stays_no_preface(store: Store) -> None:
    turn = await ask(store, said("1"), preface="")
    await store.freeze(turn, "Tuesday.", {})
    assert await store.conversation(HERE) == [Said("user", "TEXT OF 1")]


async def test_what_a_second_attempt_brings_along_comes_last(store: Store) -> None:
    turn = await ask(store, said("5", at=5.0))
    await store.hear(said("4", at=4.0), keep)
    spoken = await store.begin(turn, 11.0)
    assert [each.heard.message for each in spoken] == ["4", "5"]
    await store.freeze(turn, "", {"4": "four"})
    assert await store.conversation(HERE) == [Said("user", "TEXT OF 5\nfour")]


async def test_contents_for_messages_of_other_turns_are_not_taken(
    store: Store,
) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.hear(said("2", at=2.0), answer)
    await store.freeze(turn, "", {"2": "two", "unheard": "?"})
    assert await store.conversation(HERE) == [Said("user", "TEXT OF 1")]


async def test_a_late_older_message_does_not_disturb_what_was_read(
    store: Store,
) -> None:
    await exchange(store, said("5", at=5.0), "Five.")
    before = await store.conversation(HERE)
    await exchange(store, said("1", at=1.0), "One.")
    assert await store.conversation(HERE) == [
        *before,
        Said("user", "TEXT OF 1"),
        Said("assistant", "One."),
    ]


async def test_empty_contents_are_contents(store: Store) -> None:
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    await store.begin(turn, 3.0)
    await store.freeze(turn, "", {"1": "", "2": "two"})
    assert await store.conversation(HERE) == [Said("user", "\ntwo")]


# What people see of it


async def test_a_transcript_is_what_was_said(store: Store) -> None:
    await exchange(store, said("1", at=1.0, author="U1"), "One.")
    await store.hear(said("2", at=2.0, author="U2"), keep)
    assert await store.transcript(HERE) == [
        ("U1", "text of 1"),
        ("", "One."),
        ("U2", "text of 2"),
    ]


async def test_what_was_said_during_an_answer_comes_after_it(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.hear(said("2", at=2.0), answer)
    await store.finish(turn, done("One."), 20.0)
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
    await store.finish(turn, Outcome(ended, text="Hel", note="Broken off."), 20.0)
    assert await store.transcript(HERE) == [("U1", "text of 1"), ("", "Hel")]


async def test_an_answer_without_a_word_is_not_in_the_transcript(store: Store) -> None:
    turn = await ask(store, said("1"))
    await store.finish(turn, Outcome(Ended.FAILED, text=""), 20.0)
    assert await store.transcript(HERE) == [("U1", "text of 1")]


async def test_threads_of_a_channel_come_last_used_first(store: Store) -> None:
    elsewhere = ThreadKey("slack", "T1", "C2", "1.0")
    abroad = ThreadKey("slack", "T2", "C1", "1.0")
    await exchange(store, said("1", at=1.0, text="a\n b  c " + "d" * 99), "Yes.")
    await store.hear(said("2", at=4.0), keep)
    await store.hear(said("1", at=30.0, thread=THERE, text="there"), answer)
    await store.hear(said("1", at=2.0, thread=elsewhere), answer)
    await store.hear(said("1", at=3.0, thread=abroad, text="abroad"), answer)
    assert await store.threads("slack", "C1") == [
        ThreadSummary(THERE, "there", turns=1, last=30.0),
        ThreadSummary(HERE, "a b c " + "d" * 74, turns=1, last=20.0),
        ThreadSummary(abroad, "abroad", turns=1, last=3.0),
    ]
    assert await store.threads("discord", "C1") == []


async def test_a_title_is_the_first_message_by_time(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    await store.backfill(turn, [said("1", at=1.0)])
    (summary,) = await store.threads("slack", "C1")
    assert (summary.title, summary.last) == ("text of 1", 2.0)


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
    await store.finish(turn, outcome, now)
    await store.delivered(turn, now)


async def test_spending_is_added_up_by_day_thread_and_model(store: Store) -> None:
    await spend(store, DAY - 1)
    await spend(store, DAY)
    await spend(store, DAY + 1, cost=0.5)
    await spend(store, DAY + 2, model="n")
    await spend(store, DAY + 3, thread=THERE)
    twice = Usage(2, 4, 6, 8, 10)
    assert await store.spending(since=0.0) == [
        Spending("1970-01-01", HERE, "m", 1, USED, cost=0.25, unpriced=0),
        Spending("1970-01-02", HERE, "m", 2, twice, cost=0.75, unpriced=0),
        Spending("1970-01-02", HERE, "n", 1, USED, cost=0.25, unpriced=0),
        Spending("1970-01-02", THERE, "m", 1, USED, cost=0.25, unpriced=0),
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
