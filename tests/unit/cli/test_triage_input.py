"""The question which column holds the ticket, at a real terminal."""

import os
import pty
import select
import sys
from pathlib import Path

import pytest

from tests.support.process import ROOT

TABLE = "id,problem,remark\n1,Login fails here,I cannot sign in\n2,Pay twice,No way\n"


def answered(folder: Path, keys: str) -> tuple[int, str]:
    """The exit status of a dry run in a terminal in which `keys` are typed, and what
    it shows."""
    (folder / "t.csv").write_text(TABLE)
    command = [
        sys.executable,
        "-m",
        "bot",
        "triage",
        str(folder / "t.csv"),
        "--dry-run",
    ]
    env = {"PATH": os.environ["PATH"], "TERM": "xterm", "COLUMNS": "200"}
    child, terminal = pty.fork()
    if not child:
        os.chdir(ROOT)
        os.execve(sys.executable, command, env)
    shown = b""
    while chunk := _read(terminal):
        shown += chunk
        if keys and b"Enter stops: " in shown:
            os.write(terminal, keys.encode())
            keys = ""
    os.close(terminal)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), " ".join(shown.decode().split())


def _read(terminal: int) -> bytes:
    try:
        assert select.select([terminal], [], [], 60)[0], "nothing was shown"
        return os.read(terminal, 4096)
    except OSError:  # The other end is closed.
        return b""


@pytest.mark.parametrize(
    ("keys", "status", "told"),
    [
        ("2\r", 0, "Ticket remark (as you chose)"),
        ("problem, 2\r", 0, "Ticket problem, remark (as you chose)"),
        ("7\r", 2, "has no column `7`"),
        ("\r", 2, "No column was chosen, and nothing was sent."),
        ("\x03", 1, "Aborted!"),
    ],
)
def test_an_unclear_column_is_asked_for(
    tmp_path: Path, keys: str, status: int, told: str
) -> None:
    found, shown = answered(tmp_path, keys)
    assert "1 problem: Login fails here 2 remark: I cannot sign in" in shown
    assert told in shown
    assert found == status
