"""The runner of the tests, and what happens when a test ends or holds its process."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from tests.support.locks import ROOT, not_installed

TESTS = """
import asyncio, os, signal
import pytest

ran = []

async def waits_for_ever():
    await asyncio.Event().wait()

@pytest.mark.together("it")
def test_a(): ran.append("a")
def test_b(): assert "this" == "that"
def test_c(): os.kill(os.getpid(), signal.SIGKILL)
def test_d(): pass
def test_e(): asyncio.run(waits_for_ever())
@pytest.mark.together("it")
def test_f(): assert ran == ["a"]
"""


def run(folder: Path, *options: str, hanging: float) -> tuple[int, str]:
    """Run TESTS in two workers; return pytest's exit status and what it printed."""
    (folder / "test_it.py").write_text(TESTS)
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-p", "tests.support.workers", "-v"),
            *("-p", "no:cacheprovider", "--workers", "2", *options),
            *(f"--rootdir={folder}", str(folder)),
        ],
        cwd=folder,
        env={
            **os.environ,
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": str(ROOT),
            "TEST_HANGING": str(hanging),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


def test_a_test_that_ends_or_holds_its_process_fails_and_all_others_run(
    tmp_path: Path,
) -> None:
    code, printed = run(tmp_path, "--cpu", "1", hanging=3.0)
    assert code == pytest.ExitCode.TESTS_FAILED
    assert "3 failed, 3 passed" in printed
    assert "its process ended with -9" in printed
    assert "it did not end within 3 s" in printed
    # Where it waits.
    assert "in waits_for_ever" in printed
    for name in ("b", "c", "e"):
        assert f"FAILED test_it.py::test_{name}" in printed
    assert "processor time" in printed


def test_what_is_not_installed_is_named() -> None:
    wanted = ["pytest>=9", "pytest<9", "no-such-package>=1"]
    assert not_installed(map(Requirement, wanted)) == wanted[1:]
