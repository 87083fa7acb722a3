"""The contract of stores: rates of writes that several processes share."""

import asyncio

import pytest

from bot.domain.platform import Rate, RateLimitScope, WriteKind
from bot.domain.reply import PostedPart
from bot.domain.retention import DAY, Retention
from bot.domain.shared_rate import Level, RateAsk
from bot.ports.store import Store
from tests.support.store_helpers import following, said, waiting

SLOW = Rate(count=1, seconds=3_600.0, scope=RateLimitScope.CHANNEL, burst=3)
EDIT = RateAsk("slack:T1", WriteKind.EDIT, SLOW, Level.FINAL)
POST = RateAsk("slack:T1:C1", WriteKind.POST, SLOW, Level.FINAL)


async def test_a_write_that_has_to_wait_is_not_stored(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    for text in ("O", "On", "One"):
        [state] = await store.store_part(
            *(turn, PostedPart(0, "p", text), text, 2.0), asks=[EDIT]
        )
        assert state.wait == 0.0
    [refused] = await store.store_part(
        *(turn, PostedPart(0, "p", "One."), "One.", 3.0), asks=[EDIT]
    )
    assert refused.wait == pytest.approx(3_600.0, abs=60.0)
    assert (await following(store)).shown == (PostedPart(0, "p", "One"),)
    # What counts in no shared scope is stored, and nothing is asked.
    assert not await store.store_part(turn, PostedPart(0, "p", "Two"), "Two", 4.0)
    assert (await following(store)).shown == (PostedPart(0, "p", "Two"),)


async def test_of_several_rates_all_are_taken_or_none(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    part = PostedPart(0, "p", "x")
    for _ in range(2):
        await store.store_part(turn, part, "x", 2.0, asks=[EDIT, POST])
    await store.close_rate(POST.scope, POST.kind, SLOW, 60.0)
    states = await store.store_part(turn, part, "x", 2.0, asks=[EDIT, POST])
    # A reply that waits for one is not kept from the other.
    assert [each.wait > 0.0 for each in states] == [False, True]
    # The last of three is there for whoever needs that one alone.
    [state] = await store.store_part(turn, part, "x", 2.0, asks=[EDIT])
    assert state.wait == 0.0


async def test_a_closed_rate_is_closed_until_the_platform_allows_more(
    store: Store,
) -> None:
    turn = await waiting(store, said("m1"))
    await store.close_rate(EDIT.scope, EDIT.kind, SLOW, 30.0)
    [state] = await store.store_part(
        turn, PostedPart(0, "p", "x"), "x", 2.0, asks=[EDIT]
    )
    assert state.closed == pytest.approx(30.0, abs=10.0)
    assert state.wait >= 20.0


async def test_whoever_asks_at_once_gets_no_more_than_there_is(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    asked = await asyncio.gather(
        *(
            store.store_part(
                *(turn, PostedPart(nth, "p", "x"), "x", 2.0), asks=[EDIT, POST]
            )
            for nth in range(12)
        )
    )
    assert [states[0].wait for states in asked].count(0.0) == 3


async def test_rates_are_forgotten_when_they_say_nothing_any_more(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    await store.store_part(turn, PostedPart(0, "p", "x"), "x", 2.0, asks=[EDIT])
    assert (await store.clean_up(Retention(), 1.0))["rates"] == 0
    assert (await store.clean_up(Retention(), 9e9 + DAY))["rates"] == 1


async def test_calls_are_leased_up_to_a_burst_and_then_at_their_rate(
    store: Store,
) -> None:
    first = await store.lease_calls("calls", 5, 600.0, 8)
    second = await store.lease_calls("calls", 5, 600.0, 8)
    third = await store.lease_calls("calls", 5, 600.0, 8)
    assert [each.granted for each in (first, second, third)] == [5, 3, 0]
    assert third.wait == pytest.approx(600.0, abs=60.0)
    assert (await store.lease_calls("others", 1, 600.0, 8)).granted == 1


async def test_what_is_not_stored_takes_from_the_same_rates(store: Store) -> None:
    turn = await waiting(store, said("m1"))
    for _ in range(3):
        [state] = await store.ask_rates([EDIT])
        assert state.wait == 0.0
    [refused] = await store.store_part(
        turn, PostedPart(0, "p", "x"), "x", 2.0, asks=[EDIT]
    )
    assert refused.wait > 0.0
