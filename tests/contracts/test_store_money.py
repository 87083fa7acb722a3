"""The contract of stores: charges and reservations keep within every budget, to the
cent."""

import asyncio

import pytest

from bot.domain.budget import (
    Alert,
    Balance,
    Budget,
    BudgetExceeded,
    BudgetLimits,
    Charge,
    PastCall,
    Period,
    PersonLimit,
)
from bot.domain.completion import Usage
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.turn import Ended, Outcome, Turn
from bot.ports.store import Store
from tests.support.store_helpers import HERE, ask, done, said

THREAD = Scope.of(HERE)
CHANNEL, WORKSPACE = THREAD.at(ScopeLevel.CHANNEL), THREAD.at(ScopeLevel.WORKSPACE)

#: 26 November 2026, noon; and the midnight after it.
NOON = 1_795_694_400.0
MIDNIGHT = NOON + 12 * 3600.0

USED = Usage(input=10, output=5, searches=1, fetches=2)


def a_day(usd: float, place: Scope = CHANNEL) -> Budget:
    return Budget(place, Period.DAY, usd)


def caps(*budgets: Budget, people: tuple[PersonLimit, ...] = ()) -> BudgetLimits:
    return BudgetLimits(budgets, people)


async def turn_in(store: Store, number: int, channel: str = "C1") -> Turn:
    thread = ThreadKey("slack", "T1", channel, f"{number}.0")
    return await ask(store, said(f"m{channel}{number}", thread=thread))


def paid(cost: float | None, model: str = "m") -> Outcome:
    return Outcome(Ended.DONE, text="Yes.", model=model, usage=USED, cost=cost)


async def left(store: Store, place: Scope = CHANNEL, now: float = NOON) -> Balance:
    return await store.balance(place, Period.DAY, now)


async def test_what_is_set_aside_is_given_back_for_what_was_spent(store: Store) -> None:
    turn = await turn_in(store, 1)
    assert await left(store) == Balance()
    assert await store.reserve(turn, "U1", 0.5, caps(a_day(1.0)), NOON) is None
    for place in (CHANNEL, WORKSPACE):
        assert await left(store, place) == Balance(0.0, 0.5)
    await store.finish_turn(turn, paid(0.2), NOON + 1)
    for place in (CHANNEL, WORKSPACE):
        assert await left(store, place) == Balance(0.2, 0.0)
        assert await store.balance(place, Period.MONTH, NOON) == Balance(0.2, 0.0)
    [row] = await store.spending(0.0)
    assert (row.person, row.kind, row.usage, row.cost) == ("U1", "answer", USED, 0.2)


async def test_what_does_not_fit_is_not_set_aside(store: Store) -> None:
    first, second = await turn_in(store, 1), await turn_in(store, 2)
    cap = a_day(1.0)
    await store.reserve(first, "U1", 0.75, caps(cap), NOON)
    short = await store.reserve(second, "U1", 0.5, caps(cap), NOON)
    assert short == BudgetExceeded(budget=cap, spent=0.0, reserved=0.75)
    assert await left(store) == Balance(0.0, 0.75)
    await store.finish_turn(first, paid(0.25), NOON)
    assert await store.reserve(second, "U1", 0.5, caps(cap), NOON) is None
    third = await turn_in(store, 3)
    short = await store.reserve(third, "U1", 0.5, caps(cap), NOON)
    assert short == BudgetExceeded(budget=cap, spent=0.25, reserved=0.5)


async def test_many_at_once_do_not_overshoot(store: Store) -> None:
    turns = [await turn_in(store, number) for number in range(12)]
    results = await asyncio.gather(
        *(store.reserve(turn, "U1", 0.1, caps(a_day(1.0)), NOON) for turn in turns)
    )
    assert results.count(None) == 10
    balance = await left(store)
    assert balance.reserved == pytest.approx(1.0)


async def test_every_level_is_kept_to(store: Store) -> None:
    here, there = await turn_in(store, 1), await turn_in(store, 1, "C2")
    wide, narrow = a_day(1.0, WORKSPACE), a_day(0.5)
    short = await store.reserve(here, "U1", 0.6, caps(narrow, wide), NOON)
    assert short is not None
    assert short.budget == narrow
    assert await store.reserve(there, "U1", 0.6, caps(wide), NOON) is None
    short = await store.reserve(here, "U1", 0.45, caps(narrow, wide), NOON)
    assert short is not None
    assert short.budget == wide


