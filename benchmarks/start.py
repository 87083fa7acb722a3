"""How long after it is started Threadkeep can be spoken to."""

import tempfile
import time
from pathlib import Path

from rich.table import Table

from benchmarks import history
from benchmarks.serving import serving
from benchmarks.table import middle, ratio, span, table
from bot.values import ThreadKey
from tests.emulators.claude import ClaudeEmulator
from tests.emulators.slack import SlackEmulator

RUNS = 5
THREADS, TURNS = 100, 1000


async def measure() -> Table:
    """Start on a new database and on a large one, from command to connection."""
    new, large = [], []
    async with SlackEmulator() as slack, ClaudeEmulator() as claude:
        with tempfile.TemporaryDirectory() as full:
            database = Path(full) / "threadkeep.db"
            await history.fill(database, _threads(slack.team), TURNS)
            size = database.stat().st_size
            # By turns, so that whatever else the machine does meets both alike.
            for _ in range(RUNS):
                with tempfile.TemporaryDirectory() as empty:
                    new.append(await _start(Path(empty), slack, claude))
                large.append(await _start(Path(full), slack, claude))
    return table(
        "start: from `threadkeep serve` to a connection to Slack",
        ("database", "size", "best", "median", "worst", "to a new one"),
        (
            ("new", "-", *_spread(new), ratio(new, new)),
            (
                f"{THREADS * TURNS:,} turns in {THREADS} threads",
                f"{size / 2**20:.0f} MiB",
                *_spread(large),
                ratio(large, new),
            ),
        ),
        caption=f"{RUNS} starts each, by turns; the files are in the page cache.",
    )


def _spread(took: list[float]) -> tuple[str, str, str]:
    return span(min(took)), middle(took), span(max(took))


async def _start(folder: Path, slack: SlackEmulator, claude: ClaudeEmulator) -> float:
    """Seconds from the command to the open socket."""
    began = time.monotonic()
    async with serving(folder, slack, claude):
        return time.monotonic() - began


def _threads(team: str) -> list[ThreadKey]:
    began = int(time.time())
    return [
        ThreadKey("slack", team, "C00000001", f"{began + n}.000000")
        for n in range(THREADS)
    ]
