"""Completion with Tab: what is printed, and what it completes."""

import shutil
import subprocess

import pytest

from bot.cli.main import main


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_is_one_that_the_shell_reads(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["completion", shell], prog_name="threadkeep")
    script = capsys.readouterr().out
    assert "_THREADKEEP_COMPLETE" in script
    if found := shutil.which(shell):
        subprocess.run([found, "-n"], input=script, text=True, check=True)


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        ("threadkeep ", {"plain,usage", "plain,settings", "plain,triage"}),
        ("threadkeep usage --i", {"plain,--ids"}),
    ],
)
def test_commands_and_options_are_completed(
    words: str,
    offered: set[str],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("_THREADKEEP_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", words)
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    with pytest.raises(SystemExit):
        main(prog_name="threadkeep")
    assert offered <= {*capsys.readouterr().out.split()}
