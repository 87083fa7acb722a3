"""Behaviour of a store in a file: reopening, locks, a full disk."""

import asyncio
import re
import resource
from collections.abc import AsyncIterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from bot.domain.attachment import Attachment
from bot.domain.budget import Balance, Budget, BudgetLimits, Charge, Period, PersonLimit
from bot.domain.completion import Usage
from bot.domain.message import Disposition
from bot.domain.reply import PostedPart
from bot.domain.retention import Retention
from bot.domain.scope import Scope, ScopeLevel, ThreadKey
from bot.domain.setting import Change
from bot.domain.summary import Summary
from bot.domain.turn import Ended, Outcome, TurnState
from bot.errors import ConfigError, StorageError, StorageFull
from storage import conversation, earlier_turns, inbox, thread_queries, turn_reading
from storage.connection import Connection
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.support.forked import Tell, forked
from tests.support.store_helpers import (
    HERE,
    answer,
    ask,
    disposition,
    done,
    exchange,
    following,
    keep,
    of_sqlite,
    repeated,
    said,
    waiting,
)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "threadkeep.db"


@pytest.fixture
def diary(tmp_path: Path) -> Path:
    file = tmp_path / "diary.txt"
    file.write_text("Dear diary, " * 1000)
    return file


@pytest.fixture
async def store(path: Path) -> AsyncIterator[DatabaseStore]:
    async with open_store(path, clock=lambda: 7.0) as opened:
        yield opened


async def test_everything_is_there_again(path: Path) -> None:
    async with open_store(path) as store:
        await exchange(store, said("1", at=1.0, opens=True), "One.")
        turn = await ask(store, said("2", at=2.0), preface="Monday.")
        await store.store_part(turn, PostedPart(0, "m", "Tw"), "Tw", 12.0)
        before = await store.next_turn(HERE)
        conversation = await store.conversation(HERE)
    async with open_store(path) as store:
        assert await store.open_threads() == [HERE]
        assert await store.next_turn(HERE) == before
        assert await store.conversation(HERE) == conversation
        assert await disposition(store, said("1"), answer) is Disposition.IGNORE


async def test_a_call_that_a_crash_cut_costs_what_was_set_aside(path: Path) -> None:
    place = Scope.of(HERE)
    async with open_store(path, clock=lambda: 7.0) as store:
        charge = Charge(place, "U1", "try", "m", 0.4)
        opened = await store.open_charge(charge, BudgetLimits(), 5.0)
        assert isinstance(opened, int)
        await store.raise_reserve(opened, 0.5, BudgetLimits(), 5.0)
        turn = await ask(store, said("1"))
        await store.reserve(turn, "U1", 0.25, BudgetLimits(), 5.0)
    async with open_store(path, clock=lambda: 7.0) as store:
        # What a turn holds, its next attempt gives back.
        account = place.at(ScopeLevel.CHANNEL)
        assert await store.balance(account, Period.DAY, 7.0) == Balance(0.5, 0.25)
        [row] = await store.spending(0.0)
        assert (row.kind, row.cost, row.bounded) == ("try", 0.5, 1)


async def test_closing_leaves_one_file_and_the_lock(path: Path) -> None:
    async with open_store(path) as store:
        await store.receive(said("1"), answer)
    left = {file.name for file in path.parent.iterdir()}
    assert left == {"threadkeep.db", "threadkeep.db.lock"}


async def test_a_store_in_use_is_not_opened_twice(
    store: DatabaseStore, path: Path
) -> None:
    with pytest.raises(ConfigError, match="Another threadkeep is using"):
        async with open_store(path):
            pass
    assert await disposition(store, said("1"), answer) is Disposition.ANSWER


async def test_a_refused_file_is_let_go_of(diary: Path) -> None:
    for _ in range(2):
        with pytest.raises(ConfigError, match="is not a database"):
            async with open_store(diary):
                pass


async def test_a_closed_store_says_so(path: Path) -> None:
    async with open_store(path) as store:
        pass
    with pytest.raises(StorageError, match="closed"):
        await store.receive(said("1"), answer)
    with pytest.raises(StorageError, match="closed"):
        await store.conversation(HERE)


