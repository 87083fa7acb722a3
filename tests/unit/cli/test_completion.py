"""Completion with Tab: what is printed, and what it completes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
CALL = "from bot.cli.main import main; main(prog_name='threadkeep')"
THREADKEEP = (sys.executable, "-c", CALL)


def run(*arguments: str, **env: str) -> str:
    done = subprocess.run(
        [*THREADKEEP, *arguments],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), **env},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_reads(shell: str) -> None:
    script = run("completion", shell)
    assert "_THREADKEEP_COMPLETE" in script
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=script, text=True, check=True)


def test_commands_and_options_are_completed() -> None:
    asked = {"_THREADKEEP_COMPLETE": "bash_complete"}
    found = run(**asked, COMP_WORDS="threadkeep ", COMP_CWORD="1").split()
    assert {"plain,usage", "plain,settings", "plain,triage"} <= {*found}
    found = run(**asked, COMP_WORDS="threadkeep usage --i", COMP_CWORD="2").split()
    assert found == ["plain,--ids"]
