"""Forks the test process. The fork reports line by line, and need not import anything
again."""

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkProcess
from typing import BinaryIO

#: Sends one line to the parent process.
Tell = Callable[[str], None]


@contextlib.contextmanager
def forked(work: Callable[[Tell], None]) -> Iterator[tuple[ForkProcess, BinaryIO]]:
    """Do `work` in a fork, which is killed on leaving. Yield the fork and its
    output."""
    reading, writing = os.pipe()

    def live() -> None:
        os.close(reading)
        work(lambda line: _write(writing, line))
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=live)
    process.start()
    os.close(writing)
    try:
        with open(reading, "rb") as told:
            yield process, told
    finally:
        process.kill()
        process.join()


def _write(descriptor: int, line: str) -> None:
    # One write, because a pipe takes short writes in one piece.
    os.write(descriptor, f"{line}\n".encode())
