"""The work of processes that ended without notice is continued; guards on the
engine."""

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AsyncExitStack, closing
from dataclasses import replace

import psycopg
import pytest
from procrastinate.worker import Worker

from bot.domain.turn import Turn
from bot.errors import ThreadLost
from bot.ports.wakeups import GATEWAY
from storage import leases
from storage.engine import presence, reaper
from storage.engine.origin import is_gone, origin
from storage.engine.reaper import Reaper
from storage.postgres.connection import Connection, name_of
from storage.postgres.lock_numbers import PROCESSES
from tests.storage.engine.conftest import Process, Processes
from tests.support import postgres
from tests.support.store_helpers import HERE, answer, said

JOBS = "SELECT id FROM procrastinate_jobs WHERE queue_name <> 'chores'"
LISTED = "SELECT id FROM processes ORDER BY id"
CUT = """
    SELECT pid, pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""

# How many processes hold their lock, but for some connections.
LOCKED = f"""
    SELECT count(*) FROM pg_locks
    WHERE locktype = 'advisory' AND granted AND classid = {PROCESSES}
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
      AND pid <> ALL (%s)
"""


async def leave(processes: Processes, *, seen: float) -> tuple[Process, Turn]:
    """Leave what a killed process leaves: it had fetched a job, taken the thread and
    begun its turn, and gave its last sign of life `seen` seconds ago."""
    ghost = await processes.one("ghost", starts=False)
    await ghost.store.receive(said("m1"), answer)
    [(worker,)] = processes.ask("SELECT * FROM procrastinate_register_worker_v1()")
    processes.ask("SELECT procrastinate_fetch_job_v2(NULL, %s)", worker)
    with closing(Connection(processes.address)) as db:
        leases.enter(db, "ghost", "work", time.time() - seen)
    processes.ask("UPDATE processes SET worker = %s", worker)
    turn = await ghost.store.take_turn(HERE)
    assert turn is not None
    await ghost.store.begin_turn(turn, time.time())
    return ghost, turn


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reaper, "SETTLED", 0.5)


@pytest.mark.usefixtures("settled")
async def test_the_turns_of_a_killed_process_go_on(processes: Processes) -> None:
    ghost, turn = await leave(processes, seen=0.0)
    one = await processes.one("one")
    await processes.until(lambda: one.drained == [HERE])
    await processes.until(lambda: one.reapings == 1)
    assert processes.ask(LISTED) == [("one",)]
    await processes.until(lambda: not processes.ask(JOBS))
    assert await one.store.open_threads() == []
    with pytest.raises(ThreadLost):
        await ghost.store.mark_delivered(turn, time.time())


@pytest.fixture
def program() -> Iterator["subprocess.Popen[bytes]"]:
    """A process of this machine."""
    command = [sys.executable, "-c", "import sys; sys.stdin.read()"]
    with subprocess.Popen(command, stdin=subprocess.PIPE) as program:
        yield program
        program.kill()


async def test_of_this_machine_who_has_ended_is_reaped_at_once(
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
    program: "subprocess.Popen[bytes]",
) -> None:
    monkeypatch.setattr(reaper, "SETTLED", 3600.0)
    await leave(processes, seen=0.0)
    processes.ask("UPDATE processes SET origin = %s", origin(program.pid))
    with closing(Connection(processes.address)) as db:
        # Nobody knows anything of these.
        leases.enter(db, "elsewhere", "work", time.time())
        leases.enter(db, "unlocked", "work", time.time())
    processes.ask(
        "UPDATE processes SET origin = %s WHERE id = 'elsewhere'",
        origin(program.pid).replace(":[", ":[9"),
    )
    one = await processes.one("one")
    await processes.until(lambda: one.engine.is_awake())
    assert one.reapings == 0
    # Its parent has not looked yet.
    program.kill()
    await processes.until(lambda: one.drained == [HERE])
    assert processes.ask(LISTED) == [("elsewhere",), ("one",), ("unlocked",)]


@pytest.mark.parametrize(
    "of",
    [
        "",
        "a b c",
        "boot pid:[1] 1 1",
        "boot pid:[1] x 1",
        "boot pid:[1] 1",
        f"{'9' * 30} 1",
    ],
)
def test_an_origin_that_is_not_of_this_machine_tells_nothing(of: str) -> None:
    assert not is_gone(of)


def test_a_number_that_is_used_again_is_another_process() -> None:
    assert not is_gone(origin())
    assert is_gone(f"{origin()}0")


@pytest.mark.usefixtures("settled")
async def test_a_silent_process_is_reaped_though_it_holds_its_lock(
    processes: Processes,
) -> None:
    await leave(processes, seen=reaper.SILENT + 1)
    with psycopg.connect(processes.address, autocommit=True) as held:
        held.execute("SELECT pg_advisory_lock(%s, hashtext('ghost'))", [PROCESSES])
        one = await processes.one("one")
        await processes.until(lambda: one.drained == [HERE])
    assert processes.ask(LISTED) == [("one",)]


@pytest.mark.usefixtures("settled")
async def test_a_process_that_is_stopped_in_a_transaction_holds_nobody_up(
    processes: Processes,
) -> None:
    await leave(processes, seen=reaper.SILENT + 1)
    name = name_of("ghost")
    with closing(Connection(processes.address, application_name=name)) as stopped:
        stopped.execute("BEGIN")
        assert stopped.execute("SELECT 1 FROM threads FOR UPDATE").fetchone()
        one = await processes.one("one")
        await processes.until(lambda: not processes.ask(JOBS))
        assert await one.store.open_threads() == []
        with pytest.raises(psycopg.Error):
            stopped.execute("COMMIT")


@pytest.mark.usefixtures("settled")
async def test_a_process_that_holds_its_lock_keeps_its_threads(
    processes: Processes,
) -> None:
    await leave(processes, seen=0.0)
    with psycopg.connect(processes.address, autocommit=True) as held:
        held.execute("SELECT pg_advisory_lock(%s, hashtext('ghost'))", [PROCESSES])
        one = await processes.one("one")
        # Others come and go meanwhile.
        two = await processes.one("two")
        await two.kill()
        await processes.until(lambda: one.reapings == 1)
        assert processes.ask(LISTED) == [("ghost",), ("one",)]
        assert one.drained == []


async def test_nobody_is_reaped_before_all_had_time_to_lock_again(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reaper, "SETTLED", 3_600.0)
    ages = []
    look = Reaper.look

    async def noting(
        self: Reaper, connection: psycopg.AsyncConnection, me: str, age: float
    ) -> None:
        await look(self, connection, me, age)
        ages.append(age)

    # Before they start, or one of them takes its job.
    await leave(processes, seen=0.0)
    everybody = [await processes.one(name) for name in ("one", "two", "three")]
    began = time.monotonic()
    cut = [pid for pid, _ in processes.ask(CUT)]
    await processes.until(lambda: processes.ask(LOCKED, cut) == [(3,)])
    monkeypatch.setattr(Reaper, "look", noting)
    # One that is unlocked is looked at twice before it counts as ended.
    await processes.until(lambda: len(ages) >= 3 * len(everybody))
    # They count from the new connections on.
    assert max(ages) < time.monotonic() - began
    assert [each.reapings for each in everybody] == [0, 0, 0]
    assert ("ghost",) in processes.ask(LISTED)
    # The one that has no lock when the time is over is the one that ended.
    monkeypatch.setattr(reaper, "SETTLED", 0.0)
    await processes.until(lambda: sum(each.reapings for each in everybody) == 1)
    assert processes.ask(LISTED) == [("one",), ("three",), ("two",)]
    await processes.until(lambda: not processes.ask(JOBS))
    assert sum(each.drained.count(HERE) for each in everybody) >= 1


async def test_one_that_was_reaped_is_listed_again(processes: Processes) -> None:
    one = await processes.one("one")
    processes.ask("DELETE FROM processes")
    processes.ask("DELETE FROM procrastinate_workers")
    await processes.until(lambda: processes.ask(LISTED) == [("one",)])
    # Its worker is started again, since the engine does not know it any more.
    await one.store.receive(said("m1"), answer)
    await processes.until(lambda: one.drained == [HERE])


async def test_the_worker_is_started_again_when_a_task_of_the_engine_ends(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a periodic task the engine would not notice."""
    beats = []
    beat, fails = Worker._update_heartbeat, asyncio.Event()

    async def fails_once(worker: Worker) -> None:
        beats.append(worker)
        if len(beats) == 1:
            await fails.wait()
            raise OSError
        await beat(worker)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(Worker, "_update_heartbeat", fails_once)
    one = await processes.one("one", starts=False)
    # Those of the engine itself are left.
    one.has_to_do.clear()
    await one.start()
    # All of its tasks run by then, or have ended.
    await one.store.receive(said("m1"), answer)
    await processes.until(lambda: one.drained == [HERE])
    fails.set()
    await processes.until(lambda: len(beats) == 2)


