"""Measures a thousand programs that read streams of the API: memory, CPU, and the delay
between storing and reading."""

import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from rich.console import Group
from rich.table import Table

from benchmarks.machine import child, cpu, memory
from benchmarks.serving import ENV
from benchmarks.table import span, table
from bot.domain.api_token import MOST_RATE, TokenScope
from storage.opening import open_store
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.support.process import Process, claude_env
from tests.support.web_server import WebServer

ADDRESS = "http://127.0.0.1:18980"
# The numbers of readers and of answers that they read: at most as many as run at once
# by default.
CASES = ((1, 1), (100, 1), (1000, 1), (100, 100), (1000, 100))
# A short answer at the speed of a Sonnet, with four characters per token.
TOKENS, TOKENS_PER_SECOND = 600, 60.0
# Each of a hundred answers is so slow that all stream together.
MANY_TOKENS, MANY_PER_SECOND = 40, 2.0
PATIENCE = 300.0


@dataclass
class Reader:
    """A program that reads one stream as bytes. A client library would take more CPU
    than the server."""

    url: str
    token: str
    text: str = ""
    last: str = ""
    ended: str = ""
    received: int = 0
    #: The times at which the first text and the end were read.
    began: float = 0.0
    over: float = 0.0
    first: asyncio.Event = field(default_factory=asyncio.Event)

    async def read(self, message: str = "", last: str = "") -> None:
        """Ask `message`, or resume after the event `last`, and read to the end."""
        where = urlsplit(self.url)
        body = json.dumps({"message": message}) if message else ""
        head = (
            f"POST /api/chat HTTP/1.1\r\nHost: {where.netloc}\r\n"
            f"Authorization: Bearer {self.token}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        )
        if last:
            head += f"Last-Event-ID: {last}\r\n"
        reader, writer = await asyncio.open_connection(where.hostname, where.port)
        writer.write(f"{head}\r\n{body}".encode())
        try:
            while line := await reader.readline():
                self._take(line)
                if self.ended:
                    break
        finally:
            writer.close()

    def _take(self, line: bytes) -> None:
        self.received += len(line)
        name, _, value = line.decode().rstrip("\r\n").partition(": ")
        if name == "id":
            self.last = value
            self.first.set()
        elif name == "event" and value in ("done", "error"):
            self.ended, self.over = value, time.perf_counter()
        elif name == "data" and (more := json.loads(value).get("text")):
            self.began = self.began or time.perf_counter()
            self.text += more


@dataclass(frozen=True, slots=True)
class Cost:
    """The resources that the server used for `readers` streams of `answers` answers."""

    readers: int
    answers: int
    idle: float
    full: float
    seconds: float
    used: float
    first: float
    behind: float
    received: int


async def _measured(readers: int, answers: int) -> Cost:
    many = answers > 1
    rate = MANY_PER_SECOND if many else TOKENS_PER_SECOND
    text = "and " * (MANY_TOKENS if many else TOKENS)
    env = {"THREADKEEP_WEB": urlsplit(ADDRESS).netloc, **ENV}
    with tempfile.TemporaryDirectory() as name:
        async with ClaudeEmulator(tokens_per_second=rate, remember=False) as claude:
            claude.always(text)
            folder = Path(name)
            async with open_store(folder / "threadkeep.db") as store:
                maker = WebServer(store)
                token = await maker.token("bench", TokenScope.CHAT, rate=MOST_RATE)
            process = Process(folder, {**env, **claude_env(claude)})
            await process.start()
            try:
                await _listens()
                return await _read(child(), token, readers, answers, text)
            finally:
                process.kill()
                await process.ended()


async def _read(pid: int, token: str, readers: int, answers: int, text: str) -> Cost:
    # A warm-up, so that modules imported at the first answer do not count.
    await Reader(ADDRESS, token).read("Warm up")
    idle, used, began = memory(pid), cpu(pid), time.perf_counter()
    found = [Reader(ADDRESS, token) for _ in range(readers)]
    async with asyncio.TaskGroup() as tasks:
        for each in found[:answers]:
            tasks.create_task(each.read("And so on?"))
        for nth, each in enumerate(found[answers:]):
            asker = found[nth % answers]
            await asker.first.wait()
            tasks.create_task(each.read(last=asker.last))
        async with asyncio.timeout(PATIENCE):
            while not all(each.began for each in found):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        full = memory(pid)
    seconds = time.perf_counter() - began
    assert all(each.ended == "done" and each.text == text for each in found)
    firsts = sorted(each.began for each in found)
    ends = sorted(each.over for each in found)
    return Cost(
        *(readers, answers, idle, full, seconds, cpu(pid) - used),
        first=statistics.median(firsts) - began,
        # The delay between the first and the last reader of an answer.
        behind=ends[-1] - ends[0],
        received=sum(each.received for each in found),
    )


async def _listens() -> None:
    where = urlsplit(ADDRESS)
    async with asyncio.timeout(60):
        while True:
            try:
                _, writer = await asyncio.open_connection(where.hostname, where.port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def measure(platforms: Sequence[str]) -> Group:
    """Measure all cases. The platforms are ignored."""
    costs = [await _measured(*case) for case in CASES]
    return Group(_table(costs))


def _table(costs: Sequence[Cost]) -> Table:
    rows = [
        [
            f"{each.readers:,} of {each.answers:,}",
            f"{each.idle / 2**20:.0f} MiB",
            f"{(each.full - each.idle) / 2**20:.1f} MiB",
            f"{(each.full - each.idle) / each.readers / 1024:.0f} KiB",
            f"{each.used / each.seconds:.0%}",
            f"{each.used / each.readers * 1000:.1f} ms",
            span(each.first),
            span(each.behind),
        ]
        for each in costs
    ]
    return table(
        "Programs that read streams of the API",
        [
            *("readers of answers", "idle", "more while reading", "each"),
            *("of one core", "CPU each", "first text", "last behind first"),
        ],
        rows,
        caption=f"""
            One answer of {TOKENS} tokens at {TOKENS_PER_SECOND:.0f} a second; or a
            hundred of {MANY_TOKENS} at {MANY_PER_SECOND:.0f} a second, all at once.
            The server is a process of its own; the readers, and Claude's emulator, are
            in another one, on the same cores. "first text" is the median, since the
            first request.
        """,
    )
