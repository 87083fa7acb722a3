"""Runs Threadkeep's commands in this process, at a tenth of the cost of a new process.

Tests that need a real process (a signal, a kill, a terminal, a pipe) use a `Nursery`.

Rule: when a command has ended, the state of the process is restored and no thread of
the command is running.
"""

import asyncio
import contextlib
import io
import logging
import os
import resource
import sys
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, TypeVar, TypeVarTuple

from bot.cli.main import main
from tests.support import log_levels

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

# Seconds that a command may take on a busy machine.
PATIENCE = 60.0
# Seconds that a thread may take to end after its command.
ENDING = 10.0

# Streams, environment and working directory are global to the process.
_ALONE = threading.Lock()


async def carry_out(
    arguments: Sequence[str],
    env: Mapping[str, str],
    folder: Path,
    typed: bytes = b"",
    *,
    terminal: int | None = None,
) -> tuple[int, str]:
    """Run `threadkeep` with `arguments` in a thread, with the environment `env` alone,
    in `folder` and with `typed` on standard input.

    Return the exit status and the text printed to standard output and standard error.
    The text is empty if the command prints to `terminal`, a descriptor of this process.
    """
    loop = asyncio.get_running_loop()
    ended = loop.create_future()

    def live() -> None:
        try:
            result = _carry_out(arguments, env, folder, typed, terminal)
        except BaseException as error:
            loop.call_soon_threadsafe(ended.set_exception, error)
        else:
            loop.call_soon_threadsafe(ended.set_result, result)

    thread = threading.Thread(target=live, name="threadkeep", daemon=True)
    thread.start()
    async with asyncio.timeout(PATIENCE):
        status, printed = await ended
    thread.join()
    return status, printed


def _carry_out(
    arguments: Sequence[str],
    env: Mapping[str, str],
    folder: Path,
    typed: bytes,
    terminal: int | None,
) -> tuple[int, str]:
    assert _ALONE.acquire(blocking=False), "another command is carried out here"
    printed = io.BytesIO()
    with contextlib.ExitStack() as stack:
        stack.callback(_ALONE.release)
        stack.enter_context(_nothing_left())
        stack.enter_context(contextlib.chdir(folder))
        os.environ.clear()
        os.environ.update({"PATH": os.defpath, **env})
        sys.stdin = io.TextIOWrapper(io.BytesIO(typed), "utf-8")
        out: BinaryIO = printed
        if terminal is not None:
            out = stack.enter_context(os.fdopen(os.dup(terminal), "wb"))
        sys.stdout = io.TextIOWrapper(out, "utf-8", write_through=True)
        sys.stderr = io.TextIOWrapper(out, "utf-8", write_through=True)
        asyncio.run = _run  # type: ignore[assignment]
        try:
            main(args=list(arguments), prog_name="threadkeep")
        except SystemExit as ending:
            status = ending.code or 0
            assert isinstance(status, int)
            return status, printed.getvalue().decode()
    raise AssertionError("click ends the process")


@contextlib.contextmanager
def _nothing_left() -> Iterator[None]:
    """Restore the streams, environment, umask, limits and log of this process, and
    check that no new thread is left."""
    handlers = [*logging.getLogger().handlers]
    streams = sys.stdin, sys.stdout, sys.stderr
    env, run = dict(os.environ), asyncio.run
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    os.umask(mask := os.umask(0o022))
    threads = {*threading.enumerate()}
    try:
        with log_levels.kept():
            yield
    finally:
        asyncio.run = run
        sys.stdin, sys.stdout, sys.stderr = streams
        os.environ.clear()
        os.environ.update(env)
        os.umask(mask)
        resource.setrlimit(resource.RLIMIT_NOFILE, files)
        logging.getLogger().handlers[:] = handlers
    # Threads of the test's own event loop may have started in the meantime.
    left = [
        each
        for each in {*threading.enumerate()} - threads
        if not each.name.startswith("asyncio_")
    ]
    for each in left:
        # rich tells its drawing thread to end, but does not wait for it.
        each.join(ENDING)
    assert not any(each.is_alive() for each in left), left


class _Loop(asyncio.SelectorEventLoop):
    """An event loop for a thread that receives no signals."""

    def add_signal_handler(
        self, sig: int, callback: Callable[[*Ts], object], *args: *Ts
    ) -> None:
        """Do nothing. Python would raise an error outside the main thread."""

    def remove_signal_handler(self, sig: int) -> bool:
        """Return False: no handler was set."""
        return False


def _run(coroutine: Coroutine[Any, Any, T], **_: Any) -> T:
    with asyncio.Runner(loop_factory=_Loop) as runner:
        return runner.run(coroutine)
