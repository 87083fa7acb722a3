"""A fork of the test process that says something line by line: it need not import
anything anew."""

import contextlib
import multiprocessing
import os
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkProcess
from typing import BinaryIO

#: Says one line to the process above.
Tell = Callable[[str], None]


@contextlib.contextmanager
def forked(work: Callable[[Tell], None]) -> Iterator[tuple[ForkProcess, BinaryIO]]:
    """Do `work` in a fork; yield the fork, and what it tells. It is killed on
    leaving."""
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
    # In one piece, as pipes take what is that short.
    os.write(descriptor, f"{line}\n".encode())
