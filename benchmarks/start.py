"""Measures the time from the start of a process until it receives messages."""

import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from rich.table import Table

from benchmarks import history
from benchmarks.platforms import Platform, clock, opened
from benchmarks.serving import serving
from benchmarks.table import middle, ratio, span, table
from tests.emulators.claude.emulator import ClaudeEmulator

RUNS = 5
THREADS, TURNS = 100, 1000


async def measure(platforms: Sequence[str]) -> Table:
    """Measure starts on a new and on a large database, from the command to the
    connection."""
    return table(
        "start: from `threadkeep serve` until it hears what is said",
        ("database", "size", "best", "median", "worst", "to a new one"),
        [row for name in platforms for row in await _rows(name)],
        caption=f"{RUNS} starts each, by turns; the files are in the page cache.",
    )


async def _rows(name: str) -> Sequence[Sequence[str]]:
    new, large = [], []
    async with opened(name) as platform, ClaudeEmulator(clock=clock) as claude:
        with tempfile.TemporaryDirectory() as full:
            database = Path(full) / "threadkeep.db"
            threads = [platform.open_thread() for _ in range(THREADS)]
            await history.fill(database, threads, TURNS)
            size = database.stat().st_size
            # Alternately, so that other work of the machine affects both alike.
            for _ in range(RUNS):
                with tempfile.TemporaryDirectory() as empty:
                    new.append(await _start(Path(empty), platform, claude))
                large.append(await _start(Path(full), platform, claude))
    return (
        (f"{name.title()}, new", "-", *_spread(new), ratio(new, new)),
        (
            f"{name.title()}, {THREADS * TURNS:,} turns in {THREADS} threads",
            f"{size / 2**20:.0f} MiB",
            *_spread(large),
            ratio(large, new),
        ),
    )


def _spread(took: list[float]) -> tuple[str, str, str]:
    return span(min(took)), middle(took), span(max(took))


async def _start(folder: Path, platform: Platform, claude: ClaudeEmulator) -> float:
    """Return the seconds from the command to the open connection."""
    began = time.monotonic()
    async with serving(folder, platform, claude):
        return time.monotonic() - began
