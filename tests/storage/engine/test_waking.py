"""Processes are woken for turns and cases in the transaction that stores them."""

import asyncio
import json
import os
import time
from dataclasses import replace
from functools import partial

import pytest
from click.testing import CliRunner

from bot.cli.main import main
from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase
from bot.ports.wakeups import GATEWAY
from storage.engine import presence
from tests.storage.engine.conftest import Process, Processes
from tests.support import postgres
from tests.support.store_helpers import HERE, THERE, answer, keep, said

ASIDE = replace(HERE, thread="3.0")
CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
JOBS = """
    SELECT task_name, lock, args, status FROM procrastinate_jobs
    WHERE queue_name <> 'chores' ORDER BY id
"""


async def test_a_question_wakes_one_process_once(processes: Processes) -> None:
    one, two = await processes.one("one"), await processes.one("two")
    for thread in (HERE, THERE):
        await one.store.receive(said("m1", thread=thread), answer)
    await processes.until(lambda: len(one.drained + two.drained) == 2)
    await processes.until(lambda: not processes.ask(JOBS))
    assert sorted(map(str, one.drained + two.drained)) == [str(HERE), str(THERE)]
    assert await one.store.open_threads() == []


async def test_a_job_is_stored_with_its_turn_and_holds_the_thread_alone(
    processes: Processes,
) -> None:
    one = await processes.one("one", starts=False)
    await one.store.receive(said("m1"), keep)
    assert processes.ask(JOBS) == []
    await one.store.receive(said("m2"), answer)
    # It joins the turn that waits.
    await one.store.receive(said("m3"), answer)
    job = {
        **{"platform": "slack", "workspace": "T1"},
        **{"channel": "C1", "thread": "1.0", "asker": "slack:U1"},
    }
    assert processes.ask(JOBS) == [("drain", "slack:T1:C1:1.0", job, "todo")]


async def test_nobody_is_woken_for_a_thread_that_is_held_until_it_is_given(
    processes: Processes,
) -> None:
    hearing = await processes.one("hearing", role=GATEWAY)
    other = await processes.one("other")
    await hearing.store.receive(said("m1"), answer, held=True)
    await hearing.store.receive(said("m2", thread=ASIDE), answer)
    # Nor when it is looked for what lacks a job.
    await processes.until(lambda: ASIDE in hearing.drained + other.drained)
    assert processes.ask("SELECT count(*) FROM threads WHERE owner = 'hearing'")
    # Only who holds it may give it.
    await other.store.give_thread(HERE, THERE)
    assert HERE not in hearing.drained + other.drained
    await hearing.store.give_thread(HERE, THERE)
    await processes.until(lambda: THERE in hearing.drained + other.drained)
    await processes.until(lambda: not processes.ask(JOBS))
    assert await hearing.store.open_threads() == []
    await hearing.store.give_thread(THERE, HERE)
    assert processes.ask(JOBS) == []


async def test_a_thread_whose_holder_was_killed_is_woken(processes: Processes) -> None:
    hearing = await processes.one("hearing", role=GATEWAY)
    other = await processes.one("other")
    await hearing.store.receive(said("m1"), answer, held=True)
    await hearing.kill()
    await processes.until(lambda: other.drained == [HERE])
    await processes.until(lambda: not processes.ask(JOBS))
    # It changes nothing when it goes on.
    await hearing.store.give_thread(HERE, THERE)
    assert await other.store.open_threads() == []
    assert processes.ask("SELECT thread FROM threads") == [("1.0",)]


async def test_a_turn_that_is_given_back_wakes_again(processes: Processes) -> None:
    one = await processes.one("one", starts=False)
    await one.store.receive(said("m1"), answer)
    processes.ask("DELETE FROM procrastinate_jobs")
    turn = await one.store.take_turn(HERE)
    assert turn is not None
    await one.store.begin_turn(turn, time.time())
    assert processes.ask(JOBS) == []
    await one.store.release_turn(turn)
    assert len(processes.ask(JOBS)) == 1


async def test_one_process_at_a_time_drains_a_thread(processes: Processes) -> None:
    one, two = await processes.one("one"), await processes.one("two")
    for each in (one, two):
        each.gates[HERE] = asyncio.Event()
    await one.store.receive(said("m1"), answer)
    await processes.until(lambda: one.drained + two.drained)
    turn = await one.store.next_turn(HERE)
    assert turn is not None
    await one.store.begin_turn(turn, time.time())
    # A second turn, whose job waits behind the first.
    await one.store.receive(said("m2"), answer)
    await processes.until(lambda: len(processes.ask(JOBS)) == 2)
    assert len(one.drained + two.drained) == 1
    for each in (one, two):
        each.gates[HERE].set()
    await processes.until(lambda: not processes.ask(JOBS))
    assert await one.store.open_threads() == []


