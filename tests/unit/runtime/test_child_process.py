"""A failure in a child process ends only that, and the child has no data of the
parent."""

import contextlib
import os
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.runtime import child_process

HERE = "tests.support.misbehaving"


def run(path: Path, how: str, *, seconds: float = 60.0) -> bytes | None:
    return child_process.run(HERE, how, path, seconds=seconds, most=1_000_000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_bytes(b"what is in it")
    return file


def test_it_reads_the_file_and_returns_what_was_written(path: Path) -> None:
    assert run(path, "well") == b"what is in it"
    path.write_bytes(b"x" * 1_000_001)
    assert run(path, "well") is None


@pytest.mark.parametrize("how", ["crash", "exit", "memory", "talk"])
def test_whatever_it_does_is_a_failure(path: Path, how: str) -> None:
    assert run(path, how) is None


def test_a_module_that_is_not_there_is_a_failure(path: Path) -> None:
    assert child_process.run("tests.gone", "", path, seconds=60, most=9) is None


def test_what_does_not_end_is_ended(path: Path) -> None:
    began = time.monotonic()
    assert run(path, "hang", seconds=2.0) is None
    # Asleep for ten minutes otherwise.
    assert time.monotonic() - began < 300


def test_it_writes_no_file(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "written"
    path.write_bytes(str(target).encode())
    assert run(path, "write") is None
    assert not target.exists() or target.read_bytes() == b""


def test_it_has_no_variable_of_ours(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-ant-secret")
    monkeypatch.setenv("THREADKEEP_DB", "secret.db")
    names = run(path, "env")
    assert names is not None
    assert b"ANTHROPIC" not in names
    assert b"THREADKEEP" not in names


def test_it_goes_on_when_a_service_is_told_to_stop(path: Path) -> None:
    assert run(path, "go on") == b"to the end"


def test_what_was_stopped_before_it_knew_better_is_done_again(path: Path) -> None:
    path.write_bytes(b"")
    others = children()
    with ThreadPoolExecutor(1) as pool:
        work = pool.submit(run, path, "wait")
        [first] = until(lambda: children() - others)

        def stopped() -> set[int]:
            # Repeated, since it may have ignored the first.
            with contextlib.suppress(ProcessLookupError):
                os.kill(first, signal.SIGTERM)
            return children() - others - {first}

        until(stopped)
        path.write_bytes(b"what is in it")
        assert work.result() == b"what is in it"


def children() -> set[int]:
    """Return the processes that this one has started."""
    tasks = Path("/proc/self/task").glob("*/children")
    return {int(pid) for task in tasks for pid in task.read_text().split()}


def until(found: Callable[[], set[int]]) -> set[int]:
    """Wait until something is found."""
    while not (pids := found()):
        time.sleep(0.01)
    return pids
