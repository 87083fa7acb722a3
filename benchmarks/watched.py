"""`python -m benchmarks.watched ARGUMENTS` runs `threadkeep ARGUMENTS` with a watcher
in its event loop.

The watcher is due every few milliseconds. Its delay is the time for which the loop was
blocked, by callbacks or by a thread that held the GIL. On a busy machine, the time that
Linux counts for the thread as ready but not running is subtracted, and the result is
capped at the CPU time of the process. Long blocks are appended to the file in the
environment variable `VARIABLE`.
"""

import asyncio
import os
import runpy
import time
from pathlib import Path

VARIABLE = "BENCHMARK_BLOCKED"

_STAT = Path("/proc/thread-self/schedstat")

#: The interval of the watcher, and the shortest noted block, in seconds.
DUE, NOTED = 0.002, 0.005


class WatchedPolicy(asyncio.DefaultEventLoopPolicy):
    """Starts a watcher in each new loop."""

    def new_event_loop(self) -> asyncio.AbstractEventLoop:
        loop = super().new_event_loop()
        loop.call_soon(_Watcher(loop, Path(os.environ[VARIABLE])).begin)
        return loop


class _Watcher:
    def __init__(self, loop: asyncio.AbstractEventLoop, notes: Path) -> None:
        self._loop = loop
        self._notes = notes
        self._due = 0.0
        self._computed = self._starved = 0.0

    def begin(self) -> None:
        self._computed, self._starved = time.process_time(), _starved()
        self._due = self._loop.time() + DUE
        self._loop.call_at(self._due, self._tick)

    def _tick(self) -> None:
        late = self._loop.time() - self._due
        ready = _starved() - self._starved
        blocked = min(late - ready, time.process_time() - self._computed)
        if blocked > NOTED:
            with self._notes.open("a") as notes:
                notes.write(f"{time.time()} {blocked}\n")
        self.begin()


def _starved() -> float:
    """Return the seconds for which this thread was ready but had no core."""
    return int(_STAT.read_text().split()[1]) / 1e9


def blocks(notes: Path, since: float = 0.0) -> list[float]:
    """Return the seconds of each block in `notes` since `since`."""
    if not notes.exists():
        return []
    rows = (line.split() for line in notes.read_text().splitlines())
    return [float(blocked) for at, blocked in rows if float(at) >= since]


if __name__ == "__main__":
    asyncio.set_event_loop_policy(WatchedPolicy())
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
