"""The store's promises where several processes write to one PostgreSQL database at
once."""

import asyncio
import itertools
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import closing
from dataclasses import replace
from functools import cache
from typing import Any

import pytest

from bot.domain.attachment import Attachment, FileContent, FileKind
from bot.domain.budget import Budget, BudgetLimits, Charge, Period
from bot.domain.completion import Usage
from bot.domain.message import Disposition
from bot.domain.names import LastName, NameKind
from bot.domain.reply import PostedPart
from bot.domain.retention import KEPT
from bot.domain.scope import EVERYWHERE, Scope, ScopeLevel, ThreadKey
from bot.domain.server_address import ServerAddress
from bot.domain.setting import AuditEntry, Change, Draft, EditConflict
from bot.domain.summary import Summary
from bot.domain.triage_case import TriageCase
from bot.domain.turn import Turn
from bot.errors import ThreadLost
from storage.engine import schema as engine_schema
from storage.postgres import schema
from storage.postgres.connection import Connection
from storage.postgres.opening import open_pool
from storage.postgres.pool import Pool
from storage.store import DatabaseStore
from tests.support import postgres, shared_database
from tests.support.deep import rounds
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

pytestmark = pytest.mark.together("postgres")

#: How many processes there are.
STORES = 3
ROUNDS = rounds(3, 150)

NOON = 1_795_867_200.0
OFFICE = Scope.of(HERE).at(ScopeLevel.WORKSPACE)
PDF = FileContent(FileKind.PDF, "application/pdf", b"%PDF", 10, 1, 1)

Stores = Sequence[DatabaseStore]


@cache
def pools() -> list[Pool]:
    """Return the connections of several processes to the database that tests share."""
    return [shared_database.pool_for_all_tests() for _ in range(STORES)]


@pytest.fixture
async def stores() -> Stores:
    """The stores of several processes on one database, which is empty."""
    owners = [f"process {number}" for number in range(STORES)]
    await shared_database.begin_anew(*owners)
    return [
        DatabaseStore(
            *(pool.read, pool.write, pool.report), clock=time.time, owner=owner
        )
        for pool, owner in zip(pools(), owners, strict=True)
    ]


async def at_once(calls: Sequence[Awaitable[Any]]) -> list[Any]:
    """Await all of `calls` at the same time; return their results."""
    return list(await asyncio.gather(*calls))


def twice(stores: Stores) -> list[DatabaseStore]:
    """Return each of `stores` twice."""
    return [*stores, *stores]


def places(count: int) -> list[ThreadKey]:
    return [ThreadKey("slack", "T1", "C1", f"{number}.5") for number in range(count)]


def found(results: Sequence[Any], kind: type) -> list[Any]:
    return [each for each in results if isinstance(each, kind)]


# What is said


async def test_a_message_that_arrives_several_times_is_stored_once(
    stores: Stores,
) -> None:
    for key in places(ROUNDS):
        message = said("1", thread=key)
        verdicts = await at_once([s.receive(message, answer) for s in twice(stores)])
        told = [each.disposition for each in verdicts]
        assert told.count(Disposition.ANSWER) == 1
        assert told.count(Disposition.IGNORE) == len(told) - 1
        turn = await stores[0].next_turn(key)
        assert turn is not None
        assert len(await stores[1].begin_turn(turn, 10.0)) == 1


async def test_a_thread_that_begins_with_many_messages_is_one(stores: Stores) -> None:
    for key in places(ROUNDS):
        many = [said(f"m{n}", float(n), thread=key) for n in range(2 * STORES)]
        await at_once(
            [
                store.receive(message, answer)
                for store, message in zip(twice(stores), many, strict=True)
            ]
        )
        turn = await stores[0].next_turn(key)
        assert turn is not None
        read = await stores[0].begin_turn(turn, 10.0)
        assert [each.message.message for each in read] == [m.message for m in many]