async def test_a_worker_is_awake_while_it_fetches_jobs(processes: Processes) -> None:
    one = await processes.one("one", starts=False)
    assert not one.engine.is_awake()
    # Known to the others, it fetches nothing yet.
    await one.start(works=False)
    assert not one.engine.is_awake()
    one.begin_work()
    await processes.until(one.engine.is_awake)
    one.closing.set()
    await processes.until(lambda: not one.engine.is_awake())


async def test_a_gateway_is_awake_while_the_others_know_it(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    # It does not connect again while the test lasts.
    monkeypatch.setattr(presence, "AGAIN", 3600.0)
    one = await processes.one("one", starts=False, role=GATEWAY)
    assert not one.engine.is_awake()
    await one.start(works=False)
    assert one.engine.is_awake()
    processes.ask(CUT)
    await processes.until(lambda: not one.engine.is_awake())


async def test_a_thread_without_a_job_is_woken(processes: Processes) -> None:
    one = await processes.one("one", starts=False)
    await one.store.receive(said("m1"), answer)
    processes.ask("DELETE FROM procrastinate_jobs")
    await one.start()
    await processes.until(lambda: one.drained == [HERE])


async def test_a_case_is_sorted_once_there_is_a_place(processes: Processes) -> None:
    one = await processes.one("one")
    one.has_place = False
    channel = Scope("slack", "T1", "C1")
    case = TriageCase(0, channel, "m1", time.time(), "U1", "help", auto=True)
    opened = await one.store.open_case(case)
    await processes.until(lambda: one.sorted)
    one.has_place = True
    await processes.until(lambda: len(one.sorted) == 2)
    assert one.sorted == [(opened.id, channel)] * 2
    await processes.until(lambda: not processes.ask(JOBS))
    # One that is not automatic wakes nobody.
    await one.store.open_case(TriageCase(0, channel, "m2", time.time(), "U1", "help"))
    assert processes.ask(JOBS) == []


async def test_who_is_asked_to_stop_is_told(processes: Processes) -> None:
    one, two = await processes.one("one"), await processes.one("two")
    gates = {process: asyncio.Event() for process in (one, two)}
    for process, gate in gates.items():
        process.gates[HERE] = gate
    await one.store.receive(said("m1"), answer)
    await processes.until(lambda: one.drained + two.drained)
    turn = await one.store.next_turn(HERE)
    assert turn is not None
    assert await two.store.ask_to_stop(HERE, turn.key, "stop")
    assert not await two.store.ask_to_stop(HERE, turn.key, "stop")

    def told(process: Process) -> bool:
        return ("stop", turn.key) in process.stopped

    # Everybody is told; who has it stops it.
    await processes.until(lambda: told(one) and told(two))
    stopped = await one.store.next_turn(HERE)
    assert stopped is not None
    assert stopped.is_stopped


async def test_chores_are_done_by_one_process(processes: Processes) -> None:
    one, two = await processes.one("one"), await processes.one("two")
    began = time.time()
    await processes.until(lambda: one.periodic_tasks + two.periodic_tasks >= 2)
    # Once a second, not once a second in each.
    assert one.periodic_tasks + two.periodic_tasks <= time.time() - began + 2


async def test_who_runs_is_listed_by_a_command(processes: Processes) -> None:
    one = await processes.one("one")
    for thread in (HERE, THERE):
        one.gates[thread] = asyncio.Event()
        await one.store.receive(said("m1", thread=thread), answer)
    await processes.until(lambda: len(one.drained) == 2)
    taken = [await one.store.take_turn(thread) for thread in (HERE, THERE)]
    assert taken[0]
    await one.store.begin_turn(taken[0], time.time())
    env = {"THREADKEEP_DB": postgres.uri(processes.address), "COLUMNS": "200"}
    command = partial(CliRunner().invoke, main, env=env)
    ran = await asyncio.to_thread(command, ["now", "--json"])
    [found] = json.loads(ran.output)["processes"]
    assert (found["role"], found["threads"]) == ("work", 2)
    turns = [(each["state"], each["count"]) for each in found["turns"]]
    assert turns == [("answering", 1), ("waiting", 1)]
    ran = await asyncio.to_thread(command, ["now"])
    assert ran.exit_code == 0
    here = f":{os.getpid()} "
    shown = [line.split() for line in ran.output.splitlines() if here in line]
    # The process itself, and what it answers.
    assert [line[0] for line in shown[:1]] == ["work"]
    assert [line[1:4] for line in shown[1:]] == [
        ["slack", "answering", "1"],
        ["slack", "waiting", "1"],
    ]