async def test_a_new_day_begins_with_nothing_spent_and_the_month_goes_on(
    store: Store,
) -> None:
    turn = await turn_in(store, 1)
    await store.reserve(turn, "U1", 1.0, caps(a_day(1.0)), MIDNIGHT - 1)
    # What was set aside before midnight is booked there.
    await store.finish_turn(turn, paid(0.75), MIDNIGHT + 1)
    assert await left(store, now=MIDNIGHT - 1) == Balance(0.75, 0.0)
    assert await left(store, now=MIDNIGHT + 1) == Balance()
    month = await store.balance(CHANNEL, Period.MONTH, MIDNIGHT + 1)
    assert month == Balance(0.75, 0.0)
    another = await turn_in(store, 2)
    both = caps(a_day(1.0), Budget(CHANNEL, Period.MONTH, 1.0))
    short = await store.reserve(another, "U1", 0.5, both, MIDNIGHT + 1)
    assert short is not None
    assert short.budget is not None
    assert short.budget.period is Period.MONTH


async def test_an_attempt_that_was_cut_off_counts_as_spent(store: Store) -> None:
    turn = await turn_in(store, 1)
    limits = caps(a_day(1.0), people=(PersonLimit(CHANNEL, messages=1),))
    assert await store.reserve(turn, "U1", 0.25, limits, NOON) is None
    await store.release_turn(turn)
    # Taken up again, it is the same question still.
    assert await store.reserve(turn, "U1", 0.5, limits, NOON + 60) is None
    assert await left(store) == Balance(0.25, 0.5)
    await store.finish_turn(turn, paid(0.125), NOON + 61)
    assert await left(store) == Balance(0.375, 0.0)


async def test_what_nobody_knows_the_cost_of_is_booked_as_it_was_set_aside(
    store: Store,
) -> None:
    turn = await turn_in(store, 1)
    await store.reserve(turn, "U1", 0.5, caps(), NOON)
    await store.finish_turn(turn, paid(None), NOON)
    assert await left(store) == Balance(0.5, 0.0)
    [row] = await store.spending(0.0)
    assert (row.cost, row.unpriced, row.bounded) == (0.5, 0, 1)


async def test_where_nothing_was_set_aside_either_the_price_is_not_known(
    store: Store,
) -> None:
    turn = await turn_in(store, 1)
    await store.reserve(turn, "U1", 0.0, caps(), NOON)
    await store.finish_turn(turn, paid(None), NOON)
    [row] = await store.spending(0.0)
    assert (row.cost, row.unpriced, row.bounded) == (0.0, 1, 0)


async def test_what_was_not_set_aside_is_booked_all_the_same(store: Store) -> None:
    turn = await turn_in(store, 1)
    await store.finish_turn(turn, paid(0.25), NOON)
    assert await left(store) == Balance(0.25, 0.0)
    await store.finish_turn(turn, paid(0.25), NOON)
    assert await left(store) == Balance(0.25, 0.0)


async def test_a_turn_that_asked_nobody_costs_nothing(store: Store) -> None:
    turn = await turn_in(store, 1)
    await store.finish_turn(turn, done("No."), NOON)
    assert await store.spending(0.0) == []
    assert await left(store) == Balance()


async def test_a_person_may_ask_so_often_within_an_hour(store: Store) -> None:
    cap = PersonLimit(CHANNEL, messages=2)
    for number in (1, 2):
        turn = await turn_in(store, number)
        assert await _asked(store, turn, "U1", cap, NOON + number) is None
    third = await turn_in(store, 3)
    short = await _asked(store, third, "U1", cap, NOON + 60)
    assert short is not None
    assert (short.person, short.until) == (cap, NOON + 1 + 3600)
    assert await _asked(store, third, "U2", cap, NOON + 60) is None
    fourth, fifth = await turn_in(store, 4), await turn_in(store, 5, "C2")
    elsewhere = PersonLimit(Scope("slack", "T1", "C2"), messages=2)
    assert await _asked(store, fifth, "U1", elsewhere, NOON + 60) is None
    assert await _asked(store, fourth, "U1", cap, NOON + 3602) is None


async def _asked(
    store: Store, turn: Turn, person: str, cap: PersonLimit, now: float
) -> BudgetExceeded | None:
    return await store.reserve(turn, person, 0.1, caps(people=(cap,)), now)


async def test_a_person_may_spend_so_much_within_an_hour(store: Store) -> None:
    cap = PersonLimit(WORKSPACE, usd=1.0)
    first = await turn_in(store, 1)
    await store.reserve(first, "U1", 0.8, caps(people=(cap,)), NOON)
    second = await turn_in(store, 2)
    short = await store.reserve(second, "U1", 0.3, caps(people=(cap,)), NOON)
    assert short is not None
    assert (short.person, short.spent) == (cap, 0.8)
    await store.finish_turn(first, paid(0.5), NOON)
    limits = caps(people=(cap,))
    assert await store.reserve(second, "U1", 0.3, limits, NOON) is None


