"""A process that misbehaves as a file parser might: `python -m
tests.support.misbehaving HOW`."""

import os
import signal
import sys
import time
from pathlib import Path

from bot.runtime import child_process


def main() -> None:
    """Misbehave as the argument says. "well" copies the input to the output."""
    child_process.limit(memory=512 * 1024 * 1024, seconds=20)
    how = sys.argv[1]
    match how:
        case "well":
            sys.stdout.buffer.write(sys.stdin.buffer.read())
        case "go on":
            os.kill(os.getpid(), signal.SIGTERM)
            sys.stdout.buffer.write(b"to the end")
        case "wait":
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            while not os.fstat(0).st_size:
                time.sleep(0.01)
            sys.stdout.buffer.write(sys.stdin.buffer.read())
        case "exit":
            sys.stdout.buffer.write(b"half of it")
            sys.stdout.flush()
            os._exit(3)
        case "hang":
            sys.stdout.buffer.write(b"half of it")
            sys.stdout.flush()
            os.close(1)
            time.sleep(600)
        case "memory":
            taken = bytes(600 * 1024 * 1024)
            sys.stdout.buffer.write(taken[:1])
        case "write":
            Path(sys.stdin.buffer.read().decode()).write_bytes(b"x" * 100)
        case "talk":
            while True:
                sys.stdout.buffer.write(b"x" * 1_000_000)
        case "env":
            sys.stdout.buffer.write(repr(sorted(os.environ)).encode())
        case _:
            os.abort()


if __name__ == "__main__":
    main()
