"""Tests of the threads of a store on PostgreSQL."""

import asyncio
import logging
import random
import threading
from collections.abc import AsyncIterator
from contextlib import closing
from functools import partial
from pathlib import Path

import psycopg
import pytest

from bot.domain.turn import Turn, TurnState
from bot.errors import StorageBusy, StorageError, StorageRejected
from storage import dialect, leases
from storage.postgres.connection import LOCK_SECONDS, Connection
from storage.postgres.pool import Pool
from tests.support import shared_database
from tests.support.store_helpers import HERE

ADD = "INSERT INTO t VALUES (?, ?)"
CHANGE = "UPDATE t SET text = text || 'x' WHERE id = ?"
SECRET = "what somebody said"


@pytest.fixture
async def pool(with_table: str) -> AsyncIterator[Pool]:
    with closing(Pool(partial(Connection, with_table))) as opened:
        yield opened


def count(db: Connection) -> int:
    [(found,)] = db.execute("SELECT count(*) FROM t").fetchall()
    return int(found)


def add(db: Connection, id: object = 1, text: str = "") -> None:
    db.execute(ADD, [id, text])


async def test_a_change_is_seen_by_reads_that_begin_after_it(pool: Pool) -> None:
    await pool.write(add)
    assert await pool.read(count) == await pool.report(count) == 1


async def test_a_change_that_fails_changes_nothing(pool: Pool) -> None:
    def change(db: Connection) -> None:
        add(db)
        raise LookupError

    with pytest.raises(LookupError):
        await pool.write(change)
    assert await pool.read(count) == 0


async def test_refused_values_are_not_told(pool: Pool) -> None:
    await pool.write(partial(add, text=SECRET))
    for change in (
        partial(add, text=SECRET),
        partial(add, id=2**70),
        partial(add, id=SECRET),
        partial(add, id=3, text=f"{SECRET} \ud800"),
    ):
        with pytest.raises(StorageRejected) as raised:
            await pool.write(change)
        assert SECRET not in str(raised.value)
        assert raised.value.__cause__ is None
    assert await pool.read(count) == 1


async def test_a_read_writes_nothing(pool: Pool) -> None:
    with pytest.raises(StorageError):
        await pool.read(
            lambda db: db.execute(f"{ADD} RETURNING id", [1, ""]).fetchone()
        )
    assert await pool.read(count) == 0


async def test_a_read_sees_one_state(pool: Pool) -> None:
    began, written = threading.Event(), threading.Event()

    def look(db: Connection) -> tuple[int, int]:
        before = count(db)
        began.set()
        written.wait(30)
        return before, count(db)

    seen = asyncio.ensure_future(pool.read(look))
    await asyncio.to_thread(began.wait, 30)
    await pool.write(add)
    written.set()
    assert await seen == (0, 0)


async def test_a_server_that_became_a_replica_is_left(pool: Pool) -> None:
    """Connections that are made afterwards may write."""
    tries = []

    def change(db: Connection) -> None:
        tries.append(db)
        if len(tries) == 1:
            db.execute("SET transaction_read_only = on")
        add(db)

    await pool.write(change)
    assert await pool.read(count) == 1
    first, second = tries
    assert first is not second


async def test_a_deadlock_is_tried_again(pool: Pool) -> None:
    for id in (1, 2):
        await pool.write(partial(add, id=id))
    both = threading.Barrier(2)
    tries = []

    def swap(db: Connection, first: int, second: int) -> None:
        tries.append(first)
        assert db.execute(CHANGE, [first]).rowcount == 1
        if len(tries) <= 2:
            both.wait(30)
        assert db.execute(CHANGE, [second]).rowcount == 1

    await asyncio.gather(
        pool.write(partial(swap, first=1, second=2)),
        pool.write(partial(swap, first=2, second=1)),
    )
    # The server may find the deadlock from both sides at once.
    assert len(tries) in (3, 4)
    texts = await pool.read(
        lambda db: [row["text"] for row in db.execute("SELECT text FROM t")]
    )
    assert texts == ["xx", "xx"]


async def test_a_statement_that_the_server_knows_no_more_is_prepared_again(
    with_table: str,
) -> None:
    """A disk that was full leaves connections in this state, for good."""
    forget = "DO $$ BEGIN EXECUTE 'DEALLOCATE ALL'; END $$"
    with closing(Pool(partial(Connection, with_table), writers=1, readers=1)) as pool:
        await pool.write(add)
        for run in (pool.write, pool.read):
            for _ in range(10):
                await run(count)
            await run(lambda db: db.execute(forget).rowcount)
            assert await run(count) == 1


async def test_no_statement_waits_for_ever_for_another(pool: Pool) -> None:
    limit = await pool.read(
        lambda db: db.execute("SELECT current_setting('lock_timeout')").fetchone()
    )
    assert limit is not None
    assert limit[0] == f"{LOCK_SECONDS}s"