async def test_other_calls_count_on_the_same_budgets(store: Store) -> None:
    cap = a_day(1.0)
    charge = Charge(CHANNEL, "U1", "try", "m", 0.75)
    opened = await store.open_charge(charge, caps(cap), NOON)
    assert isinstance(opened, int)
    assert await left(store) == Balance(0.0, 0.75)
    short = await store.open_charge(charge, caps(cap), NOON)
    assert short == BudgetExceeded(budget=cap, spent=0.0, reserved=0.75)
    await store.close_charge(opened, USED, 0.25, NOON + 5)
    await store.close_charge(opened, USED, 0.25, NOON + 6)
    assert await left(store) == Balance(0.25, 0.0)
    [row] = await store.spending(0.0)
    assert (row.kind, row.model, row.turns, row.cost) == ("try", "m", 1, 0.25)


async def test_routing_is_no_question_of_a_persons(store: Store) -> None:
    limits = caps(people=(PersonLimit(CHANNEL, messages=1),))
    charge = Charge(THREAD, "U1", "routing", "m", 0.1)
    opened = await store.open_charge(charge, limits, NOON)
    assert isinstance(opened, int)
    turn = await turn_in(store, 1)
    assert await store.reserve(turn, "U1", 0.1, limits, NOON) is None


async def test_an_alert_comes_once_and_again_for_a_larger_budget(store: Store) -> None:
    one, two = a_day(1.0), a_day(2.0)
    told = []
    for number, (cost, cap) in enumerate(
        [(0.5, one), (0.3, one), (0.1, one), (0.06, one), (0.04, one), (0.6, two)]
    ):
        turn = await turn_in(store, number)
        await store.reserve(turn, "U1", 0.0, caps(), NOON)
        told += await store.finish_turn(turn, paid(cost), NOON, caps(cap))
    assert [(alert.budget, alert.share) for alert in told] == [
        (one, 0.75),
        (one, 0.95),
        (two, 0.75),
    ]
    assert isinstance(told[0], Alert)
    assert told[0].spent == pytest.approx(0.8)


async def test_a_budget_passed_in_one_go_is_told_of_once(store: Store) -> None:
    turn = await turn_in(store, 1)
    await store.reserve(turn, "U1", 1.0, caps(), NOON)
    [alert] = await store.finish_turn(turn, paid(0.99), NOON, caps(a_day(1.0)))
    assert alert.share == 0.95


async def test_spending_is_asked_for_by_place_and_person(store: Store) -> None:
    for number, (person, channel) in enumerate(
        [("U1", "C1"), ("U2", "C1"), ("U1", "C2")]
    ):
        turn = await turn_in(store, number, channel)
        await store.reserve(turn, person, 0.5, caps(), NOON)
        await store.finish_turn(turn, paid(0.25), NOON)
    assert len(await store.spending(0.0, WORKSPACE)) == 3
    assert len(await store.spending(0.0, CHANNEL)) == 2
    assert len(await store.spending(0.0, WORKSPACE, "U1")) == 2
    assert len(await store.spending(0.0, CHANNEL, "U1")) == 1
    assert await store.spending(0.0, Scope("slack", "T2")) == []
    assert await store.spending(NOON + 1, WORKSPACE) == []


async def test_past_calls_are_the_latest_of_exactly_known_cost(store: Store) -> None:
    for number, cost in ((1, 0.1), (2, 0.2), (3, None), (4, 0.4)):
        turn = await turn_in(store, number, "C2" if number == 4 else "C1")
        await store.reserve(turn, "U1", 1.0, caps(), NOON)
        await store.finish_turn(turn, paid(cost), NOON + number)
    charge = await store.open_charge(Charge(CHANNEL, "U1", "try", "m"), caps(), NOON)
    assert isinstance(charge, int)
    await store.close_charge(charge, USED, 0.5, NOON + 9)
    kinds = ("answer",)
    found = await store.past_calls(kinds, NOON, CHANNEL, 10)
    assert found == [PastCall("m", USED, 0.2), PastCall("m", USED, 0.1)]
    assert await store.past_calls(kinds, NOON, CHANNEL, 1) == found[:1]
    assert await store.past_calls(kinds, NOON + 2, CHANNEL, 10) == found[:1]
    assert len(await store.past_calls(kinds, NOON, WORKSPACE, 10)) == 3
    tried = await store.past_calls(("try", "triage"), NOON, CHANNEL, 10)
    assert [each.cost for each in tried] == [0.5]


