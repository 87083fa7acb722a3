"""Measures the time until Slack has an acknowledgement, for each way to receive events,
at 200 events a second."""

import asyncio
import contextlib
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from rich.table import Table

from adapters.slack.http_events import PATH
from benchmarks.machine import exact_cpu
from benchmarks.platforms import clock
from benchmarks.serving import ENV
from benchmarks.table import middle, ratio, span, table, tail
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.emulators.slack.socketmode import Delivery
from tests.support import postgres
from tests.support.ports import free_port, until_listening
from tests.support.process import Process, claude_env, slack_env

A_SECOND, SECONDS = 200, 10
# The number of threads that messages are spread over, each in its own channel.
THREADS = 50
WARM_UP = 100
PATIENCE = 60.0


@dataclass(frozen=True, slots=True)
class Way:
    """A way to receive events, and its settings."""

    name: str
    env: Mapping[str, str]
    port: int = 0
    #: Whether a gateway and a worker share a PostgreSQL database.
    shares: bool = False


@dataclass(slots=True)
class Took:
    """Seconds from sending to the acknowledgement, total seconds of processor time, and
    the number of events sent again."""

    kept: list[float] = field(default_factory=list)
    passed: list[float] = field(default_factory=list)
    kept_cpu: float = 0.0
    passed_cpu: float = 0.0
    again: int = 0


async def measure(platforms: Sequence[str]) -> Table:
    """Let people post in the bot's threads and outside them, for each way to receive
    events."""
    rows: list[tuple[str, ...]] = []
    if "slack" in platforms:
        ways = _ways()
        took = [await _talk(way) for way in ways]
        for way, each in zip(ways, took, strict=True):
            for what, found, first, cpu in (
                ("kept for the next answer", each.kept, took[0].kept, each.kept_cpu),
                ("not for the bot", each.passed, took[0].passed, each.passed_cpu),
            ):
                figures = (middle(found), tail(found), ratio(found, first))
                each_cpu = span(cpu / len(found))
                row = (f"{way.name}: {what}", *figures, each_cpu, str(each.again))
                rows.append(row)
    return table(
        "acknowledging: since Slack sent an event",
        ("until that is acknowledged", "median", "p99", "ratio", "CPU", "sent again"),
        rows,
        caption=f"""{A_SECOND * SECONDS:,} messages of each kind at {A_SECOND} a second,
        by turns of one second, over {THREADS} threads. The first kind is stored and
        committed before the acknowledgement. CPU is processor time of the bot for each
        message. The emulator of Slack is on the same machine.""",
    )


def _ways() -> list[Way]:
    ports = free_port(), free_port()
    http = [
        {"SLACK_APP_TOKEN": "", "THREADKEEP_SLACK_HTTP": f"127.0.0.1:{port}"}
        for port in ports
    ]
    return [
        Way("one socket", {}),
        Way("four sockets", {"SLACK_CONNECTIONS": "4"}),
        Way("HTTP", http[0], ports[0]),
        Way("HTTP, gateway on PostgreSQL", http[1], ports[1], shares=True),
    ]


async def _talk(way: Way) -> Took:
    async with (
        SlackEmulator(clock=clock, rates=UNLIMITED) as slack,
        ClaudeEmulator(clock=clock) as claude,
    ):
        with tempfile.TemporaryDirectory() as folder:
            async with _serving(Path(folder), slack, claude, way) as bot:
                return await Room(slack, bot).talk()


