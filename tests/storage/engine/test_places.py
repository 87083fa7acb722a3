"""Threads that wait while all places of all processes are taken."""

import asyncio
from dataclasses import replace

import pytest

from bot.domain.scope import Scope, ThreadKey
from bot.domain.triage_case import TriageCase
from storage.engine import worker
from tests.storage.engine.conftest import Process, Processes
from tests.support.store_helpers import HERE, answer, said

JOBS = "SELECT 1 FROM procrastinate_jobs WHERE queue_name <> 'chores'"


@pytest.fixture(autouse=True)
def told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let jobs be found by notifications alone."""
    monkeypatch.setattr(worker, "POLL", 3600.0)


async def ask(process: Process, name: str) -> ThreadKey:
    """Let the person that `name` begins with ask in a thread of that name."""
    thread = replace(HERE, thread=name)
    await process.store.receive(said("m1", thread=thread, author=name[0]), answer)
    return thread


async def busy(processes: Processes) -> tuple[Process, asyncio.Event]:
    """Return a process whose only place is taken until the event is set."""
    one = await processes.one("one", at_once=1)
    first = replace(HERE, thread="a1")
    gate = one.gates[first] = asyncio.Event()
    await ask(one, "a1")
    await processes.until(lambda: one.drained == [first])
    return one, gate


def names(process: Process) -> list[str]:
    return [each.thread for each in process.drained]


async def test_people_take_turns_however_much_one_of_them_asks(
    processes: Processes,
) -> None:
    one, gate = await busy(processes)
    for name in ("a2", "a3", "a4", "a5", "b1", "c1", "b2"):
        await ask(one, name)
    gate.set()
    await processes.until(lambda: len(one.drained) == 8)
    assert names(one) == ["a1", "a2", "b1", "c1", "a3", "b2", "a4", "a5"]


async def test_who_comes_later_is_not_put_before_those_who_wait(
    processes: Processes,
) -> None:
    one, gate = await busy(processes)
    for name in ("a2", "a3", "a4"):
        await ask(one, name)
    middle = one.gates[replace(HERE, thread="a3")] = asyncio.Event()
    gate.set()
    await processes.until(lambda: names(one) == ["a1", "a2", "a3"])
    # The round in which a3 runs is theirs, and a4 comes in the next one.
    for name in ("b1", "b2", "b3"):
        await ask(one, name)
    middle.set()
    await processes.until(lambda: len(one.drained) == 7)
    assert names(one)[3:] == ["b1", "a4", "b2", "b3"]


async def test_a_thread_waits_for_whoever_has_a_place(processes: Processes) -> None:
    one, gate = await busy(processes)
    later = await ask(one, "b1")
    two = await processes.one("two", at_once=1)
    await processes.until(lambda: two.drained == [later])
    assert names(one) == ["a1"]
    gate.set()
    await processes.until(lambda: not processes.ask(JOBS))


async def test_cases_are_sorted_while_all_places_are_taken(
    processes: Processes,
) -> None:
    one, _ = await busy(processes)
    await ask(one, "b1")
    channel = Scope("slack", "T1", "C1")
    case = TriageCase(0, channel, "m1", 1.0, "U1", "help", auto=True)
    await one.store.open_case(case)
    await processes.until(lambda: one.sorted)
    assert names(one) == ["a1"]


async def test_a_thread_without_a_place_for_its_workspace_lets_others_go_first(
    processes: Processes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "POLL", 0.2)
    one = await processes.one("one", at_once=1)
    one.has_place = False
    first = await ask(one, "a1")
    await processes.until(lambda: one.sent_away == [first])
    one.has_place = True
    second = await ask(one, "b1")
    await processes.until(lambda: len(one.drained) == 2)
    assert set(one.drained) == {first, second}
    await processes.until(lambda: not processes.ask(JOBS))
