"""Runs work on untrusted files in a separate process.

A library that crashes, hangs or uses up all memory ends only that process. While it
runs, it does not hold the interpreter lock of this process's event loop.

Rule 1: the process starts a new interpreter. A mere fork would copy locks that other
threads hold.
Rule 2: the process has none of our environment variables, no open files except its
input and output, and cannot write files. Its memory and time are limited.
"""

import contextlib
import importlib
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path

# The statuses of a process that got a signal before it could ignore it.
_STOPPED = (-signal.SIGTERM, -signal.SIGINT)

# The bytes of output to read at once.
_PIECE = 64 * 1024


def run(
    module: str, argument: str, path: Path, *, seconds: float, most: int
) -> bytes | None:
    """Run `python -m module argument` on the file `path` and return the output.

    Return None if it fails, writes more than `most` bytes or takes longer than
    `seconds`. Blocks, so call this off the event loop. Raises OSError.
    """
    written, status = _try(module, argument, path, seconds, most)
    if status in _STOPPED:
        # The signal was meant for our process, which may still have time to finish.
        written, _ = _try(module, argument, path, seconds, most)
    return written


def _try(
    module: str, argument: str, path: Path, seconds: float, most: int
) -> tuple[bytes | None, int]:
    """Return the output as in `run`, and the exit status of the process."""
    with (
        path.open("rb") as file,
        subprocess.Popen(
            [sys.executable, "-s", "-B", "-m", module, argument],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            # Ctrl-C in a terminal must not reach the process.
            start_new_session=True,
        ) as process,
    ):
        try:
            written = _read_output(process, time.monotonic() + seconds, most)
        finally:
            # The process may have closed its output and still be running.
            process.kill()
    return written, process.returncode


def _read_output(
    process: subprocess.Popen[bytes], until: float, most: int
) -> bytes | None:
    """Return the whole output of `process`; None if it fails."""
    assert process.stdout is not None
    written = bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, until - time.monotonic())):
            piece = os.read(process.stdout.fileno(), _PIECE)
            written += piece
            if len(written) > most:
                return None
            if not piece:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    left = max(0.0, until - time.monotonic())
                    return bytes(written) if process.wait(left) == 0 else None
                return None
    return None


def limit(*, memory: int, seconds: int) -> None:
    """Limit this process to `memory` bytes and `seconds` of processor time.

    Also forbid it to write files. Limits that the system does not support are skipped.
    SIGTERM is ignored, since a service manager sends it to all processes of a service.
    """
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return
    for name, most in (
        *(("RLIMIT_AS", memory), ("RLIMIT_CPU", seconds)),
        *(("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)),
    ):
        # macOS has no memory limit.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))
