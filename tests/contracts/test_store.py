"""The contract of stores: receiving messages and catching up."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.completion import ChatMessage
from bot.domain.message import Disposition, Message, Origin, ThreadFacts, Verdict
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import StoredSettings
from bot.domain.turn import TurnMessage, TurnState
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    Facts,
    answer,
    ask,
    disposition,
    done,
    exchange,
    following,
    ignore,
    judged_after,
    keep,
    needs_backfill,
    said,
    waiting,
)

# Hearing


async def test_a_message_to_answer_makes_a_turn_that_waits(store: Store) -> None:
    assert await disposition(store, said("1", at=5.0), answer) is Disposition.ANSWER
    turn = await following(store)
    assert turn.thread == HERE
    assert turn.state is TurnState.WAITING
    assert (turn.attempts, turn.touched) == (0, 5.0)
    assert (turn.text, turn.ended, turn.note, turn.shown) == ("", None, "", ())


async def test_turns_have_keys_of_their_own(store: Store) -> None:
    here = await waiting(store, said("1"))
    there = await waiting(store, said("1", thread=THERE))
    assert here.key
    assert here.key != there.key
    assert here.id != there.id


async def test_a_known_message_is_ignored_and_not_judged(store: Store) -> None:
    def refuse(heard: Message, facts: Facts, stored: StoredSettings) -> Verdict:
        raise AssertionError("judged twice")

    turn = await waiting(store, said("1"))
    assert (
        await disposition(store, said("1", at=9.0, text="new"), refuse)
        is Disposition.IGNORE
    )
    assert await store.begin_turn(turn, 2.0) == [TurnMessage(said("1"))]


async def test_a_kept_message_is_known_too(store: Store) -> None:
    await store.receive(said("1"), answer)
    await store.receive(said("2"), keep)
    assert await disposition(store, said("2"), answer) is Disposition.IGNORE


async def test_many_deliveries_at_once_are_one(store: Store) -> None:
    verdicts = await asyncio.gather(
        *(disposition(store, said("1"), answer) for _ in range(20))
    )
    assert verdicts.count(Disposition.ANSWER) == 1
    assert verdicts.count(Disposition.IGNORE) == 19
    assert len(await store.begin_turn(await following(store), 2.0)) == 1


async def test_an_ignored_message_leaves_nothing_behind(store: Store) -> None:
    assert await disposition(store, said("1"), ignore) is Disposition.IGNORE
    assert await store.open_threads() == []
    assert await store.list_threads("slack", "C1") == []
    assert await disposition(store, said("1"), answer) is Disposition.ANSWER


async def test_keeping_in_an_unknown_thread_is_ignoring(store: Store) -> None:
    assert await disposition(store, said("1"), keep) is Disposition.IGNORE
    assert await store.list_threads("slack", "C1") == []
    assert await store.transcript(HERE) == []


async def test_a_judge_that_fails_leaves_nothing_behind(store: Store) -> None:
    def fail(heard: Message, facts: Facts, stored: StoredSettings) -> Verdict:
        raise LookupError("no idea")

    with pytest.raises(LookupError, match="no idea"):
        await store.receive(said("1"), fail)
    assert await store.list_threads("slack", "C1") == []


@pytest.mark.parametrize("opens", [True, False])
@pytest.mark.parametrize("addressed", [True, False])
async def test_a_thread_follows_if_its_root_addressed_us(
    store: Store, opens: bool, addressed: bool
) -> None:
    facts = await judged_after(store, said("1", opens=opens, addressed=addressed))
    assert facts == [None, ThreadFacts(follows=opens and addressed)]


async def test_a_root_heard_late_counts_as_well(store: Store) -> None:
    await store.receive(said("2", at=2.0), answer)
    facts = await judged_after(store, said("1", at=1.0, opens=True))
    assert facts == [ThreadFacts(follows=False), ThreadFacts(follows=True)]


async def test_what_is_said_before_a_turn_begins_joins_it(store: Store) -> None:
    turn = await waiting(store, said("1", at=1.0), said("2", at=2.0))
    spoken = await store.begin_turn(turn, 3.0)
    assert [each.message.message for each in spoken] == ["1", "2"]
    await store.finish_turn(turn, done("Yes."), 4.0)
    assert not await store.mark_delivered(turn, 4.0)
    assert await store.next_turn(HERE) is None


async def test_what_is_said_while_a_turn_runs_waits_for_the_next(store: Store) -> None:
    first = await waiting(store, said("1", at=1.0))
    await store.begin_turn(first, 2.0)
    await store.receive(said("2", at=3.0), answer)
    assert (await following(store)).id == first.id
    assert await store.begin_turn(first, 4.0) == [TurnMessage(said("1", at=1.0))]
    await store.finish_turn(first, done("Yes."), 5.0)
    assert await store.mark_delivered(first, 5.0)
    second = await following(store)
    assert await store.begin_turn(second, 6.0) == [TurnMessage(said("2", at=3.0))]


async def test_the_newest_waiting_turn_is_joined(store: Store) -> None:
    first = await waiting(store, said("1", at=1.0))
    await store.begin_turn(first, 2.0)
    await store.receive(said("2", at=3.0), answer)
    await store.release_turn(first)
    await store.receive(said("3", at=4.0), answer)
    assert [each.message.message for each in await store.begin_turn(first, 5.0)] == [
        "1"
    ]
    await store.finish_turn(first, done("Yes."), 6.0)
    await store.mark_delivered(first, 6.0)
    spoken = await store.begin_turn(await following(store), 7.0)
    assert [each.message.message for each in spoken] == ["2", "3"]


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
    assert (
        await disposition(store, said("1", thread=other), answer) is Disposition.ANSWER
    )
    assert await store.conversation(HERE) == [
        ChatMessage("user", "TEXT OF 1"),
        ChatMessage("assistant", "Hello."),
    ]


# Catching up


@pytest.mark.parametrize("opens", [True, False])
async def test_a_thread_that_we_did_not_see_begin_is_unread(
    store: Store, opens: bool
) -> None:
    assert await needs_backfill(store) is False
    await store.receive(said("1", opens=opens), answer)
    assert await needs_backfill(store) is not opens
    await store.receive(said("2", at=2.0), answer)
    assert await needs_backfill(store) is not opens


async def test_what_was_said_before_is_given_to_the_turn(store: Store) -> None:
    turn = await waiting(store, said("3", at=3.0))
    await store.begin_turn(turn, 4.0)
    before = [said("1", at=1.0), said("2", at=2.0)]
    spoken = await store.backfill(turn, before)
    assert spoken == [*map(TurnMessage, before), TurnMessage(said("3", at=3.0))]
    assert await store.begin_turn(turn, 5.0) == spoken


async def test_a_thread_is_read_once_its_history_is_stored_as_claude_reads_it(
    store: Store,
) -> None:
    turn = await waiting(store, said("3"))
    # Without a backfill, as when the platform fails, the next turn tries again.
    await store.store_prompt(turn, "", {"3": "three"})
    assert await needs_backfill(store) is True
    assert await store.backfill(turn, []) == [TurnMessage(said("3"), "three")]
    assert await needs_backfill(store) is True
    await store.store_prompt(turn, "", {})
    assert await needs_backfill(store) is False


async def test_a_backfill_skips_what_is_known(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    for _ in range(2):
        spoken = await store.backfill(
            turn, [said("1"), said("1"), said("2", text="else")]
        )
        assert spoken == [TurnMessage(said("1")), TurnMessage(said("2", at=2.0))]


async def test_a_backfill_takes_nothing_from_another_turn(store: Store) -> None:
    turn = await ask(store, said("1", at=1.0))
    await store.receive(said("2", at=2.0), answer)
    spoken = await store.backfill(turn, [said("2", at=2.0)])
    assert [each.message.message for each in spoken] == ["1"]


async def test_a_backfill_skips_our_own_words_and_keeps_other_programs(
    store: Store,
) -> None:
    turn = await waiting(store, said("3", at=3.0))
    robot = said("2", at=2.0, automated=True)
    spoken = await store.backfill(turn, [said("1", echo=True), robot])
    assert [each.message for each in spoken] == [robot, said("3", at=3.0)]


async def test_a_backfill_takes_in_what_a_question_overtook(store: Store) -> None:
    turn = await waiting(store, said("3", at=3.0))
    await store.begin_turn(turn, 4.0)
    for message in (said("2", at=2.0), said("5", at=5.0)):
        await store.receive(message, keep)
    spoken = await store.backfill(turn, [said("1", at=1.0), said("2", at=2.0)])
    assert [each.message.message for each in spoken] == ["1", "2", "3"]


async def test_a_backfill_makes_no_turn(store: Store) -> None:
    turn = await waiting(store, said("2", at=2.0))
    await store.backfill(turn, [said("1")])
    await store.finish_turn(turn, done("Yes."), 3.0)
    await store.mark_delivered(turn, 3.0)
    assert await store.next_turn(HERE) is None


async def test_what_a_backfill_brings_too_late_is_for_the_next_turn(
    store: Store,
) -> None:
    turn = await exchange(store, said("2", at=2.0), "Two.")
    spoken = await store.backfill(turn, [said("1")])
    assert [each.message.message for each in spoken] == ["2"]
    later = await waiting(store, said("3", at=3.0))
    spoken = await store.begin_turn(later, 30.0)
    assert [each.message.message for each in spoken] == ["1", "3"]


@pytest.mark.parametrize("addressed", [True, False])
async def test_a_thread_follows_if_its_backfilled_root_addressed_us(
    store: Store, addressed: bool
) -> None:
    turn = await waiting(store, said("3", at=3.0))
    root = said("1", opens=True, addressed=addressed)
    await store.backfill(turn, [root, said("2", at=2.0)])
    facts = await judged_after(store, said("4", at=4.0))
    assert facts[0] == ThreadFacts(follows=addressed)


async def test_the_origin_of_a_message_is_remembered(store: Store) -> None:
    for nth, origin in enumerate(Origin):
        await store.receive(replace(said(f"{nth}", at=nth), origin=origin), answer)
    spoken = await store.begin_turn(await following(store), 9.0)
    assert [each.message.origin for each in spoken] == list(Origin)


async def test_a_notice_is_given_by_one_turn_until_it_expires(store: Store) -> None:
    place = Scope.of(HERE).at(ScopeLevel.CHANNEL)

    async def claim(name: str, turn: str, now: float, until: float | None) -> bool:
        return await store.claim_notice(place, name, turn, now, until)

    assert await claim("once", "t1", 1.0, None)
    assert await claim("once", "t1", 2.0, None)
    assert not await claim("once", "t2", 9e9, None)
    assert await claim("daily", "t1", 1.0, 5.0)
    assert not await claim("daily", "t2", 4.0, 9.0)
    assert await claim("daily", "t2", 5.0, 9.0)
    assert not await claim("daily", "t3", 6.0, 9.0)
    deleted = await store.clean_up(Retention(), 9.0)
    assert deleted["notices"] == 1
    assert not await claim("once", "t2", 9.0, None)