async def test_a_deletion_holds_though_the_message_arrives_with_it(
    stores: Stores,
) -> None:
    for number, key in enumerate(places(2 * ROUNDS)):
        message = said(f"d{number}", thread=key)
        one, other, *_ = stores
        await at_once(
            [
                one.receive(message, answer),
                other.delete_messages("slack", "T1", [message.message], "C1", 2.0),
            ]
        )
        turn = await one.next_turn(key)
        assert turn is None or await one.begin_turn(turn, 10.0) == []


async def test_a_deleted_answer_is_gone_though_it_was_just_delivered(
    stores: Stores,
) -> None:
    one, other, *_ = stores
    for number, key in enumerate(places(ROUNDS)):
        turn = await ask(one, said("1", thread=key))
        posted = f"p{number}"
        part = PostedPart(0, posted, "Secret.")
        await one.store_part(turn, part, "Secret.", 11.0)
        await one.finish_turn(turn, done("Secret."), 20.0)
        await at_once(
            [
                one.mark_delivered(turn, 21.0),
                other.delete_messages("slack", "T1", [posted], "C1", 22.0),
            ]
        )
        assert "Secret." not in str(await one.conversation(key))
        assert "Secret." not in str(await one.transcript(key))


async def test_an_edit_is_read_though_the_prompt_is_stored_with_it(
    stores: Stores,
) -> None:
    one, other, *_ = stores
    for key in places(ROUNDS):
        message = said("1", thread=key)
        turn = await waiting(one, message)
        await one.begin_turn(turn, 10.0)
        edited = replace(message, text="new")
        await at_once(
            [
                one.store_prompt(turn, "", {"1": "OLD"}),
                other.edit_message(edited, "NEW", 11.0),
            ]
        )
        assert "OLD" not in str(await one.conversation(key))


async def test_a_file_that_two_threads_have_stays_while_one_has_it(
    stores: Stores,
) -> None:
    one, other, *_ = stores
    for number, (here, there) in enumerate(itertools.pairwise(places(ROUNDS + 1))):
        file = Attachment("a.pdf", id=f"F{number}", size=4)
        first = said(f"a{number}", thread=here, files=(file,))
        second = said(f"b{number}", thread=there, files=(file,))
        for each in (first, second):
            await one.receive(each, answer)
        of = (file, f"digest{number}", 4, PDF)
        await one.store_file(here, first.message, *of)
        await at_once(
            [
                other.delete_messages("slack", "T1", [first.message], "C1", 2.0),
                one.store_file(there, second.message, *of),
            ]
        )
        assert await one.file_data([of[1]]) == {of[1]: PDF.data}
        # Both that are left go at once.
        await one.store_file(here, first.message, *of)
        await one.delete_messages("slack", "T1", [second.message], "C1", 3.0)
        assert await one.file_data([of[1]]) == {}


async def test_the_last_two_that_have_a_file_may_go_at_once(stores: Stores) -> None:
    one, other, *_ = stores
    for number, (here, there) in enumerate(itertools.pairwise(places(ROUNDS + 1))):
        file = Attachment("a.pdf", id=f"G{number}", size=4)
        digest = f"gone{number}"
        messages = [
            said(f"g{number}-{n}", thread=k) for n, k in enumerate((here, there))
        ]
        for each in messages:
            await one.receive(replace(each, files=(file,)), answer)
            await one.store_file(each.thread, each.message, file, digest, 4, PDF)
        await at_once(
            [
                store.delete_messages("slack", "T1", [each.message], "C1", 2.0)
                for store, each in zip((one, other), messages, strict=True)
            ]
        )
        assert await one.file_data([digest]) == {}


# Turns


async def test_a_turn_that_is_begun_several_times_reads_the_same(
    stores: Stores,
) -> None:
    for key in places(ROUNDS):
        turn = await waiting(stores[0], said("1", thread=key), said("2", thread=key))
        read = await at_once([s.begin_turn(turn, 10.0) for s in twice(stores)])
        assert all(each == read[0] for each in read)
        again = await stores[0].next_turn(key)
        assert again is not None
        assert again.attempts == len(read)