@pytest.mark.usefixtures("settled")
async def test_a_chore_of_a_killed_process_is_done_by_another(
    processes: Processes,
) -> None:
    one = await processes.one("one")
    one.chore_gate.clear()
    await processes.until(lambda: one.periodic_tasks == 1)
    two = await processes.one("two")
    await one.kill()
    await processes.until(lambda: two.periodic_tasks >= 1)
    assert one.periodic_tasks == 1


async def test_the_table_of_jobs_has_statistics() -> None:
    known = "SELECT reltuples >= 0 FROM pg_class WHERE relname = 'procrastinate_jobs'"
    # A new database: statistics stay where only the rows are deleted.
    with postgres.database(postgres.woken) as address:
        async with AsyncExitStack() as stack:
            processes = Processes(address, stack)
            assert processes.ask(known) == [(False,)]
            await processes.one("one")
            await processes.until(lambda: processes.ask(known) == [(True,)])


async def test_what_was_begun_ends_before_a_process_leaves(
    processes: Processes,
) -> None:
    one = await processes.one("one")
    one.gates[HERE] = asyncio.Event()
    await one.store.receive(said("m1"), answer)
    await processes.until(lambda: one.drained)
    one.closing.set()
    two = await processes.one("two")
    one.gates[HERE].set()
    await processes.until(lambda: not processes.ask(JOBS))
    assert two.drained == []
    await one.kill()
    await one.engine.leave()
    assert processes.ask(LISTED) == [("two",)]


