"""The process that `tests.support.process.Nursery` forks Threadkeep off.

It has imported everything and does nothing: what it forks begins as a process of
`threadkeep` does, but for the seconds that the imports take.

Started without arguments it takes orders on standard input; with the number of a
listening socket it takes them on each connection, so that all test processes share it.
"""

import ctypes
import gc
import importlib
import json
import os
import signal
import socket
import sys
from collections.abc import Mapping
from typing import Any, NoReturn, TextIO

from bot.claude.client import client
from bot.cli.main import main
from tests.support import certificates

# Threadkeep imports these when it has found that it needs them.
LATE = (
    *(
        f"adapters.{platform}.{module}"
        for platform in ("slack", "discord")
        for module in ("adapter", "check", "config")
    ),
    "bot.cli.settings",
    "bot.cli.triage",
    # What the SDK's HTTP client runs on, which it looks for at its first request.
    "anyio._backends._asyncio",
)

# From Linux's <sys/prctl.h>; Python has no name for it.
PR_SET_PDEATHSIG = 1


def nurse(orders: TextIO, events: TextIO) -> None:
    """Fork a process for every order, until there are no more.

    Returns in the processes that it forks, once they are done.
    """
    for line in orders:
        if os.fork() == 0:
            _watch(json.loads(line), events)
            return


def share(listening: socket.socket) -> None:
    """Take orders on each connection, until this process is killed.

    Returns in the processes that it forks, once they are done.
    """
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            _die_with_parent()
            with connection, connection.makefile("rw") as stream:
                nurse(stream, stream)
            return
        connection.close()


def _import_everything() -> None:
    for name in LATE:
        importlib.import_module(name)
    certificates.read_once()
    # The SDK imports the rest of itself when its first client is made, and reads the
    # certificates of a machine on which no variable names others.
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        os.environ.pop(name, None)
    client("sk-ant-none", None)
    gc.freeze()


def _watch(order: Mapping[str, Any], events: TextIO) -> None:
    """Fork the process that was ordered; say when it is born and how it ended."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _die_with_parent()
    if (pid := os.fork()) == 0:
        _live(order)
    _tell(events, order["number"], "born", pid)
    _, status = os.waitpid(pid, 0)
    _tell(events, order["number"], "ended", os.waitstatus_to_exitcode(status))


def _tell(events: TextIO, number: int, event: str, value: int) -> None:
    events.write(f"{json.dumps([number, event, value])}\n")
    events.flush()


def _live(order: Mapping[str, Any]) -> NoReturn:
    """Be Threadkeep, in a process that was just forked."""
    _die_with_parent()
    with open(order["input"], "rb") as typed, open(order["log"], "ab") as log:
        os.dup2(typed.fileno(), 0)
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.exit(main(args=order["arguments"], prog_name="threadkeep"))


def _die_with_parent() -> None:
    """See to it that a test which is killed leaves nothing running."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _import_everything()
    # Who watches over a process ends unwatched.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if len(sys.argv) > 1:
        _die_with_parent()
        share(socket.socket(fileno=int(sys.argv[1])))
    else:
        nurse(sys.stdin, sys.stdout)
