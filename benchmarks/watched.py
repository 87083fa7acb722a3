"""`python -m benchmarks.watched ARGUMENTS` is `threadkeep ARGUMENTS` with a watcher in
its event loop.

Every few milliseconds the watcher is due; how much later it came is how long the loop
was blocked, by its own callbacks or by a thread that held the interpreter. On a busy
machine that others had the core is taken off: the time for which the thread was ready
and did not run, which Linux counts, and what is more than the process computed. What
took long is appended to the file that `VARIABLE` names.
"""

import asyncio
import os
import runpy
import time
from pathlib import Path

VARIABLE = "BENCHMARK_BLOCKED"

_STAT = Path("/proc/thread-self/schedstat")

#: In seconds: how often the watcher is due, and what is noted.
DUE, NOTED = 0.002, 0.005


class WatchedPolicy(asyncio.DefaultEventLoopPolicy):
    """Starts a watcher in each loop that it makes."""

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
    """Return for how many seconds this thread was ready and had no core."""
    return int(_STAT.read_text().split()[1]) / 1e9


def blocks(notes: Path, since: float = 0.0) -> list[float]:
    """Return for how many seconds the loop was blocked each time that was noted in
    `notes` since then."""
    if not notes.exists():
        return []
    rows = (line.split() for line in notes.read_text().splitlines())
    return [float(blocked) for at, blocked in rows if float(at) >= since]


if __name__ == "__main__":
    asyncio.set_event_loop_policy(WatchedPolicy())
    runpy.run_module("bot", run_name="__main__", alter_sys=True)