async def test_many_threads_talk_at_once(store: DatabaseStore) -> None:
    threads = [ThreadKey("slack", "T1", "C1", f"{number}") for number in range(20)]
    heard = [said(f"{n}", at=n, thread=thread) for n in range(5) for thread in threads]
    verdicts = await asyncio.gather(
        *(disposition(store, each, answer) for each in heard)
    )
    assert verdicts == [Disposition.ANSWER] * 100
    assert await store.open_threads() == threads
    for thread in threads:
        spoken = await store.begin_turn(await following(store, thread), 1.0)
        assert [each.message.message for each in spoken] == [f"{n}" for n in range(5)]


async def test_rows_are_stamped_with_the_clock_that_was_given(
    store: DatabaseStore,
) -> None:
    await exchange(store, said("1", at=3.0), "One.")
    db = await store._write(of_sqlite)
    (turn,) = of_sqlite(db).query("SELECT * FROM turns")
    times = ("asked_at", "created_at", "started_at", "ended_at", "delivered_at")
    assert [turn[time] for time in times] == [3.0, 7.0, 10.0, 20.0, 21.0]
    (thread,) = of_sqlite(db).query("SELECT * FROM threads")
    assert (thread["created_at"], thread["epoch"]) == (7.0, 0)


async def test_an_outcome_is_stored_whole(store: DatabaseStore) -> None:
    outcome = Outcome(
        Ended.FAILED,
        text="Hel",
        replay="Hel…",
        note="Broken off.",
        reason="ModelCut",
        model="m",
        stop_reason="end_turn",
        request_id="req_1",
        usage=Usage(1, 2, 3, 4, 5),
        cost=0.25,
        first_text=15.0,
    )
    await store.finish_turn(await ask(store, said("1")), outcome, 20.0)
    db = await store._write(of_sqlite)
    (row,) = of_sqlite(db).query("SELECT * FROM turns")
    stored = Outcome(
        Ended(row["ended"]),
        text=row["text"],
        replay=(await store.conversation(HERE))[-1].content,
        note=row["note"],
        reason=row["reason"],
        model=row["model"],
        stop_reason=row["stop_reason"],
        request_id=row["request_id"],
        usage=Usage(
            row["input"],
            row["cache_write_5m"],
            row["cache_write_1h"],
            row["cache_read"],
            row["output"],
        ),
        cost=row["cost"],
        first_text=row["first_text_at"],
    )
    assert stored == outcome


async def test_what_was_taken_back_is_in_no_row(store: DatabaseStore) -> None:
    await exchange(store, said("1", at=1.0, files=(Attachment("a.png"),)), "One.")
    assert await repeated(store, 30.0)
    await store.edit_message(
        said("1", text="new", files=(Attachment("b.png"),)), "NEW", 31.0
    )
    await store.delete_messages("slack", "T1", ["1"], None, 32.0)
    db = await store._write(of_sqlite)
    columns = ("role", "edited_at", "deleted_at", "files", "text", "content")
    rows = of_sqlite(db).query("SELECT * FROM messages ORDER BY id")
    assert [tuple(row[column] for column in columns) for row in rows] == [
        ("user", 31.0, 32.0, "[]", "", None),
        ("assistant", None, 30.0, "[]", "", None),
    ]
    texts = [
        turn["text"]
        for turn in of_sqlite(db).query("SELECT text FROM turns ORDER BY id")
    ]
    # The earlier answer is kept, since its retry may bring no text.
    assert texts == ["One.", ""]


# A full disk


async def leave_room(store: DatabaseStore, pages: int) -> None:
    """Let the database grow by `pages` more, as a full disk would."""

    def limit(db: Connection) -> None:
        (now,) = db.execute("PRAGMA page_count").fetchone()
        db.execute(f"PRAGMA max_page_count = {now + pages}")

    await store._write(limit)