async def test_a_turn_ends_once(stores: Stores) -> None:
    for key in places(ROUNDS):
        turn = await ask(stores[0], said("1", thread=key))
        await at_once([s.finish_turn(turn, done("Yes."), 20.0) for s in twice(stores)])
        await at_once([s.mark_delivered(turn, 21.0) for s in twice(stores)])
        said_then = [each.content for each in await stores[0].conversation(key)]
        assert said_then.count("Yes.") == 1
        assert await stores[0].next_turn(key) is None


async def test_a_retry_is_made_once(stores: Stores) -> None:
    for key in places(ROUNDS):
        turn = await exchange(stores[0], said("1", thread=key), "No.")
        made = await at_once([s.retry_turn(key, turn.key, 30.0) for s in twice(stores)])
        assert made.count(True) == 1


async def test_a_thread_has_one_owner(stores: Stores) -> None:
    for key in places(ROUNDS):
        await stores[0].receive(said("1", thread=key), answer)
        turns = found(await at_once([s.take_turn(key) for s in stores]), Turn)
        assert len(turns) == 1
        stale = replace(turns[0], epoch=turns[0].epoch - 1)
        with pytest.raises(ThreadLost):
            await stores[1].begin_turn(stale, 10.0)


async def test_a_summary_is_stored_once(stores: Stores) -> None:
    summary = Summary("Short.", "SHORT", 1, "claude", 30.0, Usage(), 0.1)
    for key in places(ROUNDS):
        await exchange(stores[0], said("1", thread=key), "Long.")
        covered = await stores[0].read_turns(key)
        stored = await at_once(
            [s.store_summary(key, covered, summary) for s in twice(stores)]
        )
        assert stored.count(True) == 1


async def test_a_sign_of_waiting_does_not_stay_when_the_turn_begins(
    stores: Stores,
) -> None:
    one, other, *_ = stores
    for key in places(ROUNDS):
        message = said("1", thread=key)
        turn = await waiting(one, message)

        async def begin(turn: Turn = turn, key: ThreadKey = key) -> list[Any]:
            begun = await other.begin_turn(turn, 10.0)
            return [begun[0].is_signed, bool(await other.past_signs(key))]

        claimed, found = await at_once([one.claim_sign(message), begin()])
        # Whoever begins sees the sign, or it is not shown.
        assert found == [claimed, claimed]


# Moves


async def test_a_thread_moves_once_and_takes_all_along(stores: Stores) -> None:
    for key in places(ROUNDS):
        await exchange(stores[0], said("1", thread=key), "Yes.")
        await stores[0].pin_settings(key, {"model": "a"})
        targets = [replace(key, thread=f"{key.thread}-{n}") for n in range(STORES)]
        await at_once(
            [s.move_thread(key, to) for s, to in zip(stores, targets, strict=True)]
        )
        there = [t for t in targets if await stores[0].conversation(t)]
        assert len(there) == 1
        assert await stores[0].conversation(key) == []
        kept = [(await stores[0].stored_settings(Scope.of(t))).kept for t in targets]
        assert kept.count({"model": "a"}) == 1


async def test_what_is_said_while_a_thread_moves_is_not_lost(stores: Stores) -> None:
    one, other, *_ = stores
    for key in places(ROUNDS):
        to = replace(key, thread=f"{key.thread}-moved")
        await one.receive(said("1", thread=key), answer)
        await at_once(
            [one.move_thread(key, to), other.receive(said("2", thread=key), answer)]
        )
        read = []
        for each in (key, to):
            if turn := await one.next_turn(each):
                read += await one.begin_turn(turn, 10.0)
        assert sorted(each.message.message for each in read) == ["1", "2"]


