"""Work on what strangers made, in a process of its own.

A library that crashes, does not end or takes all memory ends only that process, and
while it runs, this one's event loop has its interpreter for itself.

Rule 1: the process is started anew, never forked alone: that would copy locks which
other threads hold.
Rule 2: it has no variable of ours and no open file but its input and its output, writes
none, and its memory and time have limits.
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

# How a process ends that was told to stop before it knew better.
_STOPPED = (-signal.SIGTERM, -signal.SIGINT)

# How much of the output is read at once.
_PIECE = 64 * 1024


def run(
    module: str, argument: str, path: Path, *, seconds: float, most: int
) -> bytes | None:
    """Return what `python -m module argument` writes, at most `most` bytes, with the
    file `path` as its input; None if it fails or takes longer than `seconds`.

    Blocks: call it off the event loop. Raises OSError.
    """
    written, status = _tried(module, argument, path, seconds, most)
    if status in _STOPPED:
        # That was meant for us, and we may still have time for it.
        written, _ = _tried(module, argument, path, seconds, most)
    return written


def _tried(
    module: str, argument: str, path: Path, seconds: float, most: int
) -> tuple[bytes | None, int]:
    """Return what `run` returns, and the status of the process."""
    with (
        path.open("rb") as file,
        subprocess.Popen(
            [sys.executable, "-s", "-B", "-m", module, argument],
            stdin=file,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"PYTHONPATH": os.pathsep.join(sys.path)},
            # A key that stops us in a terminal is not meant for it.
            start_new_session=True,
        ) as process,
    ):
        try:
            written = _written(process, time.monotonic() + seconds, most)
        finally:
            # It may have closed its output and go on.
            process.kill()
    return written, process.returncode


def _written(process: subprocess.Popen[bytes], until: float, most: int) -> bytes | None:
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
    """Limit this process to `memory` bytes and `seconds` of processor time, and keep it
    from writing files, as far as the system can do that. It also ignores SIGTERM, which
    a service manager sends to all processes of a service."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        resource = importlib.import_module("resource")
    except ImportError:
        return
    for name, most in (
        *(("RLIMIT_AS", memory), ("RLIMIT_CPU", seconds)),
        *(("RLIMIT_FSIZE", 0), ("RLIMIT_CORE", 0)),
    ):
        # macOS has no limit of memory.
        with contextlib.suppress(AttributeError, ValueError, OSError):
            resource.setrlimit(getattr(resource, name), (most, most))
