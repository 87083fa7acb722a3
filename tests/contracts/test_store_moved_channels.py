"""What the store promises when a platform gives a channel another id."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from bot.domain.budget import NO_LIMITS, Charge, Period
from bot.domain.completion import ChatMessage, Usage
from bot.domain.message import Disposition
from bot.domain.names import LastName, NameKind
from bot.domain.reply import PostedPart
from bot.domain.retention import DAY, Retention
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import Change, Draft
from bot.domain.triage_case import TriageCase
from bot.domain.turn import TurnState
from bot.errors import ThreadLost
from bot.ports.store import Store
from bot.text.words import terms
from tests.support.store_helpers import (
    HERE,
    answer,
    ask,
    disposition,
    done,
    exchange,
    following,
    said,
)

OLD = Scope.of(HERE).at(ScopeLevel.CHANNEL)
NEW = replace(OLD, channel="C9")
MOVED = replace(HERE, channel="C9")
OFFICE = OLD.at(ScopeLevel.WORKSPACE)
NOON = 1_795_867_200.0


async def values(store: Store, scope: Scope) -> dict[str, str]:
    stored = await store.stored_settings(scope)
    return {each.name: each.value for each in stored.settings}


async def test_the_threads_of_a_channel_follow_its_id(store: Store) -> None:
    await exchange(store, said("1", at=1.0, opens=True), "One.")
    conversation = await store.conversation(HERE)
    assert await store.move_channel(OLD, "C9", NOON)
    assert await store.conversation(HERE) == []
    assert await store.conversation(MOVED) == conversation
    known = await disposition(store, said("1", thread=MOVED), answer)
    assert known is Disposition.IGNORE
    # Slack may report the same move again.
    assert not await store.move_channel(OLD, "C9", NOON)
    assert await store.conversation(MOVED) == conversation


async def test_an_answer_in_progress_waits_under_the_new_id(store: Store) -> None:
    turn = await ask(store, said("1", opens=True))
    await store.store_part(turn, PostedPart(0, "m", "Th"), "Th", 11.0)
    await store.reserve(turn, "U1", 0.5, NO_LIMITS, NOON)
    await store.move_channel(OLD, "C9", NOON)
    with pytest.raises(ThreadLost):
        await store.store_part(turn, None, "Thi", 12.0)
    with pytest.raises(ThreadLost):
        await store.finish_turn(turn, done("This."), 12.0)
    moved = await store.take_turn(MOVED)
    assert moved is not None
    assert (moved.state, moved.thread) == (TurnState.WAITING, MOVED)
    assert moved.shown == (PostedPart(0, "m", "Th"),)
    assert (await store.balance(NEW, Period.MONTH, NOON)).reserved == 0.5
    await store.begin_turn(moved, 13.0)
    await store.finish_turn(moved, done("This."), 14.0)
    assert (await store.conversation(MOVED))[-1] == ChatMessage("assistant", "This.")


async def test_an_answer_under_the_new_id_is_left_to_its_process(store: Store) -> None:
    await exchange(store, said("1", at=1.0, opens=True), "One.")
    there = replace(MOVED, thread="begun there")
    await store.receive(said("2", at=2.0, thread=there, opens=True), answer)
    turn = await following(store, there)
    await store.begin_turn(turn, 3.0)
    await store.move_channel(OLD, "C9", NOON)
    assert (await following(store, there)).state is TurnState.ANSWERING
    await store.store_part(turn, PostedPart(0, "m", "Th"), "Th", 4.0)


async def test_a_thread_that_began_under_the_new_id_continues_the_old_one(
    store: Store,
) -> None:
    await exchange(store, said("1", at=1.0, opens=True), "One.")
    await store.receive(said("2", at=2.0), answer)
    # The next message came before the event, with what was read back.
    quoted = said("1", at=1.0, thread=MOVED, opens=True)
    await store.receive(said("3", at=3.0, thread=MOVED, quotes=(quoted,)), answer)
    await store.move_channel(OLD, "C9", NOON)
    assert [text for _, text in await store.transcript(MOVED)] == [
        *("text of 1", "One.", "text of 2", "text of 3")
    ]
    first = await following(store, MOVED)
    assert [m.message.message for m in await store.begin_turn(first, 9.0)] == ["2"]
    await store.finish_turn(first, done("Two."), 10.0)
    await store.mark_delivered(first, 10.0)
    second = await following(store, MOVED)
    assert [m.message.message for m in await store.begin_turn(second, 11.0)] == ["3"]
    assert await store.open_threads() == [MOVED]


async def test_settings_and_their_versions_follow(store: Store) -> None:
    in_thread = Scope.of(HERE)
    await store.change_settings(
        [
            Change(OLD, "prompt", "Be old.", versioned=True),
            Change(OLD, "model", "sonnet"),
            Change(OLD, "triage", "on"),
            Change(in_thread, "effort", "low"),
            Change(OFFICE, "triage_announce", "channel:C1"),
        ],
        who="U1",
        now=1.0,
    )
    await store.change_settings([Change(NEW, "model", "opus")], who="U2", now=2.0)
    draft = await store.save_draft(Draft(0, OLD, "prompt", "Be new.", "U1", 3.0))
    await store.move_channel(OLD, "C9", NOON)
    found = await values(store, Scope.of(MOVED))
    (prompt,) = await store.versions(NEW, "prompt")
    assert found == {
        "prompt": str(prompt.id),
        "model": "opus",
        "triage": "on",
        "effort": "low",
        "triage_announce": "channel:C9",
    }
    assert await store.list_settings(OLD) == []
    assert len(await store.audit(NEW, 0.0, 10)) == 5
    kept = await store.draft(draft)
    assert kept is not None
    assert kept.place == NEW


async def test_budgets_count_what_was_spent_under_both_ids(store: Store) -> None:
    async def spend(place: Scope, cost: float) -> None:
        charge = Charge(place, "U1", "ask", "sonnet", most=cost)
        opened = await store.open_charge(charge, NO_LIMITS, NOON)
        assert isinstance(opened, int)
        await store.close_charge(opened, Usage(input=1), cost, NOON)

    await spend(OLD, 1.0)
    await spend(NEW, 0.25)
    running = await store.open_charge(
        Charge(OLD, "U1", "ask", "sonnet", most=0.5), NO_LIMITS, NOON
    )
    assert isinstance(running, int)
    await store.move_channel(OLD, "C9", NOON)
    for place, spent in ((NEW, 1.25), (OLD, 0.0), (OFFICE, 1.25)):
        balance = await store.balance(place, Period.MONTH, NOON)
        assert balance.spent == spent
        assert balance.reserved == (0.5 if spent else 0.0)
    # A call that was under way is booked where its channel is now.
    await store.close_charge(running, Usage(input=1), 0.5, NOON)
    assert (await store.balance(NEW, Period.DAY, NOON)).spent == 1.75
    assert (await store.balance(NEW, Period.DAY, NOON)).reserved == 0.0


async def test_a_deleted_message_stays_deleted_under_the_new_id(store: Store) -> None:
    await store.delete_messages("slack", "T1", ["1"], "C1", 1.0)
    await store.move_channel(OLD, "C9", NOON)
    again = await disposition(store, said("1", thread=MOVED), answer)
    assert again is Disposition.IGNORE


async def test_triage_cases_follow_and_one_message_has_one_case(store: Store) -> None:
    def case(message: str, place: Scope) -> TriageCase:
        return TriageCase(0, place, message, 1.0, "U1", "It broke", auto=True)

    first = await store.open_case(case("1", OLD))
    await store.open_case(case("2", OLD))
    again = await store.open_case(case("2", NEW))
    await store.move_channel(OLD, "C9", NOON)
    waiting = await store.waiting_cases({"slack"}, 10)
    assert sorted(waiting) == [(first.id, NEW), (again.id, NEW)]


@pytest.mark.parametrize("is_known", [False, True])
async def test_messages_are_found_under_the_new_id(
    store: Store, is_known: bool
) -> None:
    await store.receive(said("1", text="a violet parrot"), answer)
    if is_known:
        other = replace(MOVED, thread="5.0")
        await store.receive(said("5", thread=other, text="a violet hat"), answer)
    await store.move_channel(OLD, "C9", NOON)
    wanted = terms("violet parrot")
    (hit,) = (await store.search([NEW], wanted, most=10)).found
    assert (hit.thread, hit.message) == (MOVED, "1")
    assert not (await store.search([OLD], wanted, most=10)).found


async def test_names_and_notices_follow(store: Store) -> None:
    def channel(id: str) -> Sequence[LastName]:
        return [LastName("slack", "T1", NameKind.CHANNEL, id, "#billing")]

    await store.store_names(channel("C1"), 1.0)
    assert await store.claim_notice(OLD, "hint", "t1", 1.0)
    await store.move_channel(OLD, "C9", NOON)
    assert await store.names() == channel("C9")
    assert not await store.claim_notice(NEW, "hint", "t2", 2.0)


async def test_only_that_channel_of_that_platform_moves(store: Store) -> None:
    others = [
        replace(HERE, channel="C2"),
        replace(HERE, platform="discord"),
    ]
    for key in others:
        await store.receive(said("1", thread=key), answer)
    # A channel is shared by workspaces, and has one id in all of them.
    shared = ThreadKey("slack", "T2", "C1", "1.0")
    await store.receive(said("1", thread=shared), answer)
    assert await store.move_channel(OLD, "C9", NOON)
    assert set(await store.open_threads()) == {*others, replace(shared, channel="C9")}
    for bad in ("", "C2"):
        assert not await store.move_channel(replace(OLD, channel=bad), "C2", NOON)


async def test_the_old_ids_of_a_channel_are_known_for_a_week(store: Store) -> None:
    await store.move_channel(OLD, "C9", NOON)
    verdict = await store.receive(said("1", opens=True), answer)
    assert (verdict.disposition, verdict.moved_to) == (Disposition.IGNORE, "C9")
    edited = await store.readdress(said("1", opens=True), answer)
    assert edited.moved_to == "C9"
    assert await store.next_turn(HERE) is None
    # The channel gets a third id, and then its first one again.
    await store.move_channel(NEW, "C10", NOON)
    assert await store.current_channel(OLD) == "C10"
    assert await store.current_channel(NEW) == "C10"
    await store.move_channel(replace(OLD, channel="C10"), OLD.channel, NOON)
    assert await store.current_channel(OLD) == OLD.channel
    assert await store.current_channel(NEW) == OLD.channel
    assert (await store.receive(said("1", opens=True), answer)).moved_to == ""
    other = replace(NEW, platform="discord")
    assert await store.current_channel(other) == NEW.channel
    deleted = await store.clean_up(Retention(), NOON + 6 * DAY)
    assert deleted["moves"] == 0
    deleted = await store.clean_up(Retention(), NOON + 8 * DAY)
    assert deleted["moves"] == 2
    assert await store.current_channel(NEW) == NEW.channel
