"""Measures the time from a message to the request to Claude, in new and in long
threads."""

import asyncio
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table
from sqlite_utils import Database

from benchmarks import history
from benchmarks.machine import exact_cpu
from benchmarks.platforms import Platform, clock, opened
from benchmarks.rows import stored
from benchmarks.serving import serving
from benchmarks.table import middle, ratio, table, tail
from bot.domain.scope import ThreadKey
from storage.database import open_beside
from tests.emulators.claude.emulator import ClaudeEmulator

EVENTS = 40
TURNS = 1000
# The first questions of a process include connections and look-ups of names.
WARM_UP = 5
# Seconds between two checks whether a question is stored. This is the largest error of
# that time.
TICK = 0.001
PATIENCE = 10.0
# Seconds between two questions. Slack accepts ten status lines a second, and each
# answer sets one and clears it.
PAUSE = 0.25
# A process that uses fewer CPU seconds in that time is idle. After an answer in a long
# thread it makes a summary, which takes as much CPU as several questions.
IDLE = 0.003


@dataclass(frozen=True, slots=True)
class Took:
    """The times of one question, in seconds since it was asked."""

    durable: float
    #: None on a platform without acknowledgements.
    acknowledged: float | None
    asked: float
    promised: float
    #: CPU seconds until Claude had the request.
    used: float


SAYS = {
    "durable": "it is durable",
    "acknowledged": "that is acknowledged",
    "asked": "Claude has the request",
    "promised": "the thread shows that an answer comes",
    "used": "Claude has the request: processor time",
}


async def measure(platforms: Sequence[str]) -> Table:
    """Ask in new and in long threads alternately, one question at a time."""
    rows = []
    for name in platforms:
        *took, size = await _ask_all(name)
        rows += [(f"{name.title()}: {row[0]}", *row[1:]) for row in _rows(*took)]
    return table(
        "latency: since somebody asked",
        (
            *("until", "new thread", "p99", f"{TURNS:,} turns", "p99"),
            *("again", "p99", "ratio"),
        ),
        rows,
        caption=f"""Medians and 99th percentiles of {EVENTS} questions each, by turns
        and one at a time, in a long thread once and then again; {TURNS * EVENTS:,}
        turns in a database on disk, in which we look for the question every
        {TICK * 1000:.0f} ms. What Claude reads of {TURNS:,} turns is
        {size / 1e6:.1f} MB, and it has the request once it has read all of it. Discord
        is told nothing when a message is durable.""",
    )


def _rows(
    new: Sequence[Took], old: Sequence[Took], again: Sequence[Took]
) -> Iterator[tuple[str, ...]]:
    for what, says in SAYS.items():
        each = [[getattr(one, what) for one in took] for took in (new, old, again)]
        if None not in each[0]:
            figures = [figure(took) for took in each for figure in (middle, tail)]
            yield says, *figures, ratio(each[2], each[0])


async def _ask_all(name: str) -> tuple[list[Took], list[Took], list[Took], int]:
    """Return the times of questions in new threads, in long threads, and in long
    threads that were just used, and the size in bytes of a request for a long
    thread."""
    # Without limits: the posts of two hundred questions in a row would wait for them,
    # and the measured steps do not.
    async with (
        opened(name, unlimited=True) as platform,
        ClaudeEmulator(clock=clock) as claude,
    ):
        long = [platform.open_thread() for _ in range(EVENTS)]
        with tempfile.TemporaryDirectory() as folder:
            database = Path(folder) / "threadkeep.db"
            await history.fill(database, long, TURNS)
            async with serving(Path(folder), platform, claude) as pid:
                with closing(open_beside(database)) as db:
                    office = Office(platform, claude, db, pid)
                    for _ in range(WARM_UP):
                        await office.ask()
                    took = [
                        [await office.ask(where) for where in (None, key, key)]
                        for key in long
                    ]
        size = max(len(str(each.body["messages"])) for each in claude.questions)
    new, old, again = (list(each) for each in zip(*took, strict=True))
    return new, old, again, size


class Office:
    """Asks one question at a time on a platform."""

    def __init__(
        self, platform: Platform, claude: ClaudeEmulator, db: Database, pid: int
    ) -> None:
        self._platform = platform
        self._claude = claude
        self._db = db
        self._pid = pid

    async def ask(self, thread: ThreadKey | None = None) -> Took:
        """Ask in `thread`, or in a new one, and wait for the answer. Return the
        times."""
        platform, claude = self._platform, self._claude
        before = len(claude.questions)
        channel = thread.channel if thread else platform.add_channel()
        idle = exact_cpu(self._pid)
        question = platform.ask(channel, "and what now?", thread)
        await stored(self._db, question.message, tick=TICK)
        durable = clock()
        await claude.until(lambda: len(claude.questions) > before)
        used = exact_cpu(self._pid) - idle
        asked = claude.questions[before]
        await claude.until(lambda: bool(asked.sent))
        await platform.until(lambda: platform.promised(question), PATIENCE)
        await platform.until(lambda: platform.answer(question), PATIENCE)
        await platform.until(lambda: platform.settled, PATIENCE)
        await self._rest()
        promised = platform.promised(question)
        acknowledged = platform.acknowledged(question)
        assert promised is not None
        return Took(
            durable=durable - question.at,
            acknowledged=acknowledged and acknowledged - question.at,
            asked=asked.at - question.at,
            promised=promised - question.at,
            used=used,
        )

    async def _rest(self) -> None:
        """Wait until the process is idle."""
        while True:
            used, asked = exact_cpu(self._pid), len(self._claude.questions)
            await asyncio.sleep(PAUSE)
            is_idle = exact_cpu(self._pid) - used < IDLE
            if is_idle and len(self._claude.questions) == asked:
                break
