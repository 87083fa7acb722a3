"""A pytest plugin that runs the suite in several processes.

The tests are collected once, and the workers are forks of that process. With
pytest-xdist, each worker is a new process that imports and collects everything. For six
workers that takes some five seconds of processor time each, or twenty on a fresh clone,
where each compiles every test.

Rule 1: if a worker dies, the test that it was running fails, and another worker runs
its remaining tests.
Rule 2: a test that hangs is killed, and fails with the stacks of its tasks and threads.
"""

import asyncio
import collections
import contextlib
import faulthandler
import gc
import itertools
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TextIO, cast

import pytest
from _pytest.runner import runtestprotocol

from tests.support import processor_time
from tests.support.deep import rounds

# The most tests that a worker takes at once, unless their module has a fixture that all
# of its tests share.
CHUNK = 4

# Seconds after which a test counts as hanging. The slowest take half a minute on a busy
# machine, and an hour in the long form.
HANGING = float(os.environ.get("TEST_HANGING", rounds(300, 7_200)))

# The signals that ask a worker for the stacks of its tasks and of its threads, and the
# seconds that it gets for each. Code that holds the GIL prevents the first.
TASKS, THREADS, DUMPING = signal.SIGUSR1, signal.SIGUSR2, 1.0

_FORK = multiprocessing.get_context("fork")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "together(name): of all such tests, one worker runs them, as what they set up"
        " takes long and stays",
    )


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--workers", type=int, default=0, help="run the tests in so many processes"
    )
    parser.addoption(
        "--cpu",
        type=int,
        default=0,
        help="with --workers: print the processor time of each folder, and of so many "
        "files and tests",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the collected tests in workers, if several are configured."""
    count = session.config.getoption("workers")
    if count < 2 or session.config.option.collectonly or session.testsfailed:
        return None
    run = _Run(session, count)
    session.config.stash[_SPENT] = run.spent
    run.run()
    return True


#: Seconds of processor time by the id of a test, including children and forks.
_SPENT = pytest.StashKey[dict[str, float]]()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the tests that took the most processor time, with the option `--cpu`."""
    if not (most := config.getoption("cpu")):
        return
    spent = config.stash.get(_SPENT, {})
    terminalreporter.section(f"processor time: {sum(spent.values()):.0f} s")
    if postgres := sys.modules.get("tests.support.postgres"):
        terminalreporter.write_line(f"{postgres.used():8.2f}s PostgreSQL")
    for group, limit in ((_folder, len(spent)), (_module, most), (str, most)):
        sums = dict.fromkeys(map(group, spent), 0.0)
        for test, seconds in spent.items():
            sums[group(test)] += seconds
        for name in sorted(sums, key=lambda n: -sums[n])[:limit]:
            terminalreporter.write_line(f"{sums[name]:8.2f}s {name}")
        terminalreporter.write_line("")


def _module(test: str) -> str:
    return test.partition("::")[0]


def _folder(test: str) -> str:
    return _module(test).rpartition("/")[0]


def chunks(items: Sequence[pytest.Item]) -> list[list[int]]:
    """Return the positions of `items` in chunks. A chunk has tests of one module, in
    order. All tests that share a fixture, or are marked to run together, are in one
    chunk."""
    found: list[list[int]] = []
    shared: dict[str, list[int]] = {}
    marks = [item.get_closest_marker("together") for item in items]
    for number, mark in enumerate(marks):
        if mark is None:
            continue
        if (name := f"mark {mark.args[0]}") not in shared:
            found.append(shared.setdefault(name, []))
        shared[name].append(number)
    left = [number for number, mark in enumerate(marks) if mark is None]
    for _, group in itertools.groupby(left, lambda n: items[n].path):
        numbers = list(group)
        places = [place for n in numbers if (place := _shares(items[n]))]
        if not places:
            found += [numbers[n : n + CHUNK] for n in range(0, len(numbers), CHUNK)]
        elif (place := min(places, key=len)) in shared:
            shared[place] += numbers
        else:
            found.append(shared.setdefault(place, numbers))
    return found


def _shares(item: pytest.Item) -> str:
    """Return the module or folder for which a fixture of `item` is set up once, or ""
    for none. The fixture is defined there or, for a module, in its folder."""
    fixtures = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    module, folder = _module(item.nodeid), _folder(item.nodeid)
    found = ""
    for each in itertools.chain.from_iterable(fixtures.values()):
        if each.baseid in (module, folder):
            if each.scope in ("package", "session"):
                return str(each.baseid)
            found = module if each.scope == "module" else found
    return found


@dataclass
class _Worker:
    """A worker process and its tests."""

    process: Any
    stacks: Path
    #: Positions of its tests that have not begun.
    given: collections.deque[int] = field(default_factory=collections.deque)
    #: The position of the running test; `since` is the time at which it began.
    running: int | None = None
    since: float = 0.0
    #: The reason for which it was killed; "" for none.
    fault: str = ""


class _Run:
    """The workers of one session."""

    def __init__(self, session: pytest.Session, count: int) -> None:
        self.spent: dict[str, float] = {}
        self._session = session
        self._chunks = collections.deque(chunks(session.items))
        self._workers: dict[Connection, _Worker] = {}
        self._numbers = itertools.count()
        self._count = count

    def run(self) -> None:
        """Run all tests, and report them as if they had run in this process."""
        # Before forking, because each worker has a folder in this one.
        self._base = _temporary(self._session).getbasetemp()
        gc.freeze()
        for _ in range(self._count):
            self._fork()
        try:
            while self._workers:
                for ready in wait(list(self._workers), self._patience()):
                    self._receive(cast(Connection, ready))
                self._end_hanging()
                self._stop_if_asked()
        finally:
            for worker in self._workers.values():
                worker.process.kill()

    def _fork(self) -> None:
        ours, theirs = _FORK.Pipe()
        folder = self._base / f"worker{next(self._numbers)}"
        folder.mkdir()
        process = _FORK.Process(
            target=_work, args=(self._session, theirs, [*self._workers, ours], folder)
        )
        process.start()
        theirs.close()
        self._workers[ours] = _Worker(process, folder / "stacks")

    def _patience(self) -> float | None:
        """Return the seconds until a test counts as hanging, or None while no test is
        running."""
        began = [w.since for w in self._workers.values() if w.running is not None]
        if not began:
            return None
        return max(0.0, min(began) + HANGING - time.monotonic())

    def _receive(self, ready: Connection) -> None:
        worker = self._workers[ready]
        try:
            news = ready.recv()
            if news is None:
                chunk = self._chunks.popleft() if self._chunks else None
                worker.given.extend(chunk or ())
                ready.send(chunk)
                return
        except (EOFError, OSError):
            del self._workers[ready]
            self._reap(worker)
            return
        reports, seconds, begun = news
        if worker.running is not None:
            self.spent[self._session.items[worker.running].nodeid] = seconds
        worker.running, worker.since = begun, time.monotonic()
        if begun is not None:
            worker.given.remove(begun)
        hook = self._session.config.hook
        for data in reports:
            report = hook.pytest_report_from_serializable(
                config=self._session.config, data=data
            )
            hook.pytest_runtest_logreport(report=report)

    def _reap(self, worker: _Worker) -> None:
        """Report the test during which `worker` ended, and give its remaining tests to
        a new worker."""
        worker.process.join()
        if worker.running is not None:
            code = worker.process.exitcode
            self._fail(worker.running, worker.fault or f"its process ended with {code}")
        elif worker.process.exitcode:
            self._session.shouldfail = "a process of tests ended before it began one"
        if worker.given:
            self._chunks.appendleft(list(worker.given))
            self._fork()

    def _fail(self, position: int, reason: str) -> None:
        item = self._session.items[position]
        self._session.config.hook.pytest_runtest_logreport(
            report=pytest.TestReport(
                item.nodeid,
                item.location,
                keywords={},
                outcome="failed",
                longrepr=reason,
                when="call",
            )
        )

    def _end_hanging(self) -> None:
        """Kill each worker whose test hangs."""
        now = time.monotonic()
        for worker in self._workers.values():
            if worker.running is None or now < worker.since + HANGING or worker.fault:
                continue
            for number in (TASKS, THREADS):
                os.kill(worker.process.pid, number)
                worker.process.join(DUMPING)
            worker.process.kill()
            stacks = worker.stacks.read_text()
            worker.fault = f"it did not end within {HANGING:.0f} s\n{stacks}"

    def _stop_if_asked(self) -> None:
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)