async def test_a_full_disk_loses_nothing_and_passes(store: DatabaseStore) -> None:
    await store.receive(said("first"), answer)
    await leave_room(store, pages=40)
    heard = [said(f"{n}", at=n, text="x" * 3000) for n in range(100)]
    results = await asyncio.gather(
        *(disposition(store, each, keep) for each in heard), return_exceptions=True
    )
    assert {type(result) for result in results} == {Disposition, StorageFull}
    acknowledged = [
        each.message
        for each, result in zip(heard, results, strict=True)
        if result is Disposition.KEEP
    ]
    assert len(await store.transcript(HERE)) == len(acknowledged) + 1

    await leave_room(store, pages=1000)
    again = [await disposition(store, each, keep) for each in heard]
    assert again.count(Disposition.IGNORE) == len(acknowledged)
    assert again.count(Disposition.KEEP) == len(heard) - len(acknowledged)


async def test_a_full_disk_lets_turns_wait_as_they_are(store: DatabaseStore) -> None:
    turn = await ask(store, said("1"))
    await leave_room(store, pages=1)
    with pytest.raises(StorageFull):
        await store.finish_turn(turn, done("x" * 50_000), 20.0)
    left = await following(store)
    assert (left.state, left.text) == (TurnState.ANSWERING, "")
    await leave_room(store, pages=1000)
    await store.finish_turn(turn, done("x" * 50_000), 20.0)
    assert (await following(store)).state is TurnState.UNDELIVERED


def test_a_file_that_may_not_grow_is_a_full_disk(path: Path) -> None:
    """A limit on file sizes fails in the write itself, below SQLite's counting."""
    with forked(lambda tell: asyncio.run(fill_up(path, tell))) as (_, told):
        assert told.read().split() == [b"KEEP", b"StorageFull", b"KEEP"]


async def fill_up(path: Path, tell: Tell) -> None:
    """Receive a message before, while and after files may not grow; tell what became
    of each."""
    async with open_store(path) as store:
        await store.receive(said("root", opens=True), answer)
        allowed, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        for number, limit in enumerate((allowed, 4096, allowed)):
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, most))
            try:
                tell((await store.receive(said(f"m{number}"), keep)).disposition.name)
            except StorageError as error:
                tell(type(error).__name__)


# How it finds things


# One index finds the messages in their order: nothing is sorted. The rest finds one
# row each, by its key.
CONVERSATION_PLAN = [
    "SEARCH threads USING INDEX idx_threads_platform_channel_workspace_thread"
    " (platform=? AND channel=? AND workspace=? AND thread=?)",
    "SEARCH messages USING INDEX idx_messages_thread_id_turn_id_place"
    " (thread_id=? AND turn_id>?)",
    # The end of what the summary covers.
    "SCALAR SUBQUERY 2",
    "SEARCH summaries USING INDEX idx_summaries_thread_id_until (thread_id=?)",
    "SCALAR SUBQUERY 1",
    "SEARCH threads USING COVERING INDEX idx_threads_platform_channel_workspace_thread"
    " (platform=? AND channel=? AND workspace=? AND thread=?)",
    "SEARCH turns USING INTEGER PRIMARY KEY (rowid=?)",
]


SORT = "USE TEMP B-TREE FOR ORDER BY"


@pytest.mark.parametrize("analyzed", [False, True])
async def test_nothing_in_the_life_of_a_turn_reads_a_whole_table(
    store: DatabaseStore, analyzed: bool
) -> None:
    for number in range(40):
        thread = replace(HERE, thread=f"{number % 10}", channel=f"C{number % 5}")
        await exchange(store, said(f"{number}", at=number, thread=thread), "Yes.")
    writer = await store._write(of_sqlite)
    reader = await store._read(of_sqlite)
    if analyzed:
        await store._write(lambda db: db.execute("ANALYZE"))
    statements = set[str]()

    def note(sql: str, _: object) -> None:
        if sql.split()[0] in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            statements.add(sql)

    with writer.tracer(note), reader.tracer(note):
        await live(store)
    assert len(statements) >= 30
    plans = {sql: await store._write(partial(plan_of, sql=sql)) for sql in statements}
    scans = {
        sql: step
        for sql, plan in plans.items()
        for step in plan
        # What the index of words does not have yet, which is next to nothing.
        if step.startswith("SCAN") and not step.startswith("SCAN search_")
        # The rows of a statement itself.
        if not step.endswith(" CONSTANT ROWS")
    }
    # Read without the tracer, as tuples.
    plan = await store._write(partial(plan_of, sql=conversation.CONVERSATION))
    assert plan == CONVERSATION_PLAN
    # The index that holds nothing but open turns is short, and wanted whole.
    assert scans == {
        thread_queries.OPEN_THREADS: "SCAN turns USING INDEX idx_turns_open"
    }
    # The turn that is next, or was last, is found without a look at the others.
    for each in (
        turn_reading.NEXT_TURN,
        earlier_turns.PREVIOUS_TURN,
        earlier_turns.ANSWERED,
        inbox.WAITING_TURN.format(thread=":thread"),
    ):
        assert SORT not in await store._write(partial(plan_of, sql=each))