async def test_two_threads_that_change_places_do_not_wait_for_ever(
    stores: Stores,
) -> None:
    here, there = places(2)
    for key in (here, there):
        await stores[0].receive(said("1", thread=key), keep)
    one, other, *_ = stores
    for _ in range(ROUNDS):
        await at_once([one.move_thread(here, there), other.move_thread(there, here)])


# Settings


async def test_of_changes_on_one_base_one_is_made(stores: Stores) -> None:
    base = 0
    for number in range(ROUNDS):
        changes = await at_once(
            [
                s.change_settings(
                    [Change(OFFICE, "prompt", f"{number}-{n}", versioned=True)],
                    who=f"U{n}",
                    now=NOON,
                    base=base,
                )
                for n, s in enumerate(twice(stores))
            ]
        )
        made = found(changes, list)
        assert len(made) == 1
        assert len(found(changes, EditConflict)) == len(changes) - 1
        base = made[0][0].id
    numbers = [each.number for each in await stores[0].versions(OFFICE, "prompt")]
    assert numbers == list(range(ROUNDS, 0, -1))


async def test_what_is_pinned_or_counted_at_once_is_there_once(
    stores: Stores,
) -> None:
    for number, key in enumerate(places(ROUNDS)):
        pinned = {"model": "a", "effort": "high"}
        await at_once([s.pin_settings(key, pinned) for s in twice(stores)])
        assert (await stores[0].stored_settings(Scope.of(key))).kept == pinned
        text = f"Be {number}."
        ids = await at_once(
            [s.ensure_operator_version("prompt", text, NOON) for s in twice(stores)]
        )
        assert len(set(ids)) == 1
        entry = AuditEntry(0, NOON, OFFICE, f"U{number}", "denied", "set", None, None)
        await at_once([s.record_refusal(entry) for s in twice(stores)])
    counts = [each.count for each in await stores[0].refusals(OFFICE, 0.0, 1_000)]
    assert counts == [2 * STORES] * ROUNDS


# Money


@pytest.mark.parametrize("place", [OFFICE, EVERYWHERE], ids=["workspace", "operator"])
async def test_many_reserves_at_once_never_pass_a_budget(
    stores: Stores, place: Scope
) -> None:
    caps = BudgetLimits((Budget(place, Period.DAY, 1.0),))
    for number in range(rounds(1, 20)):
        # Each of a workspace of its own, if all of them have one budget.
        now = NOON + number * 86_400.0
        charges = [
            Charge(
                Scope("slack", "T1" if place == OFFICE else f"T{n % 7}", "C1"),
                f"U{n}",
                "ask",
                "claude",
                0.06,
            )
            for n in range(24)
        ]
        opened = await at_once(
            [
                stores[n % STORES].open_charge(charge, caps, now)
                for n, charge in enumerate(charges)
            ]
        )
        taken = found(opened, int)
        assert len(taken) == 16
        balance = await stores[0].balance(place, Period.DAY, now)
        assert round(balance.reserved, 6) == 0.96
        # Each is closed by several processes, and booked once.
        await at_once(
            [
                store.close_charge(charge, Usage(), 0.01, now)
                for charge in taken
                for store in stores
            ]
        )
        balance = await stores[0].balance(place, Period.DAY, now)
        assert (round(balance.spent, 6), balance.reserved) == (0.16, 0.0)


async def test_turns_reserve_and_are_booked_once(stores: Stores) -> None:
    caps = BudgetLimits((Budget(OFFICE, Period.DAY, 1.0),))
    turns = [await waiting(stores[0], said("1", thread=key)) for key in places(20)]
    held = await at_once(
        [
            store.reserve(turn, "U1", 0.1, caps, NOON)
            for turn, store in zip(turns, itertools.cycle(stores), strict=False)
        ]
    )
    assert held.count(None) == 10
    taken = [turn for turn, told in zip(turns, held, strict=True) if told is None]
    outcome = replace(done("Yes."), model="claude", cost=0.05)
    await at_once(
        [s.finish_turn(turn, outcome, NOON, caps) for turn in taken for s in stores[:2]]
    )
    balance = await stores[0].balance(OFFICE, Period.DAY, NOON)
    assert (round(balance.spent, 6), balance.reserved) == (0.5, 0.0)


