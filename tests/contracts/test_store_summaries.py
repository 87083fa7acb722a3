"""The contract of stores: summaries of threads."""

from dataclasses import replace

import pytest

from bot.domain.budget import NO_LIMITS
from bot.domain.completion import BYTES_PER_TOKEN, ChatMessage, Compaction, Usage
from bot.domain.mcp import ToolCall
from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AppliedSetting
from bot.domain.summary import ReadTurn, Summary
from bot.domain.thread_state import StoredPrompt
from bot.domain.turn import Turn
from bot.ports.store import Store
from tests.support.deep import share
from tests.support.store_helpers import (
    HERE,
    THERE,
    ask,
    done,
    exchange,
    following,
    repeated,
    said,
)

SUMMARY = Summary(
    *("They met.", "<summary>They met.</summary>", 4, "haiku", 30.0),
    usage=Usage(input=60, output=7),
    cost=0.25,
)
APPLIED = (AppliedSetting("model", "m", ScopeLevel.CHANNEL, "U1"),)
USED = ChatMessage("user", SUMMARY.content)


def lines(*contents: str) -> list[ChatMessage]:
    roles = ("user", "assistant")
    return [ChatMessage(roles[n % 2], each) for n, each in enumerate(contents)]


async def three_turns(store: Store) -> list[Turn]:
    return [
        await exchange(store, said(f"{n}", at=float(n)), f"No. {n}.") for n in (1, 2, 3)
    ]


async def summarise(store: Store, turns: int = 2, of: Summary = SUMMARY) -> bool:
    """Store a summary of the first `turns` of what is read."""
    read = await store.read_turns(HERE)
    return await store.store_summary(HERE, read[:turns], of)


async def test_a_conversation_is_read_turn_by_turn(store: Store) -> None:
    first, *_, last = await three_turns(store)
    read = await store.read_turns(HERE)
    assert read[0] == ReadTurn(first.id, (*lines("TEXT OF 1", "No. 1."),), 2)
    assert read[-1].turn == last.id
    entries = [entry for each in read for entry in each.entries]
    assert entries == await store.conversation(HERE)
    assert await store.read_turns(THERE) == []


async def test_a_summary_is_used_from_the_next_turn_on(store: Store) -> None:
    await three_turns(store)
    before = await store.conversation(HERE)
    fourth = await ask(store, said("4", at=4.0))
    assert await summarise(store)
    # The turn that has begun reads what it read, at each attempt.
    await store.begin_turn(fourth, 40.0)
    stored = await store.store_prompt(fourth, "later", {"4": "OTHERWISE"})
    assert await store.conversation(HERE) == [*before, *lines("TEXT OF 4")]
    assert stored == StoredPrompt(await store.conversation(HERE))
    await store.finish_turn(fourth, done("No. 4."), 41.0)
    await store.mark_delivered(fourth, 42.0)

    fifth = await ask(store, said("5", at=5.0))
    rest = [*before[4:], *lines("TEXT OF 4", "No. 4.", "TEXT OF 5")]
    assert await store.conversation(HERE) == [USED, *rest]
    assert (await following(store)).summarised == 4
    stored = await store.store_prompt(fifth, "", {})
    assert stored == StoredPrompt(await store.conversation(HERE), summarised=4)
    assert await store.summary(HERE) == SUMMARY
    assert await store.summary(HERE, fifth.key) == SUMMARY
    assert await store.summary(HERE, fourth.key) is None
    assert await store.summary(THERE, fifth.key) is None
    await store.finish_turn(fifth, done("No. 5."), 51.0)
    await store.mark_delivered(fifth, 52.0)
    # And so it stays; what is written again uses it, too.
    assert await repeated(store, 60.0)
    assert (await following(store)).summarised == 4
    assert await store.conversation(HERE) == [USED, *rest[:-1], *lines("TEXT OF 5")]


async def test_one_summary_is_stored_at_a_time(store: Store) -> None:
    await three_turns(store)
    read = await store.read_turns(HERE)
    assert not await store.store_summary(HERE, [], SUMMARY)
    assert not await store.store_summary(THERE, read[:1], SUMMARY)
    assert await store.store_summary(HERE, read[:1], SUMMARY)
    assert not await store.store_summary(HERE, read[:1], SUMMARY)
    assert not await store.store_summary(HERE, read[:2], SUMMARY)
    assert await store.read_turns(HERE) == []
    await exchange(store, said("4", at=4.0), "No. 4.")
    assert not await store.store_summary(HERE, read[:1], SUMMARY)


async def test_a_summary_is_made_from_the_former(store: Store) -> None:
    await three_turns(store)
    await summarise(store, 1, replace(SUMMARY, content="first", messages=2))
    await exchange(store, said("4", at=4.0), "No. 4.")
    former, *others = await store.read_turns(HERE)
    assert (former.is_summary, former.messages) == (True, 2)
    assert [each.is_summary for each in others] == [False] * 3
    assert await summarise(store, 3)
    await ask(store, said("5", at=5.0))
    expected = [USED, *lines("TEXT OF 4", "No. 4.", "TEXT OF 5")]
    assert await store.conversation(HERE) == expected
    # What only the second was made from takes only the second away.
    await store.delete_messages("slack", "T1", ["2"], "C1", 60.0)
    [first, *_] = await store.conversation(HERE)
    assert first == ChatMessage("user", "first")


