"""The contract of stores: receipts."""

from dataclasses import replace

from bot.domain.attachment import Attachment
from bot.domain.budget import NO_LIMITS
from bot.domain.completion import Usage
from bot.domain.receipt import MessageRef, ReadFile, ReadMessages, Receipt, TurnTimes
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AppliedSetting, Change
from bot.domain.turn import Ended, Outcome, Turn, TurnState
from bot.ports.store import Store
from tests.support.store_helpers import (
    HERE,
    THERE,
    ask,
    done,
    exchange,
    keep,
    repeated,
    said,
    waiting,
)

PLACE = Scope.of(HERE)
APPLIED = (AppliedSetting("model", "m", ScopeLevel.CHANNEL, "U1", kept=True),)


async def receipt(store: Store, turn: Turn) -> tuple[Receipt, ReadMessages]:
    found = await store.receipt(HERE, turn.key)
    assert found is not None
    assert found.read is not None
    return found, found.read


async def test_a_receipt_says_what_was_read_and_what_was_not(store: Store) -> None:
    await exchange(store, said("0", at=0.5), "Zero.")
    await store.reset_context(HERE)
    file = Attachment("a.pdf", size=9)
    first = await exchange(store, said("1", at=1.0, files=(file,)), "One.")
    await exchange(store, said("2", at=2.0), "Two.")
    await store.delete_messages("slack", "T1", ["2"], "C1", 22.0)
    refused = await ask(store, said("3", at=3.0))
    await store.finish_turn(refused, done("No.", Ended.REFUSED), 23.0)
    await store.mark_delivered(refused, 23.0)
    await store.receive(said("4", at=4.0, author="U2"), keep)
    change = Change(PLACE.at(ScopeLevel.CHANNEL), "prompt", "Be brief.", versioned=True)
    await store.change_settings([change], who="U7", now=4.5)
    [version] = await store.versions(PLACE.at(ScopeLevel.CHANNEL), "prompt")
    turn = await waiting(store, said("5", at=5.0))
    await store.begin_turn(turn, 30.0)
    await store.store_prompt(turn, "Monday.", {"4": "four", "5": "five"})
    assert await store.reserve(turn, "U1", 0.5, NO_LIMITS, 31.0) is None
    await store.receive(said("6", at=6.0), keep)
    outcome = Outcome(
        *(Ended.DONE, "Five."),
        replay="Five.",
        model="m",
        request_id="req_1",
        usage=Usage(input=7, cache_read=8, output=9, searches=2, fetches=1),
        cost=0.25,
        first_text=32.0,
        prompt=version.id,
        missing=None,
        applied=APPLIED,
    )
    running, read = await receipt(store, turn)
    assert (running.ended, read.is_complete, running.held) == (None, False, 0.5)
    await store.finish_turn(turn, outcome, 33.0)
    await store.mark_delivered(turn, 34.0)
    found, read = await receipt(store, turn)
    assert (read.messages, read.answers, read.deleted) == (3, 2, 1)
    assert (read.before_reset, read.declined, read.later) == (1, 1, 1)
    assert (read.first, read.last) == (
        MessageRef("1", "U1", 1.0),
        MessageRef("5", "U1", 5.0),
    )
    assert read.questions == (MessageRef("5", "U1", 5.0),)
    assert (read.missing, read.is_complete) == (None, True)
    assert (read.history_failed, read.files) == (False, (ReadFile("a.pdf", 9),))
    times = replace(found.times, stored=0.0)
    assert times == TurnTimes(5.0, 0.0, 30.0, 31.0, 32.0, 33.0, 34.0)
    assert found.prompt == replace(version, text="")
    assert (found.usage, found.cost, found.bounded) == (outcome.usage, 0.25, False)
    assert (found.applied, found.request_id) == (APPLIED, "req_1")
    # What it answers may be deleted afterwards, and later turns change nothing of it.
    await store.delete_messages("slack", "T1", ["5"], "C1", 40.0)
    await exchange(store, said("7", at=41.0), "Seven.")
    _, read = await receipt(store, turn)
    assert read.questions == (MessageRef("5", "U1", 5.0, deleted=True),)
    assert read.messages == 3
    # A receipt is of its own thread only.
    assert await store.receipt(THERE, turn.key) is None
    _, read = await receipt(store, first)
    assert read.messages == 1


async def test_answers_are_found_by_number_and_by_message(store: Store) -> None:
    assert await store.answers(HERE, 9) == []
    first = await exchange(store, said("1", at=1.0), "One.")
    assert await repeated(store, 22.0)
    second = await store.next_turn(HERE)
    assert second is not None
    # It waits: only what ended is an answer.
    assert [each.turn for each in await store.answers(HERE, 9)] == [first.key]
    # The old answer keeps its receipt, and the new one is of the same question.
    await store.begin_turn(second, 23.0)
    await store.store_prompt(second, "", {})
    old, old_read = await receipt(store, first)
    new, new_read = await receipt(store, second)
    assert old_read.questions == new_read.questions != ()
    # It began in the middle of a thread of which nothing was fetched.
    assert old_read.history_failed
    assert (old.state, new.state) == (TurnState.DELIVERED, TurnState.ANSWERING)
    await store.finish_turn(second, done("Again."), 24.0)
    listed = await store.answers(HERE, 1)
    assert [(each.turn, each.ended) for each in listed] == [(second.key, Ended.DONE)]
    assert await store.turn_of_message(PLACE, "1") == (HERE, second.key)
    elsewhere = replace(PLACE, channel="C9")
    assert await store.turn_of_message(elsewhere, "1") == (HERE, second.key)
    assert await store.turn_of_message(replace(PLACE, workspace="T2"), "1") is None
    assert await store.turn_of_message(PLACE, "x") is None
    # It is deleted with its turn.
    await store.mark_delivered(second, 25.0)
    await store.clean_up(Retention(threads=1.0), 1e9 * 4)
    assert await store.receipt(HERE, second.key) is None


async def test_a_receipt_knows_the_request_before_it(store: Store) -> None:
    found: list[Receipt] = []
    for number in range(4):
        if number == 3:
            await store.reset_context(HERE)
        turn = await ask(store, said(str(number), at=float(number)))
        assert await store.reserve(turn, "U1", 0.5, NO_LIMITS, 31.0 + number) is None
        outcome = Outcome(
            *(Ended.DONE, "Yes."),
            replay="Yes.",
            model="m",
            usage=Usage(cache_write_1h=7, cache_read=number),
            missing=number or None,
            applied=APPLIED,
        )
        # The second is not answered.
        failed = Outcome(Ended.FAILED, "", note="No.")
        await store.finish_turn(turn, failed if number == 1 else outcome, 40.0)
        await store.mark_delivered(turn, 41.0)
        found.append((await receipt(store, turn))[0])
    first, failed_one, third, fourth = found
    assert first.before is None
    assert first.request is not None
    assert (first.request.at, first.request.missing) == (31.0, None)
    assert first.request.usage == Usage(cache_write_1h=7)
    assert failed_one.request is None
    assert third.before == first.request
    # It began anew.
    assert fourth.before is None
    assert fourth.request is not None