def test_who_is_alone_learns_of_it_within_a_minute() -> None:
    # A sign of life of another that ended may be as old as that.
    assert presence.COUNT + presence.LOOK + reaper.SILENT + reaper.SETTLED < 60.0


async def test_a_gateway_without_workers_says_so(
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(presence, "COUNT", 0.1)
    gateway = Process(processes.address, "one", GATEWAY)
    try:
        await gateway.start(works=False)
        await processes.until(lambda: "process.nobody_answers" in caplog.text)
        caplog.clear()
        caplog.set_level("INFO")
        await processes.one("two")
        await processes.until(lambda: "process.no_longer_alone" in caplog.text)
        assert "process.nobody" not in caplog.text
    finally:
        await gateway.close()


async def test_who_is_alone_says_so(
    processes: Processes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(presence, "COUNT", 0.1)
    await processes.one("one")
    await processes.until(lambda: "process.nobody_hears" in caplog.text)
    caplog.clear()
    caplog.set_level("INFO")
    gateway = Process(processes.address, "two", GATEWAY)
    try:
        await gateway.start(works=False)
        await processes.until(lambda: "process.no_longer_alone" in caplog.text)
        assert "process.nobody" not in caplog.text
    finally:
        await gateway.close()


async def test_a_worker_may_take_some_queues_alone(processes: Processes) -> None:
    threads = [replace(HERE, thread=f"{number}.0") for number in range(8)]
    low = await processes.one("low", starts=False, queues=range(8))
    for each in threads:
        await low.store.receive(said("m1", thread=each), answer)
    queues = "SELECT count(*) FROM procrastinate_jobs WHERE queue_name = ANY (%s)"
    named = [f"threads-{number}" for number in range(8)]
    [(count,)] = processes.ask(queues, named)
    await low.start()
    await processes.until(lambda: processes.ask(queues, named) == [(0,)])
    assert len(low.drained) == count
    high = await processes.one("high", queues=range(8, 16))
    await processes.until(lambda: not processes.ask(JOBS))
    assert len(low.drained) + len(high.drained) == len(threads)
    assert 0 < len(low.drained) < len(threads)