async def test_an_alert_is_given_once(stores: Stores) -> None:
    for number in range(ROUNDS):
        now = NOON + number * 86_400.0
        budget = Budget(OFFICE, Period.DAY, 1.0)
        charge = Charge(OFFICE, "U1", "ask", "claude", 0.9)
        opened = await stores[0].open_charge(charge, BudgetLimits(), now)
        assert isinstance(opened, int)
        await stores[0].close_charge(opened, Usage(), 0.9, now)
        told = await at_once([s.alerts([budget], now) for s in twice(stores)])
        assert len([each for alerts in told for each in alerts]) == 1


# Cases


async def test_corrections_of_several_fields_all_stay(stores: Stores) -> None:
    for key in places(ROUNDS):
        case = TriageCase(0, Scope.of(key), key.thread, NOON, "U1", "Broken.")
        opened = await at_once([s.open_case(case) for s in twice(stores)])
        assert len({each.id for each in opened}) == 1
        number = opened[0].id
        await at_once(
            [
                s.correct_case(number, f"field{n}", n, "U1", NOON)
                for n, s in enumerate(stores)
            ]
        )
        corrected = await stores[0].case(number)
        assert corrected is not None
        assert corrected.corrected == {f"field{n}": n for n in range(STORES)}


# Starts


async def test_those_who_start_at_once_all_find_the_tables() -> None:
    """The tables of the store, and those of the engine."""
    with postgres.database() as address:
        at = ServerAddress(postgres.uri(address))

        def start(number: int) -> list[str]:
            with open_pool(at, f"process {number}"), closing(Connection(address)) as db:
                query = "SELECT name FROM threadkeep_steps ORDER BY name"
                return [name for (name,) in db.execute(query)]

        found = await at_once([asyncio.to_thread(start, n) for n in range(4)])
    steps = sorted(step.name for step in (*schema.STEPS, *engine_schema.STEPS))
    assert found == [steps] * 4


# All against all


async def test_no_verb_fails_because_of_another(stores: Stores) -> None:
    """Every write against itself and the others, over rows that they share."""
    dice = random.Random(7)
    await stores[0].receive(said("0"), answer)
    case = await stores[0].open_case(
        TriageCase(0, Scope.of(HERE), "0", NOON, "U1", "Broken.")
    )
    verbs = writes(case.id)
    for number in range(rounds(20, 3_000)):
        chosen = [dice.choice(verbs) for _ in range(2 * STORES)]
        results = await asyncio.gather(
            *(
                write(store, dice, number)
                for write, store in zip(chosen, twice(stores), strict=True)
            ),
            return_exceptions=True,
        )
        # A turn that another process has taken is no failure.
        failed = [
            each
            for each in results
            if isinstance(each, BaseException) and not isinstance(each, ThreadLost)
        ]
        assert failed == []


Write = Callable[[DatabaseStore, random.Random, int], Awaitable[Any]]