async def test_what_the_row_of_a_thread_is_refused_for_is_told() -> None:
    """Of a write of a turn, whose first statement fails and is looked at once more."""
    address = shared_database.shared().url
    with (
        closing(Connection(address)) as blocker,
        closing(Pool(partial(Connection, address))) as pool,
    ):
        turn = Turn(1, "k", HERE, TurnState.WAITING, 0, 0.0)
        blocker.execute("BEGIN")
        blocker.execute("LOCK TABLE threads IN ACCESS EXCLUSIVE MODE")

        def change(db: Connection) -> None:
            db.execute("SET LOCAL lock_timeout = '10ms'")
            with leases.held(db, turn):
                db.execute("SELECT 1").fetchone()

        with pytest.raises(StorageError, match="lock timeout"):
            await pool.write(change)


def end(address: str) -> None:
    """End all connections of others to the database at `address`."""
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )


async def test_a_lost_connection_is_replaced(pool: Pool, with_table: str) -> None:
    await pool.write(add)
    assert await pool.read(count) == 1
    end(with_table)
    await pool.write(partial(add, id=2))
    assert await pool.read(count) == 2


async def test_a_connection_lost_before_the_commit_loses_nothing(
    pool: Pool, with_table: str
) -> None:
    tries: list[None] = []

    def change(db: Connection) -> None:
        tries.append(None)
        if len(tries) == 1:
            end(with_table)
        add(db, 1 + count(db))

    await pool.write(change)
    assert len(tries) == 2
    assert await pool.read(count) == 1


async def test_a_cancelled_change_is_made_all_the_same(pool: Pool) -> None:
    held = threading.Event()

    def change(db: Connection) -> None:
        held.wait(30)
        add(db)

    writing = asyncio.ensure_future(pool.write(change))
    await asyncio.sleep(0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    held.set()
    await asyncio.to_thread(pool.close)


async def test_too_many_calls_are_rejected_at_once(
    with_table: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    held = threading.Event()
    with closing(Pool(partial(Connection, with_table), most=2)) as pool:
        waiting = [
            asyncio.ensure_future(pool.read(lambda db: held.wait(30))) for _ in "12"
        ]
        await asyncio.sleep(0)
        with pytest.raises(StorageBusy):
            await pool.read(lambda db: None)
        held.set()
        assert await asyncio.gather(*waiting) == [True, True]
        assert await pool.read(lambda db: True)
    assert "storage.reader_refused" in caplog.text


async def test_a_server_that_is_away_is_said_to_be(tmp_path: Path) -> None:
    away = f"host={tmp_path} user=u password={SECRET.split()[0]} dbname=d"
    with (
        closing(Pool(partial(Connection, away))) as pool,
        pytest.raises(StorageError) as raised,
    ):
        await pool.read(count)
    assert "does not answer" in str(raised.value)
    assert "what" not in str(raised.value)


async def test_a_part_that_fails_is_undone_alone(pool: Pool) -> None:
    def change(db: Connection) -> None:
        add(db, 1, "kept")
        with pytest.raises(StorageRejected), db.atomic():
            db.executemany(ADD, [(2, "undone"), (1, "twice")])
        add(db, 3, "kept")

    await pool.write(change)
    texts = await pool.read(
        lambda db: [row["text"] for row in db.execute("SELECT text FROM t")]
    )
    assert texts == ["kept", "kept"]


async def test_what_is_not_looked_at_is_not_waited_for(pool: Pool) -> None:
    def change(db: Connection) -> Connection:
        before.append(db.waits)
        for id in range(10):
            add(db, id)
        assert count(db) == 10
        return db

    before: list[int] = []
    db = await pool.write(change)
    # For the count, and for the commit.
    assert db.waits - before[0] == 2


async def test_a_large_file_is_written_once(
    address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dialect, "_PIECE", 1_000)
    data = random.Random(1).randbytes(20_500)

    def store(db: Connection) -> int:
        # One row is written for each file, whatever its size.
        db.execute("CREATE TABLE file_contents (digest text, data bytea)")
        for digest, content in (("a", data), ("b", data[::-1]), ("c", b"small")):
            [(row,)] = db.execute(
                "INSERT INTO file_contents VALUES (?, '') RETURNING ctid", [digest]
            ).fetchall()
            dialect.write_content(db, row, content)
        [(written,)] = db.execute(
            "SELECT n_tup_upd FROM pg_stat_xact_user_tables "
            "WHERE relname = 'file_contents'"
        ).fetchall()
        return int(written)

    with closing(Pool(partial(Connection, address))) as pool:
        assert await pool.write(store) == 3
        for digest, content in (("a", data), ("b", data[::-1]), ("c", b"small")):
            read = partial(dialect.read_content, digest=digest)
            assert await pool.read(read) == content