@contextlib.asynccontextmanager
async def _serving(
    folder: Path, slack: SlackEmulator, claude: ClaudeEmulator, way: Way
) -> AsyncIterator[int]:
    """Run the bot, reached by `way`. Yield the id of the listening process."""
    env = {**slack_env(slack), **claude_env(claude), **ENV, **way.env}
    if way.port:
        env["SLACK_SIGNING_SECRET"] = slack.http.signing_secret
    async with contextlib.AsyncExitStack() as stack:
        role = "serve"
        if way.shares:
            env["THREADKEEP_DB"] = stack.enter_context(_database(folder))
            role = "gateway"
        for each in ("work", role):
            (folder / each).mkdir()
        bot = await stack.enter_async_context(_started(folder / role, env, role))
        if way.port:
            await until_listening(f"127.0.0.1:{way.port}")
            await slack.use_http(f"http://127.0.0.1:{way.port}{PATH}")
        else:
            wanted = int(way.env.get("SLACK_CONNECTIONS", "1"))
            await slack.until(lambda: len(slack.connections) == wanted, PATIENCE)
        if way.shares:
            await stack.enter_async_context(_started(folder / "work", env, "work"))
        yield bot.pid


@contextlib.asynccontextmanager
async def _started(
    folder: Path, env: Mapping[str, str], role: str
) -> AsyncIterator[Process]:
    process = Process(folder, env)
    await process.start(role)
    try:
        yield process
    finally:
        process.kill(signal.SIGTERM)
        status = await process.ended()
    assert status == 0, process.output


@contextlib.contextmanager
def _database(folder: Path) -> Iterator[str]:
    """Yield the URL of a database on a server with durable commits."""
    directory = folder / "postgres"
    directory.mkdir()
    directory.chmod(0o700)
    folder.chmod(0o755)
    server = postgres.start(
        directory, fsync="on", full_page_writes="on", synchronous_commit="on"
    )
    try:
        yield postgres.uri(server.of(server.create()))
    finally:
        assert server.process is not None
        server.process.send_signal(signal.SIGINT)
        server.process.wait()


class Room:
    """Two people who post in threads with the bot and outside them."""

    def __init__(self, slack: SlackEmulator, bot: int) -> None:
        self._slack = slack
        self._bot = bot
        self._alice, self._bob = slack.add_user("Alice"), slack.add_user("Bob")
        self._elsewhere = slack.add_channel("elsewhere")
        self._threads: list[tuple[str, str]] = []
        self._count = 0

    async def talk(self) -> Took:
        """Begin threads, post messages, and return their times."""
        slack = self._slack
        for number in range(THREADS):
            channel = slack.add_channel(f"channel-{number}")
            said = f"{slack.mention} hello"
            root = slack.say(self._alice, channel, said)
            self._threads.append((channel, root))
            await slack.until(partial(self._is_answered, channel, root), PATIENCE)
        await slack.until(lambda: slack.settled, PATIENCE)
        await self._say(WARM_UP, kept=True)
        took = Took()
        for _ in range(SECONDS):
            begun = exact_cpu(self._bot)
            took.kept += await self._say(A_SECOND, kept=True)
            between = exact_cpu(self._bot)
            took.passed += await self._say(A_SECOND, kept=False)
            took.kept_cpu += between - begun
            took.passed_cpu += exact_cpu(self._bot) - between
        took.again = sum(len(each.attempts) > 1 for each in slack.deliveries)
        return took

    def _is_answered(self, channel: str, root: str) -> bool:
        return len(self._slack.thread(channel, root)) == 2

    async def _say(self, count: int, *, kept: bool) -> list[float]:
        """Post `count` messages, evenly over time. Return the seconds that each
        took."""
        slack, begun = self._slack, clock()
        before = len(slack.deliveries)
        for number in range(count):
            await asyncio.sleep(max(0.0, begun + number / A_SECOND - clock()))
            self._count += 1
            channel, root = self._threads[self._count % THREADS]
            if kept:
                text = f"<@{self._bob}> what do you say to number {self._count}?"
                slack.say(self._alice, channel, text, thread_ts=root)
            else:
                slack.say(self._alice, self._elsewhere, f"number {self._count}")
        await slack.until(lambda: slack.settled, PATIENCE)
        return [_span(each) for each in slack.deliveries[before:]]


def _span(delivery: Delivery) -> float:
    """Return the seconds from the first sending to the acknowledgement."""
    acknowledged = delivery.attempts[-1].acked
    assert acknowledged is not None
    return acknowledged - delivery.attempts[0].at