def writes(case: int) -> list[Write]:
    """Writes to the same two threads, their workspace and a case."""
    file = Attachment("a.pdf", id="F1", size=4)
    caps = BudgetLimits(
        (Budget(OFFICE, Period.DAY, 1e6), Budget(EVERYWHERE, Period.DAY, 1e6))
    )
    keys = (HERE, THERE)

    def message(dice: random.Random) -> Any:
        key = dice.choice(keys)
        name = f"{key.thread}-{dice.randrange(4)}"
        return said(name, thread=key, files=(file,), quotes=(said("q", thread=key),))

    def of_turn(
        write: Callable[[DatabaseStore, Turn], Awaitable[Any]],
    ) -> Write:
        async def run(store: DatabaseStore, dice: random.Random, number: int) -> None:
            if turn := await store.take_turn(dice.choice(keys)):
                await write(store, turn)

        return run

    async def finish(store: DatabaseStore, turn: Turn) -> None:
        await store.begin_turn(turn, NOON)
        await store.store_prompt(turn, "", {})
        await store.finish_turn(turn, done("Yes."), NOON, caps)
        await store.mark_delivered(turn, NOON)

    async def charge(store: DatabaseStore, dice: random.Random, number: int) -> None:
        opened = await store.open_charge(
            Charge(OFFICE, "U1", "ask", "claude", 0.1), caps, NOON
        )
        assert isinstance(opened, int)
        await store.raise_reserve(opened, 0.2, caps, NOON)
        await store.close_charge(opened, Usage(), 0.1, NOON)

    names = [
        LastName("slack", "T1", NameKind.PERSON, f"U{n}", f"Name {n}") for n in range(5)
    ]
    broken = TriageCase(0, Scope.of(HERE), "0", NOON, "U1", "Broken.")
    return [
        lambda s, d, n: s.receive(message(d), answer),
        lambda s, d, n: s.readdress(replace(message(d), addressed=n % 2 == 0), answer),
        lambda s, d, n: s.edit_message(replace(message(d), text=f"{n}"), f"{n}", NOON),
        lambda s, d, n: s.delete_messages(
            "slack", "T1", [f"{k.thread}-{d.randrange(4)}" for k in keys], "C1", NOON
        ),
        lambda s, d, n: s.add_holder(message(d), f"h{d.randrange(3)}", NOON),
        lambda s, d, n: s.move_thread(*d.sample(keys, 2)),
        lambda s, d, n: s.reset_context(d.choice(keys)),
        lambda s, d, n: s.pin_settings(d.choice(keys), {"model": "a"}),
        lambda s, d, n: s.claim_sign(message(d)),
        lambda s, d, n: s.store_file(
            d.choice(keys), message(d).message, file, f"d{d.randrange(2)}", 4, PDF
        ),
        lambda s, d, n: s.link_file(d.choice(keys), message(d).message, file, "d0"),
        lambda s, d, n: s.decide_file(d.choice(keys), "d0", None),
        lambda s, d, n: s.refuse_files(["d1", "d0"]),
        lambda s, d, n: s.change_settings(
            [
                Change(OFFICE, "model", f"{n}"),
                Change(Scope.of(HERE), "prompt", f"{n}", versioned=True),
            ],
            who="U1",
            now=NOON,
            running=True,
        ),
        lambda s, d, n: s.ensure_operator_version("prompt", f"{n}", NOON),
        lambda s, d, n: s.save_draft(Draft(0, OFFICE, "prompt", "x", "U1", NOON)),
        lambda s, d, n: s.record_refusal(
            AuditEntry(0, NOON, OFFICE, "U1", "denied", f"{n % 3}", None, None)
        ),
        lambda s, d, n: s.store_names(d.sample(names, 5), NOON),
        lambda s, d, n: s.open_case(
            replace(broken, text=f"Broken {n}.", messages=("1",))
        ),
        lambda s, d, n: s.correct_case(case, f"f{n % 3}", n, "U1", NOON),
        lambda s, d, n: s.record_case_result(case, {"a": n}, ""),
        lambda s, d, n: s.claim_notice(OFFICE, "hello", f"{n}", NOON, NOON),
        lambda s, d, n: s.clean_up(KEPT, NOON),
        lambda s, d, n: s.alerts([Budget(OFFICE, Period.DAY, 1.0)], NOON),
        charge,
        of_turn(lambda s, t: s.reserve(t, "U1", 0.1, caps, NOON)),
        of_turn(lambda s, t: s.backfill(t, [said("b", thread=t.thread)])),
        of_turn(lambda s, t: s.begin_turn(t, NOON)),
        of_turn(lambda s, t: s.release_turn(t)),
        of_turn(lambda s, t: s.record_failure(t)),
        of_turn(lambda s, t: s.abandon_turn(t, "enough", NOON)),
        of_turn(finish),
    ]