async def live(store: DatabaseStore) -> None:
    """Do to a turn all that can be done, and read all that can be read of it."""
    quoted = said("y", at=0.75)
    turn = await waiting(
        store, said("a", at=90.0), said("b", at=91.0, quotes=(quoted,))
    )
    await store.receive(said("c", at=92.0), keep)
    await store.begin_turn(turn, 93.0)
    await store.release_turn(turn)
    await store.begin_turn(turn, 94.0)
    place = Scope.of(HERE)
    await store.stored_settings(place)
    await store.pin_settings(HERE, {"model": "m"})
    change = Change(place.at(ScopeLevel.CHANNEL), "model", "n")
    await store.change_settings([change], who="U1", now=94.0, base=0, running=True)
    cap = Budget(place.at(ScopeLevel.CHANNEL), Period.DAY, 5.0)
    limits = BudgetLimits((cap,), (PersonLimit(place, messages=5),))
    await store.reserve(turn, "U1", 0.1, limits, 94.0)
    await store.balance(cap.place, Period.DAY, 94.0)
    await store.backfill(turn, [said("z", at=0.5, opens=True)])
    await store.store_prompt(turn, "Monday.", {"a": "A", "b": "B", "c": "C", "z": "Z"})
    await store.store_part(turn, PostedPart(0, None, "text"), "text", 94.0)
    await store.store_part(turn, PostedPart(0, "m", "text"), "text", 95.0)
    await store.forget_part(turn, 1)
    await store.finish_turn(turn, done("text"), 96.0, limits)
    await store.record_feedback(HERE, turn.key, True)
    await store.next_turn(HERE)
    await store.open_threads()
    await store.mark_delivered(turn, 97.0)
    await store.conversation(HERE)
    await store.question_times(HERE, 12)
    covered = await store.read_turns(HERE)
    summary = Summary("Said.", "<summary>Said.</summary>", 5, "m", 97.0)
    assert await store.store_summary(HERE, covered, summary)
    await store.summary(HERE, turn.key)
    await store.thread_state(HERE, 12)
    await store.transcript(HERE)
    await store.receipt(HERE, turn.key)
    await store.answers(HERE, 3)
    await store.turn_of_message(place, "m")
    await store.turn_of_message(place, "a")
    await store.list_threads("slack", "C1")
    await store.newest_messages("slack", since=91.0)
    await store.spending(since=96.0)
    await store.spending(96.0, cap.place, "U1")
    assert await repeated(store, 98.0)
    await store.stored_message(HERE, "a")
    await store.edit_message(said("a", text="A!"), "A!", 99.0)
    await store.delete_messages("slack", "T1", ["a", "b"], "C1", 100.0)
    await store.reset_context(HERE)
    await store.move_thread(HERE, replace(HERE, thread="elsewhere"))


def plan_of(db: Connection, sql: str) -> list[str]:
    names = re.findall(r":(\w+)", sql)
    nothing = dict.fromkeys(names) if names else [None] * sql.count("?")
    rows = db.execute(f"EXPLAIN QUERY PLAN {sql}", nothing)
    return [row["detail"] for row in rows]


async def test_after_a_cleanup_what_was_deleted_is_in_no_file(tmp_path: Path) -> None:
    def is_stored() -> bool:
        return any(b"nobody may" in each.read_bytes() for each in tmp_path.iterdir())

    async with open_store(tmp_path / "threadkeep.db") as store:
        question = said("m1", text="What nobody may read")
        await exchange(store, question, "An answer.")
        assert is_stored()
        deleted = await store.clean_up(Retention(threads=0.0), 4e9)
        assert deleted["threads"] == 1
        assert not is_stored()