CHANGES = ("deleted", "edited", "answer deleted", "reset", "scope")


#: Each change, of a summary that was used or was not; under `make deep`, of both.
CASES = [
    pytest.param(change, used, id=f"{change}-{used}")
    for number, change in enumerate(CHANGES)
    for used in share((False, True), number, 2)
]


@pytest.mark.parametrize(("change", "used"), CASES)
async def test_a_summary_goes_with_what_it_was_made_from(
    store: Store, change: str, *, used: bool
) -> None:
    first, *_ = await three_turns(store)
    read = await store.read_turns(HERE)
    assert await store.store_summary(HERE, read[:2], SUMMARY)
    if used:
        await exchange(store, said("4", at=4.0), "No. 4.")
    await store.delete_messages("slack", "T1", ["3"], "C1", 59.0)
    assert await store.summary(HERE) == SUMMARY
    match change:
        case "deleted":
            await store.delete_messages("slack", "T1", ["1"], None, 60.0)
        case "edited":
            await store.edit_message(said("1", text="other"), "OTHER", 60.0)
        case "answer deleted":
            part = PostedPart(0, "m1", "No. 1.")
            await store.store_part(first, part, "No. 1.", 59.0)
            await store.delete_messages("slack", "T1", ["m1"], "C1", 60.0)
        case "reset":
            await store.reset_context(HERE)
        case _:
            await store.delete_scope(Scope.of(HERE), 60.0)
    assert await store.summary(HERE) is None
    assert USED not in await store.conversation(HERE)
    # And one that was on its way is not stored.
    assert not await store.store_summary(HERE, read[:2], SUMMARY)


async def test_a_summary_moves_and_ends_with_its_thread(store: Store) -> None:
    await three_turns(store)
    await summarise(store)
    moved = replace(HERE, thread="9.0")
    await store.move_thread(HERE, moved)
    assert await store.summary(moved) == SUMMARY
    await store.clean_up(Retention(threads=1.0), 1e12)
    assert await store.summary(moved) is None
    assert await store.conversation(moved) == []


async def test_the_size_of_a_context_is_that_of_the_last_answer(store: Store) -> None:
    assert (await store.thread_state(HERE, 0)).tokens == 0
    for number, output in ((1, 5), (2, 9)):
        turn = await ask(store, said(f"{number}", at=float(number)))
        usage = Usage(1, 10, 100, 1_000, output)
        await store.finish_turn(turn, replace(done("Yes."), usage=usage), 20.0)
        await store.mark_delivered(turn, 21.0)
    assert (await store.thread_state(HERE, 0)).tokens == 1_120
    await ask(store, said("3", at=3.0))
    assert (await store.thread_state(HERE, 0)).tokens == 1_120
    await store.reset_context(HERE)
    assert (await store.thread_state(HERE, 0)).tokens == 0


async def test_readings_of_tools_do_not_count_as_the_context(store: Store) -> None:
    usages = {1: Usage(100, output=5), 2: Usage(9_000, output=9), 3: Usage(20_000)}
    for number, usage in usages.items():
        turn = await ask(store, said(f"{number}", at=float(number)))
        outcome = replace(done("y" * 500), usage=usage, applied=APPLIED)
        if number == 3:
            outcome = replace(outcome, asked=(ToolCall("Wiki", "read"),))
        if number == 2:
            assert not await store.reserve(turn, "U1", 1.0, NO_LIMITS, 15.0)
            outcome = replace(outcome, usage=replace(usage, searches=1))
        await store.finish_turn(turn, outcome, 20.0)
        await store.mark_delivered(turn, 21.0)
        # What both say since has a token for every two and a half bytes at most.
        read = await store.conversation(HERE)
        since = sum(len(each.content) for each in read[2:])
        assert (await store.thread_state(HERE, 0)).tokens == 105 + int(
            since / BYTES_PER_TOKEN
        )
    assert since > 1_000


async def test_what_the_api_compacted_is_read_by_its_model(store: Store) -> None:
    await three_turns(store)
    made = replace(SUMMARY, block='{"type":"compaction","content":"They met."}')
    assert await summarise(store, of=made)
    fourth = await exchange(store, said("4", at=4.0), "No. 4.")
    first, *_ = await store.conversation(HERE)
    assert first.content == SUMMARY.content
    assert first.compaction == Compaction(SUMMARY.model, made.block)
    assert await store.summary(HERE) == made
    receipt = await store.receipt(HERE, fourth.key)
    assert receipt is not None
    assert receipt.read is not None
    assert (receipt.read.summarised, receipt.read.compacted_by) == (4, SUMMARY.model)
    # A summary of that one is its own again.
    assert await summarise(store, 2, of=replace(SUMMARY, text="Again."))
    await exchange(store, said("5", at=5.0), "No. 5.")
    first, *_ = await store.conversation(HERE)
    assert first.compaction is None
