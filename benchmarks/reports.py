"""Measures the operator's reports on a large database, and how long turns wait for
them."""

import asyncio
import random
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from rich.table import Table

from benchmarks.table import span, table
from bot.domain.reports import Reader, UsageKey
from bot.domain.scope import ThreadKey
from bot.domain.vitals import Vitals
from bot.reports.money import MoneyReports
from bot.reports.monitor import ProcessMonitor
from bot.reports.threads import ThreadReports
from storage.opening import open_store
from storage.store import DatabaseStore

#: The number of answers, their days, the turns per thread, and the numbers of people
#: and channels.
ANSWERS, DAYS, TURNS, PEOPLE, CHANNELS = 200_000, 90, 5, 300, 200
MODELS = ("claude-sonnet-5-5", "claude-opus-5-5", "claude-haiku-5-5")
DAY = 86_400.0


async def measure(platforms: Sequence[str]) -> Table:
    """Fill a database, and make every report."""
    with tempfile.TemporaryDirectory() as folder:
        return await reported(Path(folder) / "threadkeep.db", ANSWERS)


async def reported(database: Path, answers: int) -> Table:
    """Make a database of `answers` at `database`, and measure its reports."""
    now = time.time()
    async with open_store(database):
        pass
    _fill(database, answers, now)
    async with open_store(database) as store:
        rows = [
            (name, *map(span, await _timed(store, report)))
            for name, report in _reports(store, now).items()
        ]
    return table(
        f"reports: {answers:,} answers of {DAYS} days",
        ("report", "takes", "a turn waits at most"),
        rows,
        caption=f"""Of {PEOPLE} people in {CHANNELS} channels. What a turn waits: the
        longest read of a thread that was made again and again meanwhile.""",
    )


def _reports(store: DatabaseStore, now: float) -> Mapping[str, Awaitable[object]]:
    money = MoneyReports(
        store, store, store, {"budget_total_month": "1000"}, lambda: now
    )
    threads = ThreadReports(store, store, store, store, {})
    monitor = ProcessMonitor(store, lambda: Vitals(now, now - DAY))
    both = [UsageKey.PERSON, UsageKey.MODEL]
    return {
        "usage by day, 30 days": money.usage(now - 30 * DAY, [UsageKey.DAY]),
        "usage by person and model, 30 days": money.usage(now - 30 * DAY, both),
        "usage by person and model, 90 days": money.usage(now - 90 * DAY, both),
        "quality, 30 days": money.quality(now - 30 * DAY),
        "quality, 90 days": money.quality(now - 90 * DAY),
        "budgets": money.budgets(),
        "threads, a page": threads.threads(Reader("operator")),
        "metrics: calls of a day": monitor.calls(),
        "whether it is ready": monitor.unready(),
    }


async def _timed(
    store: DatabaseStore, report: Awaitable[object]
) -> tuple[float, float]:
    """Return the seconds that `report` takes, and the longest wait of a turn's read
    meanwhile."""
    thread, worst = ThreadKey("slack", "T1", "C1", "1.0"), 0.0

    async def read() -> None:
        nonlocal worst
        while True:
            began = time.perf_counter()
            await store.next_turn(thread)
            worst = max(worst, time.perf_counter() - began)
            await asyncio.sleep(0.005)

    reading = asyncio.ensure_future(read())
    began = time.perf_counter()
    await report
    took = time.perf_counter() - began
    reading.cancel()
    await asyncio.wait({reading})
    return took, worst


def _fill(database: Path, answers: int, now: float) -> None:
    chance = random.Random(1)
    with closing(sqlite3.connect(database)) as db, db:
        for nth in range(answers):
            at = now - DAYS * DAY * (1 - nth / answers)
            thread, place = nth // TURNS + 1, nth // TURNS % CHANNELS
            if nth % TURNS == 0:
                db.execute(
                    "INSERT INTO threads (id, platform, workspace, channel, thread,"
                    " follows, unread, created_at) VALUES (?, 'slack', 'T1', ?, ?, 1,"
                    " 0, ?)",
                    [thread, f"C{place}", f"{thread}.0", at],
                )
            model = chance.choice(MODELS)
            used = [chance.randrange(4_000), chance.randrange(30_000)]
            db.execute(
                "INSERT INTO turns (id, thread_id, key, state, ended, touched, model,"
                " input, cache_read, output, cost, asked_at, created_at, started_at,"
                " first_text_at, ended_at, delivered_at, text) VALUES (?, ?, ?,"
                " 'delivered', 'done', ?, ?, ?, ?, 300, 0.01, ?, ?, ?, ?, ?, ?, ?)",
                [
                    *(nth + 1, thread, f"k{nth}", at, model, *used, at, at, at),
                    *(at + 1, at + 9, at + 9.2, "x" * 800),
                ],
            )
            db.execute(
                "INSERT INTO messages (thread_id, message, role, author, at, addressed,"
                " turn_id, asks, text) VALUES (?, ?, 'user', ?, ?, 1, ?, 1, ?)",
                [thread, f"m{nth}", f"U{nth % PEOPLE}", at, nth + 1, "how " * 30],
            )
            db.execute(
                "INSERT INTO charges (turn, kind, platform, workspace, channel, thread,"
                " person, model, at, input, cache_read, output, cost, ended_at) VALUES"
                " (?, 'answer', 'slack', 'T1', ?, ?, ?, ?, ?, ?, ?, 300, 0.01, ?)",
                [
                    *(f"k{nth}", f"C{place}", f"{thread}.0", f"U{nth % PEOPLE}"),
                    *(model, at, *used, at + 9),
                ],
            )
