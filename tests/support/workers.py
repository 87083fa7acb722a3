"""Runs the suite in several processes: a plugin of pytest.

The tests are collected once, and the workers are forks of that process. pytest-xdist
starts each worker anew, which imports and collects all of it: six times some five
seconds of processor time, or twenty on a fresh clone, where each compiles every test.
"""

import gc
import itertools
import multiprocessing
import sys
from collections.abc import Iterator, Sequence
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, Protocol, cast

import pytest
from _pytest.runner import runtestprotocol

# The most tests that a worker takes at once, unless their module sets something up for
# all of its tests.
CHUNK = 4

_FORK = multiprocessing.get_context("fork")


class _Queue(Protocol):
    """What hands out the numbers of chunks, to several processes."""

    def get(self) -> int | None: ...
    def put(self, item: int | None) -> None: ...


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--workers", type=int, default=0, help="run the tests in so many processes"
    )


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run the collected tests in workers, if there are to be several."""
    count = session.config.getoption("workers")
    if count < 2 or session.config.option.collectonly or session.testsfailed:
        return None
    _Run(session, count).run()
    return True


def chunks(items: Sequence[pytest.Item]) -> list[list[int]]:
    """Return the positions of `items` in chunks, each of one module and in order."""
    found = []
    for _, group in itertools.groupby(range(len(items)), lambda at: items[at].path):
        numbers = list(group)
        size = len(numbers) if any(_shares(items[n]) for n in numbers) else CHUNK
        found += [numbers[n : n + size] for n in range(0, len(numbers), size)]
    return found


def _shares(item: pytest.Item) -> bool:
    """Return whether `item` uses a fixture that is set up once for its module, and
    defined there or beside it."""
    fixtures = item._fixtureinfo.name2fixturedefs  # type: ignore[attr-defined]
    module = item.nodeid.partition("::")[0]
    folder = module.rpartition("/")[0]
    return any(
        each.scope == "module" and each.baseid in (module, folder)
        for definitions in fixtures.values()
        for each in definitions
    )


class _Run:
    """The workers of one session."""

    def __init__(self, session: pytest.Session, count: int) -> None:
        self._session = session
        self._chunks = chunks(session.items)
        self._queue: _Queue = _FORK.SimpleQueue()
        #: By the end of the pipe that a worker reports on: its process, and the test
        #: that it runs.
        self._workers: dict[Connection, tuple[Any, int | None]] = {}
        self._count = count

    def run(self) -> None:
        """Run all tests; report them as if they had run here."""
        self._fork()
        try:
            while self._workers:
                for ready in wait(list(self._workers)):
                    self._receive(cast(Connection, ready))
                self._stop_if_asked()
        finally:
            for worker, _ in self._workers.values():
                worker.kill()

    def _fork(self) -> None:
        # Before forking, since each worker has a folder in it.
        base = _temporary(self._session).getbasetemp()
        gc.freeze()
        for number in range(self._count):
            ours, theirs = _FORK.Pipe(duplex=False)
            worker = _FORK.Process(
                target=_work,
                args=(self._session, self._chunks, self._queue, theirs, base, number),
            )
            worker.start()
            theirs.close()
            self._workers[ours] = (worker, None)
        # What does not fit into the pipe waits until a worker takes some.
        for chunk in [*range(len(self._chunks)), *[None] * self._count]:
            self._queue.put(chunk)

    def _receive(self, ready: Connection) -> None:
        worker, running = self._workers[ready]
        try:
            reports, begun = ready.recv()
        except EOFError:
            del self._workers[ready]
            worker.join()
            if running is not None:
                self._report_crash(running, worker.exitcode)
            return
        self._workers[ready] = (worker, begun)
        hook = self._session.config.hook
        for data in reports:
            report = hook.pytest_report_from_serializable(
                config=self._session.config, data=data
            )
            hook.pytest_runtest_logreport(report=report)

    def _report_crash(self, position: int, code: int) -> None:
        item = self._session.items[position]
        self._session.config.hook.pytest_runtest_logreport(
            report=pytest.TestReport(
                item.nodeid,
                item.location,
                keywords={},
                outcome="failed",
                longrepr=f"its process ended with {code}",
                when="call",
            )
        )

    def _stop_if_asked(self) -> None:
        if self._session.shouldfail:
            raise self._session.Failed(self._session.shouldfail)
        if self._session.shouldstop:
            raise self._session.Interrupted(self._session.shouldstop)


def _work(
    session: pytest.Session,
    chunks: Sequence[Sequence[int]],
    queue: _Queue,
    reports: Connection,
    base: Path,
    number: int,
) -> None:
    """Run chunks of tests in this process, a worker, until none is left."""
    _capture_anew(session)
    own = base / f"worker{number}"
    own.mkdir()
    _temporary(session)._basetemp = own
    items = session.items
    done: list[Any] = []
    for position, following in _pairs(_positions(chunks, queue)):
        reports.send((done, position))
        item = items[position]
        after = None if following is None else items[following]
        done = [
            session.config.hook.pytest_report_to_serializable(
                config=session.config, report=report
            )
            for report in runtestprotocol(item, log=False, nextitem=after)
            # What went well at both ends of a test is not shown.
            if report.when == "call" or not report.passed
        ]
    reports.send((done, None))
    sys.stdout.flush()


def _positions(chunks: Sequence[Sequence[int]], queue: _Queue) -> Iterator[int]:
    while (chunk := queue.get()) is not None:
        yield from chunks[chunk]


def _pairs(positions: Iterator[int]) -> Iterator[tuple[int, int | None]]:
    """Yield each of `positions` with the next one, None after the last: what a test
    sets up for its module stays as long as the module goes on."""
    here = next(positions, None)
    while here is not None:
        following = next(positions, None)
        yield here, following
        here = following


def _capture_anew(session: pytest.Session) -> None:
    """Capture output in files of this process: those of its parent have one position
    for all who write."""
    capture = session.config.pluginmanager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():
        capture.stop_global_capturing()
        capture.start_global_capturing()


def _temporary(session: pytest.Session) -> Any:
    """Return the factory of temporary folders, which pytest keeps to itself."""
    return session.config._tmp_path_factory  # type: ignore[attr-defined]
