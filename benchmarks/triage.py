"""Measures bulk triage against a plain loop of sequential calls: tickets per second,
memory and cost."""

import asyncio
import csv
import json
import multiprocessing
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from rich.table import Table

from benchmarks.table import span, table
from bot.claude.client import client
from bot.schemes.scheme import default
from bot.triage.bulk.request import build_request
from tests.emulators.claude.emulator import ClaudeEmulator

ROWS = 100_000
# The emulator's seconds for an answer. A small model takes about as long, or longer.
LATENCY = 0.25
AT_ONCE = 200
# The number of tickets for the plain loop, whose speed does not depend on it.
PLAIN = 200

MODEL = "claude-haiku-5-5"
KEY = "sk-ant-emulator"

_WORDS = (
    *("export", "button", "page", "login", "invoice", "charged", "twice", "update"),
    *("team", "report", "error", "please", "colleague", "slow", "crash", "missing"),
    *("dark", "mode", "refund", "address", "wrong", "today", "everyone", "thanks"),
)


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the command, and its resources."""

    seconds: float
    #: Peak memory in megabytes.
    memory: float
    cpu: float
    summary: str


async def measure(platforms: Sequence[str]) -> Table:
    """Sort many tickets with both methods, and a few in a plain loop."""
    return await asyncio.to_thread(_measure, ROWS)


def _measure(rows: int) -> Table:
    with tempfile.TemporaryDirectory() as name, _emulator() as url:
        folder = Path(name)
        few, many = folder / "few.csv", folder / "many.csv"
        _write(few, rows // 10)
        _write(many, rows)
        plain = asyncio.run(_plain(url, PLAIN))
        small = _triage(folder / "small", url, few)
        whole = _triage(folder / "now", url, many)
        again = _triage(folder / "now", url, many)
        batch = _triage(folder / "batch", url, many, "--batch")
    loop = PLAIN / plain
    lines = [
        ("plain loop", f"{PLAIN:,}", plain, None, ""),
        ("now", f"{rows // 10:,}", small.seconds, small, _cost(small)),
        ("now", f"{rows:,}", whole.seconds, whole, _cost(whole)),
        ("the same again", f"{rows:,}", again.seconds, again, "$0.00 more"),
        ("--batch", f"{rows:,}", batch.seconds, batch, _cost(batch)),
    ]
    return table(
        "Triage",
        (
            *("way", "tickets", "time", "a second", "ratio to the loop"),
            *("memory", "CPU", "cost"),
        ),
        [
            (
                *(name, count, span(seconds)),
                f"{int(count.replace(',', '')) / seconds:,.0f}",
                f"{int(count.replace(',', '')) / seconds / loop:,.0f}x",
                f"{run.memory:,.0f} MB" if run else "–",
                span(run.cpu) if run else "–",
                cost,
            )
            for name, count, seconds, run, cost in lines
        ],
        caption=f"""An emulated Claude that takes {LATENCY} s for an answer and has no
        limits, in a process of its own; up to {AT_ONCE} calls at once. Memory is the
        most that the command had, its start included. Cost is what {MODEL} would cost
        at today's prices for the emulator's token counts. The emulated batch is
        answered at once, where Claude takes minutes to hours.""",
    )


async def _plain(url: str, rows: int) -> float:
    """Return the seconds for `rows` tickets in sequential calls."""
    scheme = default()
    async with client(KEY, url) as claude:
        began = time.monotonic()
        for n in range(rows):
            await claude.complete(build_request(scheme, MODEL, f"Plain ticket {n}"))
        return time.monotonic() - began


def _triage(folder: Path, url: str, file: Path, *more: str) -> Run:
    """Sort `file` with the command, as an operator would."""
    folder.mkdir(exist_ok=True)
    env = {
        "PATH": os.environ["PATH"],
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
        "THREADKEEP_DB": str(folder / "threadkeep.db"),
    }
    to = ("-o", str(folder / "out.csv"), "--at-once", str(AT_ONCE))
    command = (sys.executable, "-m", "bot", "triage", str(file), *to, *more)
    began = time.monotonic()
    with (folder / "log").open("w+") as log:
        process = subprocess.Popen(command, env=env, cwd=folder, stderr=log)
        _, status, used = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        log.seek(0)
        summary = log.read()
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(summary)
    return Run(seconds, used.ru_maxrss / 1024, used.ru_utime + used.ru_stime, summary)


def _cost(run: Run) -> str:
    line = next(line for line in run.summary.splitlines() if line.startswith("Cost"))
    return line.split()[1]


def _write(path: Path, rows: int) -> None:
    chance = random.Random(1)
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "ticket"])
        for n in range(rows):
            text = " ".join(chance.choices(_WORDS, k=chance.randint(8, 40)))
            writer.writerow([n, f"{text} ({n})"])


@contextmanager
def _emulator() -> Iterator[str]:
    """Run an emulated Claude in a separate process. Yield its address."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    process = spawn.Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield str(ours.recv())
    finally:
        process.terminate()
        process.join()


def _serve(pipe: Connection) -> None:
    asyncio.run(_serving(pipe))


async def _serving(pipe: Connection) -> None:
    answer = {"category": "bug", "priority": "medium", "summary": "Something broke."}
    async with ClaudeEmulator(remember=False) as claude:
        claude.latency = LATENCY
        claude.always(json.dumps(answer))
        pipe.send(claude.base_url)
        await asyncio.Event().wait()