def _work(
    session: pytest.Session,
    parent: Connection,
    others: Sequence[Connection],
    folder: Path,
) -> None:
    """Run tests in this worker process until none is left."""
    # These are the parent's ends. With them closed, `parent` ends when the parent dies.
    for each in others:
        each.close()
    _capture_anew(session)
    _temporary(session)._basetemp = folder
    items = session.items
    done: list[Any] = []
    spent = 0.0
    with open(folder / "stacks", "w") as stacks:
        signal.signal(TASKS, lambda *_: _print_tasks(stacks))
        faulthandler.register(THREADS, stacks)
        for position, following in _pairs(_positions(parent)):
            parent.send((done, spent, position))
            item = items[position]
            after = None if following is None else items[following]
            before = processor_time.used()
            done = [
                session.config.hook.pytest_report_to_serializable(
                    config=session.config, report=report
                )
                for report in runtestprotocol(item, log=False, nextitem=after)
                # Reports of successful set-ups and tear-downs are not shown.
                if report.when == "call" or not report.passed
            ]
            spent = processor_time.used() - before
        parent.send((done, spent, None))
        faulthandler.unregister(THREADS)
        signal.signal(TASKS, signal.SIG_IGN)
    sys.stdout.flush()


def _print_tasks(file: TextIO) -> None:
    """Print the stacks of the tasks of the running event loop, if there is one."""
    with contextlib.suppress(RuntimeError):
        for task in asyncio.all_tasks():
            task.print_stack(file=file)
    file.flush()


def _positions(parent: Connection) -> Iterator[int]:
    """Yield the positions of tests to run, chunk by chunk as `parent` gives them."""
    parent.send(None)
    while (chunk := parent.recv()) is not None:
        yield from chunk
        parent.send(None)


def _pairs(positions: Iterator[int]) -> Iterator[tuple[int, int | None]]:
    """Yield each of `positions` with the next one, or None after the last. pytest keeps
    the fixtures of a module until its last test."""
    here = next(positions, None)
    while here is not None:
        following = next(positions, None)
        yield here, following
        here = following


def _capture_anew(session: pytest.Session) -> None:
    """Capture output in new files of this process. The files of its parent have one
    position that all forks share."""
    capture = session.config.pluginmanager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():
        capture.stop_global_capturing()
        capture.start_global_capturing()


def _temporary(session: pytest.Session) -> Any:
    """Return the factory of temporary folders, which is private to pytest."""
    return session.config._tmp_path_factory  # type: ignore[attr-defined]
