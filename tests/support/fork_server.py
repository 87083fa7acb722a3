"""The process from which `tests.support.process.Nursery` forks Threadkeep.

It has imported everything and does nothing else. Its forks start like processes of
`threadkeep`, without the seconds that the imports take.

Started without arguments, it takes orders on standard input. Started with the
descriptor of a listening socket, it takes orders on each connection, so that all test
processes share it.
"""

import asyncio
import atexit
import ctypes
import fcntl
import gc
import importlib
import json
import os
import pkgutil
import select
import signal
import socket
import sys
import termios
import threading
from collections.abc import Mapping
from typing import Any, NoReturn

import adapters
import bot
import storage
import storage.database
from bot.claude.client import connect
from bot.cli import variables
from bot.cli.main import main
from bot.domain.completion import ChatMessage, Request
from bot.runtime import installed, logs
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support import certificates, memory_store

# The asyncio backend of the SDK's HTTP client, which imports it at its first request,
# and what `threadkeep explore` shows: to import it takes half a second.
LATE = ("anyio._backends._asyncio", "datasette.app")
# Draws plots, with a package that is not always installed.
NEVER = "bot.triage.evaluation.plot"

# From Linux's <sys/prctl.h>; Python has no name for it.
PR_SET_PDEATHSIG = 1


def nurse(orders: int, events: int) -> None:
    """Fork a process for every line from the descriptor `orders`, until end of file.
    Write the birth and the exit status of each process to `events`."""
    ended, ending = os.pipe()
    os.set_blocking(ending, False)
    signal.set_wakeup_fd(ending, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    numbers = dict[int, int]()
    waiting, rest = [orders, ended], b""
    while numbers or orders in waiting:
        ready, _, _ = select.select(waiting, [], [])
        if ended in ready:
            os.read(ended, 4096)
            _reap(numbers, events)
        if orders not in ready:
            continue
        if not (read := os.read(orders, 65_536)):
            waiting.remove(orders)
        *lines, rest = (rest + read).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if (pid := os.fork()) == 0:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                # A shell makes background processes ignore this signal.
                signal.signal(signal.SIGINT, signal.default_int_handler)
                _live(order)
            numbers[pid] = order["number"]
            _tell(events, order["number"], "born", pid)


def _reap(numbers: dict[int, int], events: int) -> None:
    """Report the exit status and the processor time of each process that has ended."""
    while numbers:
        pid, status, used = os.wait4(-1, os.WNOHANG)
        if not pid:
            return
        _tell(events, numbers[pid], "used", used.ru_utime + used.ru_stime)
        _tell(events, numbers.pop(pid), "ended", os.waitstatus_to_exitcode(status))


def share(listening: socket.socket) -> None:
    """Take orders on each connection, until this process is killed.

    Returns in the forked processes, when their connection has ended.
    """
    while True:
        connection, _ = listening.accept()
        if os.fork() == 0:
            _die_with_parent()
            with connection:
                nurse(connection.fileno(), connection.fileno())
            return
        connection.close()


def _import_everything() -> None:
    # Imported modules are never freed, and searching them for cycles takes a second.
    gc.disable()
    # Threadkeep imports most of its modules lazily.
    for package in (adapters, bot, storage):
        for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if found.name not in (NEVER, "bot.__main__"):
                importlib.import_module(found.name)
    for name in LATE:
        importlib.import_module(name)
    certificates.read_once()
    storage.database.migrate = memory_store.migrate_new  # type: ignore[attr-defined]
    memory_store.prepare()
    # Without these variables, the SDK reads the machine's own certificates.
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR"):
        os.environ.pop(name, None)
    asyncio.run(_ask())
    # Done once here, because the result is the same at every start.
    logs.set_up("warning")
    installed.threadkeep_version()
    variables.read_by_us()
    gc.freeze()
    gc.enable()


def _tell(events: int, number: int, event: str, value: float) -> None:
    os.write(events, f"{json.dumps([number, event, value])}\n".encode())


def _live(order: Mapping[str, Any]) -> NoReturn:
    """Run Threadkeep in a process that was just forked."""
    _die_with_parent()
    for number, name, mode in (
        (0, "input", "rb"),
        (1, "log", "ab"),
        (2, "errors", "ab"),
    ):
        with open(order[name], mode) as file:
            os.dup2(file.fileno(), number)
    if os.isatty(0):
        # Ctrl-C becomes a signal only if the terminal controls the process.
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    try:
        main(args=order["arguments"], prog_name="threadkeep")
    except SystemExit as ending:
        _end(ending.code)
    raise AssertionError("click ends the process")


def _end(status: object) -> NoReturn:
    """End as Python does, without deallocating modules. Their memory is shared with the
    nursery, so freeing it would copy it first, which took half of the time of a short
    command."""
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status if isinstance(status, int) else status is not None)


async def _ask() -> None:
    """Request the list of models and one answer, because the SDK builds its types when
    it first reads them."""
    async with (
        ClaudeEmulator() as claude,
        connect(claude.api_key, claude.base_url) as model,
    ):
        await model.list_models()
        request = Request("claude-haiku-4-5", "", (ChatMessage("user", "Hello"),), 100)
        async for _ in model.answer(request):
            pass


def _die_with_parent() -> None:
    """Make this process end with its parent, so that a killed test leaves nothing
    running."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


if __name__ == "__main__":
    _import_everything()
    # Ended children are reaped by the system.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    if len(sys.argv) > 1:
        _die_with_parent()
        share(socket.socket(fileno=int(sys.argv[1])))
    else:
        nurse(sys.stdin.fileno(), sys.stdout.fileno())