async def test_people_say_how_good_an_answer_was(store: Store) -> None:
    turn = await ask(store, said("1"))
    assert not await store.record_feedback(HERE, turn.key, True)
    await store.finish_turn(turn, paid(0.1), NOON)
    assert await store.record_feedback(HERE, turn.key, True)
    assert await store.record_feedback(HERE, turn.key, False)
    assert not await store.record_feedback(HERE, "forged", True)
    elsewhere = ThreadKey("slack", "T1", "C1", "2.0")
    assert not await store.record_feedback(elsewhere, turn.key, True)


async def test_tries_are_questions_of_a_persons(store: Store) -> None:
    limits = caps(people=(PersonLimit(CHANNEL, messages=2),))
    charge = Charge(CHANNEL, "U1", "try", "m", 0.1)
    for second in (1, 2):
        assert isinstance(await store.open_charge(charge, limits, NOON + second), int)
    short = await store.open_charge(charge, limits, NOON + 60)
    assert isinstance(short, BudgetExceeded)
    assert short.until == NOON + 1 + 3600


async def test_tries_cost_a_person_what_they_may_spend(store: Store) -> None:
    limits = caps(people=(PersonLimit(CHANNEL, usd=0.25),))
    charge = Charge(CHANNEL, "U1", "try", "m", 0.1)
    opened = [await store.open_charge(charge, limits, NOON + n) for n in range(3)]
    assert [isinstance(each, BudgetExceeded) for each in opened] == [False, False, True]


async def test_a_person_waits_for_questions_and_not_for_routing(store: Store) -> None:
    limits = caps(people=(PersonLimit(CHANNEL, messages=1),))
    routing = Charge(THREAD, "U1", "routing", "m", 0.1)
    await store.open_charge(routing, limits, NOON)
    await store.reserve(await turn_in(store, 1), "U1", 0.1, limits, NOON + 60)
    short = await store.reserve(await turn_in(store, 2), "U1", 0.1, limits, NOON + 120)
    assert short is not None
    assert short.until == NOON + 60 + 3600


async def test_what_a_turn_holds_does_not_stop_its_own_routing(store: Store) -> None:
    limits = caps(people=(PersonLimit(CHANNEL, messages=1),))
    turn = await turn_in(store, 1)
    await store.reserve(turn, "U1", 0.1, limits, NOON)
    own = Charge(THREAD, "U1", "routing", "m", 0.1, turn=turn.key)
    assert isinstance(await store.open_charge(own, limits, NOON + 1), int)
    other = Charge(THREAD, "U1", "routing", "m", 0.1)
    assert isinstance(await store.open_charge(other, limits, NOON + 1), BudgetExceeded)


async def test_usage_and_a_persons_limit_know_every_attempt(store: Store) -> None:
    turn = await turn_in(store, 1)
    limits = caps(people=(PersonLimit(CHANNEL, usd=1.0),))
    await store.reserve(turn, "U1", 0.4, limits, NOON)
    await store.release_turn(turn)
    await store.reserve(turn, "U1", 0.4, limits, NOON + 60)
    await store.finish_turn(turn, paid(0.1), NOON + 61)
    rows = await store.spending(0.0)
    assert {row.kind: row.cost for row in rows} == {"attempt": 0.4, "answer": 0.1}
    assert (await left(store)).spent == pytest.approx(0.5)
    second = await turn_in(store, 2)
    short = await store.reserve(second, "U1", 0.6, limits, NOON + 62)
    assert short is not None
    assert short.spent == pytest.approx(0.5)
    # It waits for the attempt to be an hour old, which is enough.
    assert short.until == NOON + 3600


async def test_money_moves_with_its_thread(store: Store) -> None:
    turn = await turn_in(store, 1)
    there = ThreadKey("slack", "T1", "C2", "1.0")
    moved = Scope("slack", "T1", "C2")
    await store.reserve(turn, "U1", 0.5, caps(), NOON)
    await store.move_thread(turn.thread, there)
    assert await left(store) == Balance()
    assert await left(store, moved) == Balance(0.0, 0.5)
    await store.finish_turn(turn, paid(0.25), NOON)
    assert await left(store, moved) == Balance(0.25, 0.0)
    assert await left(store, WORKSPACE) == Balance(0.25, 0.0)
    back = ThreadKey("slack", "T1", "C1", "9.0")
    await store.move_thread(there, back)
    assert await left(store) == Balance(0.25, 0.0)
    assert await left(store, moved) == Balance()
