"""The contract of stores: counts and lists for the operator."""

import pytest

from bot.domain.budget import NO_LIMITS, Charge
from bot.domain.completion import Usage
from bot.domain.reports import CallSum
from bot.domain.scope import EVERYWHERE, Scope, ThreadKey
from bot.domain.setting import AuditEntry
from bot.domain.turn import Ended, Outcome
from bot.domain.vitals import Ages
from bot.ports.store import Store
from tests.support.store_helpers import HERE, THERE, ask, exchange, said, waiting

ELSEWHERE = ThreadKey("discord", "42", "7", "8")


async def test_open_turns_are_counted_by_platform_and_state(store: Store) -> None:
    assert await store.open_turns() == []
    await waiting(store, said("m1", at=5.0))
    await waiting(store, said("m2", at=3.0, thread=THERE))
    await ask(store, said("m3", at=9.0, thread=ELSEWHERE))
    assert await store.open_turns() == [
        Ages("discord", "answering", 1, 9.0),
        Ages("slack", "waiting", 2, 3.0),
    ]


async def test_calls_are_summed_by_kind_and_model_within_a_time(store: Store) -> None:
    place = Scope("slack", "T1", "C1")
    for at, cost in ((10.0, 0.5), (20.0, 0.25), (30.0, 0.25)):
        charge = await store.open_charge(
            Charge(place, "U1", "triage", "m", 1.0), NO_LIMITS, at
        )
        assert isinstance(charge, int)
        await store.close_charge(charge, Usage(output=5), cost, at)
    assert await store.call_sums(10.0, 30.0) == [
        CallSum("triage", "m", 2, Usage(output=10), 0.75)
    ]
    assert await store.call_sums(31.0, float("inf")) == []


async def test_answers_are_told_by_their_end_their_time_and_their_rating(
    store: Store,
) -> None:
    first = await exchange(store, said("m1"), "One.")
    await store.record_feedback(HERE, first.key, good=False)
    second = await ask(store, said("m2", thread=THERE))
    refused = Outcome(Ended.REFUSED, "", reason="refusal", model="m", cost=0.1)
    await store.finish_turn(second, refused, 4e9)
    found = await store.quality(0.0, most=5)
    assert found.ended == {Ended.DONE: 1, Ended.REFUSED: 1}
    assert (found.good, found.bad) == (0, 1)
    [slowest] = found.slowest
    assert (slowest.turn, slowest.good, slowest.thread) == (first.key, False, HERE)
    assert found.disliked == (slowest,)
    [unfinished] = found.unfinished
    assert (unfinished.turn, unfinished.reason) == (second.key, "refusal")
    assert len(found.seconds) == 3
    assert found.seconds[0] <= found.seconds[2]
    assert [each.turn for each in await store.answers_of(THERE)] == [second.key]
    assert (await store.quality(5e9, most=5)).ended == {}
    assert len((await store.quality(0.0, most=0)).slowest) == 0


async def test_threads_of_all_places_are_listed_the_newest_first(store: Store) -> None:
    await exchange(store, said("m1", text="The  first\nquestion"), "One.")
    await exchange(store, said("m2", thread=THERE), "Two.")
    await exchange(store, said("m3", thread=ELSEWHERE), "Three.")
    found = await store.all_threads(EVERYWHERE, 10)
    assert [each.thread for each in found] == [ELSEWHERE, THERE, HERE]
    assert (found[2].title, found[2].turns) == ("The first question", 1)
    # Whether others may read them, the store does not know.
    assert all(each.is_private for each in found)
    assert await store.all_threads(EVERYWHERE, 1, before=found[0].id) == [found[1]]
    assert await store.all_threads(Scope("slack", "T1"), 10) == found[1:]
    assert await store.thread_report(THERE) == found[1]
    assert await store.thread_report(ThreadKey("slack", "T1", "C1", "9")) is None
    assert await store.workspaces() == [Scope("discord", "42"), Scope("slack", "T1")]


@pytest.mark.parametrize(("later", "count"), [(0.0, 1), (3_599.0, 1), (3_601.0, 2)])
async def test_the_same_look_within_an_hour_counts_once(
    store: Store, later: float, count: int
) -> None:
    place = Scope.of(HERE)
    for at in (1_000.0, 1_000.0 + later):
        entry = AuditEntry(0, at, place, "token:ops", "read", "thread")
        await store.record_look(entry)
    found = await store.audit(place, 0.0, 10)
    assert [each.who for each in found] == ["token:ops"] * count
    await store.record_look(AuditEntry(0, 1_000.0, place, "token:me", "read", "thread"))
    assert len(await store.audit(place, 0.0, 10)) == count + 1


async def test_whether_it_can_be_written_to_changes_nothing(store: Store) -> None:
    await exchange(store, said("m1"), "One.")
    before = await store.all_threads(EVERYWHERE, 10)
    await store.require_writable()
    assert await store.all_threads(EVERYWHERE, 10) == before
