"""The audit: refusals do not hide changes, and are counted and bounded.

Retention is tested too: no data that people can make grow is unbounded."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.cleanup import clean_up_daily
from bot.commands.catalog import parse_command
from bot.config import Config
from bot.domain.message import Disposition
from bot.domain.person import Person
from bot.domain.retention import DAY, KEPT, Retention
from bot.domain.scope import Scope
from bot.domain.setting import AuditEntry, Change, Draft, EditConflict
from bot.domain.triage_case import TriageCase
from bot.errors import ConfigError, StorageFull
from bot.ports.store import Store
from bot.text.references import user
from bot.ui.elements import Command, Page
from storage import expiry
from storage.beside import read_corrections
from storage.expiry import AT_ONCE
from storage.opening import open_store
from storage.refusals import MOST_LINES, OTHERS
from storage.store import DatabaseStore
from tests.security.houses import Houses
from tests.security.older import undo_m010
from tests.security.remains import in_bytes, in_tables
from tests.support.command_harness import (
    CHANNEL,
    MEMBER,
    NOON,
    OWNER,
    THREAD,
    WORKSPACE,
    Office,
)
from tests.support.deep import rounds
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.store_helpers import (
    HERE,
    THERE,
    answer,
    disposition,
    exchange,
    keep,
    needs_backfill,
    said,
    waiting,
)

MAX = user("max")
QUIET = Change(CHANNEL, "quiet", "on")


async def test_a_thousand_refusals_hide_no_change() -> None:
    office = Office()
    await office.type("budget day 5")
    for _ in range(rounds(40, 1_000)):
        assert "Sorry" in await office.type("model opus", MEMBER)
    told = await office.type("audit")
    assert f"{user('olga')} set **Daily budget**: not set → $5.00" in told
    times = rounds(40, 1_000)
    assert f"{MAX} tried to set model (not allowed), {times:,} times that hour" in told
    assert told.count(MAX) == 1
    page = await office.home.page(WORKSPACE, OWNER)
    assert f"{user('olga')} set **Daily budget**" in shown(page)
    assert shown(page).count(MAX) == 1


async def test_many_people_and_verbs_are_a_few_lines() -> None:
    office = Office()
    await office.type("budget day 5")
    for number in range(15):
        person = Person(f"p{number}", f"P {number}")
        for line in ("model opus", "set quiet on", "audit", "prompt set"):
            await office.desk.run(command(line), CHANNEL, person)
    told = await office.type("audit")
    assert f"{user('olga')} set **Daily budget**" in told
    assert told.count("tried to") == 10


async def test_threads_are_counted_in_their_channel() -> None:
    office = Office()
    for number in range(30):
        place = Scope("fake", "w", "c", f"t{number}")
        await office.type("model opus channel", MEMBER, place)
    [refused] = await office.store.refusals(THREAD, 0.0, 10)
    assert (refused.place, refused.count) == (CHANNEL, 30)


async def test_each_hour_has_its_own_line() -> None:
    office = Office()
    for hour in range(3):
        office.now = NOON + hour * 3600
        for _ in range(hour + 1):
            await office.type("model opus", MEMBER)
    found = await office.store.refusals(CHANNEL, 0.0, 10)
    assert [(each.count, each.at) for each in found] == [
        (3, NOON + 7200),
        (2, NOON + 3600),
        (1, NOON),
    ]
    assert len(await office.store.refusals(CHANNEL, NOON + 3600, 10)) == 2


async def test_a_crowd_of_the_refused_takes_bounded_room() -> None:
    store = MemoryStore()
    for number in range(MOST_LINES + 40):
        entry = AuditEntry(
            0, NOON + number, CHANNEL, f"u{number}", "denied", "set model"
        )
        await store.record_refusal(entry)
    found = await store.refusals(WORKSPACE, 0.0, 10_000)
    assert len(found) == MOST_LINES + 1
    [rest] = [each for each in found if not each.who]
    assert (rest.name, rest.count, rest.place) == (OTHERS, 40, WORKSPACE)
    assert sum(each.count for each in found) == MOST_LINES + 40
    elsewhere = Scope("fake", "w2", "c")
    await store.record_refusal(
        AuditEntry(0, NOON, elsewhere, "u1", "denied", "set model")
    )
    assert len(await store.refusals(elsewhere, 0.0, 10)) == 1


@settings(max_examples=rounds(12, 200))
@given(st.lists(st.booleans(), min_size=1, max_size=60))
def test_in_any_order_every_change_is_listed(story: list[bool]) -> None:
    """True is a change, False a refusal."""

    async def play() -> None:
        store = MemoryStore()
        for number, changes in enumerate(story):
            at = NOON + 60 * number
            if changes:
                change = Change(CHANNEL, "quiet", f"v{number}")
                await store.change_settings([change], who="olga", now=at)
            else:
                await store.record_refusal(
                    AuditEntry(0, at, CHANNEL, "max", "denied", "set quiet")
                )
        listed = await store.audit(CHANNEL, 0.0, 100)
        assert len(listed) == sum(story)
        refused = await store.refusals(CHANNEL, 0.0, 100)
        assert sum(each.count for each in refused) == len(story) - sum(story)

    asyncio.run(play())


async def test_refusals_of_an_older_database_are_folded(tmp_path: Path) -> None:
    """And the number of the newest entry is not given out again."""
    path = tmp_path / "threadkeep.db"
    async with open_store(path) as store:
        [made] = entries(await store.change_settings([QUIET], who="olga", now=NOON))
    with closing(sqlite3.connect(path)) as db, db:
        for number in range(25):
            db.execute(
                "INSERT INTO audit (at, platform, workspace, channel, thread, who, "
                "action, name) VALUES (?, 'fake', 'w', 'c', '', 'max', 'denied', "
                "'set model')",
                [NOON + number],
            )
    undo_m010(path)
    async with open_store(path) as store:
        assert await store.audit(CHANNEL, 0.0, 20) == [made]
        [refused] = await store.refusals(CHANNEL, 0.0, 20)
        assert (refused.who, refused.count) == ("max", 25)
        again = await store.change_settings(
            [Change(CHANNEL, "quiet", "off")], who="olga", now=NOON
        )
        assert entries(again)[0].id > made.id + 25


# How long what is kept.


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with open_store(tmp_path / "threadkeep.db") as store:
        yield store


async def test_refusals_are_kept_for_as_long_as_the_operator_says(
    store: Store,
) -> None:
    await store.change_settings([QUIET], who="olga", now=NOON - 900 * DAY)
    for days in (400, 20, 1):
        at = NOON - days * DAY
        await store.record_refusal(
            AuditEntry(0, at, CHANNEL, f"u{days}", "denied", "set model")
        )
    assert (await store.clean_up(KEPT, NOON))["refusals"] == 1
    left = await store.refusals(CHANNEL, 0.0, 10)
    assert [each.who for each in left] == ["u1", "u20"]
    await store.clean_up(replace(KEPT, refusals=7 * DAY), NOON)
    assert [each.who for each in await store.refusals(CHANNEL, 0.0, 10)] == ["u1"]
    # Changes stay.
    assert len(await store.audit(CHANNEL, 0.0, 10)) == 1


async def test_cases_go_but_for_what_people_made_of_them(
    store: Store, tmp_path: Path
) -> None:
    path = tmp_path / "threadkeep.db"
    old, new = NOON - 100 * DAY, NOON - 10 * DAY
    for message, at in (("old", old), ("new", new), ("fixed", old), ("agreed", old)):
        case = await store.open_case(
            TriageCase(0, THREAD, message, at, "max", "It broke")
        )
        if message in ("fixed", "agreed"):
            await store.correct_case(case.id, "category", "bug", "mo", at + DAY)
        if message == "agreed":
            await store.approve_example(case.id, "olga")
    waits = TriageCase(0, THREAD, "waits", old, "max", "It broke", auto=True)
    await store.open_case(waits)
    assert (await store.clean_up(KEPT, NOON))["cases"] == 1
    assert len(await store.waiting_cases([THREAD.platform], 9)) == 1
    assert {c.message for c in await read_corrections(path, 0.0)} == {"fixed", "agreed"}
    assert (await store.clean_up(KEPT, NOON + 300 * DAY))["cases"] == 2
    assert {c.message for c in await read_corrections(path, 0.0)} == {"agreed"}
    assert len(await store.examples(CHANNEL)) == 1


async def test_drafts_and_ids_of_what_was_deleted_go_after_a_week(
    store: Store,
) -> None:
    number = await store.save_draft(Draft(0, CHANNEL, "prompt", "x", "olga", NOON))
    await store.delete_messages("slack", "T1", ["7"], "C1", NOON)
    deleted = await store.clean_up(KEPT, NOON + 6 * DAY)
    assert (deleted["drafts"], deleted["tombstones"]) == (0, 0)
    assert await disposition(store, said("7"), answer) is Disposition.IGNORE
    deleted = await store.clean_up(KEPT, NOON + 8 * DAY)
    assert (deleted["drafts"], deleted["tombstones"]) == (1, 1)
    assert await store.draft(number) is None


async def test_conversations_are_kept_for_ever_unless_the_operator_says_otherwise(
    store: Store,
) -> None:
    await exchange(store, said("1", at=10.0), "One.")
    await exchange(store, said("2", at=20.0, thread=THERE, holds=("8",)), "Two.")
    waits = replace(HERE, thread="3.0")
    await waiting(store, said("3", at=30.0, thread=waits))
    assert (await store.clean_up(KEPT, NOON + 999 * DAY))["threads"] == 0
    month = replace(KEPT, threads=30 * DAY)
    assert (await store.clean_up(month, NOON + 90 * DAY))["threads"] == 2
    assert await store.transcript(HERE) == await store.transcript(THERE) == []
    assert await store.open_threads() == [waits]
    # Whoever goes on there begins a thread that reads what was said before.
    assert await disposition(store, said("4", at=40.0), answer) is Disposition.ANSWER
    assert await needs_backfill(store)


async def test_a_thread_in_use_is_kept_whole(tmp_path: Path) -> None:
    moment = [NOON]
    path = tmp_path / "threadkeep.db"
    async with open_store(path, clock=lambda: moment[0]) as store:
        await exchange(store, said("1", at=NOON), "One.")
        moment[0] = NOON + 29 * DAY
        await store.receive(said("2", at=moment[0]), keep)
        month = replace(KEPT, threads=30 * DAY)
        assert (await store.clean_up(month, NOON + 40 * DAY))["threads"] == 0
        assert len(await store.transcript(HERE)) == 3


async def test_a_clean_up_is_many_small_transactions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Others write between them, and none of them is long."""
    at_once = rounds(4, AT_ONCE)
    monkeypatch.setattr(expiry, "AT_ONCE", at_once)
    count = 5 * at_once
    async with open_store(tmp_path / "threadkeep.db", clock=lambda: NOON) as store:
        for number in range(count):
            entry = AuditEntry(
                0, NOON - 400 * DAY, CHANNEL, f"u{number}", "denied", "x"
            )
            hour = replace(entry, at=entry.at + 3600 * (number // 400))
            await store.record_refusal(hour)
        for number in range(2 * at_once + 1):
            thread = replace(HERE, thread=f"{number}.0")
            await exchange(store, said("1", at=1.0, thread=thread), "Right.")
        month = replace(KEPT, threads=30 * DAY)
        before = await changes(store)
        deleted = await store.clean_up(month, NOON + 60 * DAY)
        assert deleted["refusals"] == count
        assert deleted["threads"] == 2 * at_once + 1
        assert await changes(store) > before
        assert await store.list_threads("slack", "C1") == []
    assert in_tables(tmp_path / "threadkeep.db", "Right.") == []


async def test_the_log_holds_nothing_that_was_deleted(tmp_path: Path) -> None:
    path = tmp_path / "threadkeep.db"
    async with open_store(path) as store:
        await exchange(store, said("7", text="my kumquat"), "Right.")
        await store.delete_messages("slack", "T1", ["7"], "C1", NOON)
        assert in_bytes(path, "kumquat")
        await store.clean_up(KEPT, NOON)
        assert not in_bytes(path, "kumquat")


async def test_somebody_who_reads_holds_no_clean_up_up(tmp_path: Path) -> None:
    path = tmp_path / "threadkeep.db"
    async with open_store(path) as store:
        await exchange(store, said("1", at=1.0), "One.")
        with closing(sqlite3.connect(path)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM messages").fetchone()
            await exchange(store, said("2", at=2.0), "Two.")
            await store.clean_up(KEPT, NOON)
            await exchange(store, said("3", at=3.0), "Three.")


async def test_it_cleans_at_the_start_and_every_day_whatever_happens() -> None:
    class Full(MemoryStore):
        async def clean_up(self, retention: Retention, now: float) -> dict[str, int]:
            tried.append(now)
            if len(tried) == 2:
                raise StorageFull("the disk is full")
            return {"refusals": 0}

    tried: list[float] = []
    slept: list[float] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 3:
            raise asyncio.CancelledError

    clock = iter((1.0, 2.0, 3.0))
    with pytest.raises(asyncio.CancelledError):
        await clean_up_daily(Full(), KEPT, lambda: next(clock), sleep)
    assert (tried, slept) == ([1.0, 2.0, 3.0], [DAY] * 3)


async def test_a_running_bot_cleans_up() -> None:
    houses = Houses(OPERATOR)
    old = AuditEntry(0, NOON - 4_000 * DAY, CHANNEL, "u1", "denied", "set model")
    await houses.store.record_refusal(old)
    async with houses.open(), asyncio.timeout(60):
        while await houses.store.refusals(CHANNEL, 0.0, 1):  # noqa: ASYNC110
            await asyncio.sleep(0.001)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ({}, KEPT),
        ({"THREADKEEP_AUDIT_DAYS": "30"}, replace(KEPT, refusals=30 * DAY)),
        ({"THREADKEEP_CASE_DAYS": "1"}, replace(KEPT, cases=DAY)),
        ({"THREADKEEP_THREAD_DAYS": "365"}, replace(KEPT, threads=365 * DAY)),
    ],
)
def test_the_operator_says_how_long(written: dict[str, str], kept: Retention) -> None:
    assert Config.from_env(written).retention == kept


@pytest.mark.parametrize("value", ["0", "-1", "x", "1.5", "36501", "9" * 5_000, "１e9"])
def test_a_span_that_is_none_is_refused(value: str) -> None:
    for name in ("AUDIT", "CASE", "THREAD"):
        with pytest.raises(ConfigError, match=f"THREADKEEP_{name}_DAYS must be"):
            Config.from_env({f"THREADKEEP_{name}_DAYS": value})


async def changes(store: DatabaseStore) -> int:
    """Return the number of changes that the connection has made to the database."""
    return await store._write(
        lambda db: int(db.execute("SELECT total_changes()").fetchone()[0])
    )


def entries(made: list[AuditEntry] | EditConflict) -> list[AuditEntry]:
    assert isinstance(made, list)
    return made


def command(line: str) -> Command:
    found = parse_command(line)
    assert found is not None
    return found


def shown(page: Page) -> str:
    return "\n".join(section.text for section in page.sections)
