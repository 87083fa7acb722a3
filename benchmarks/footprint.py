"""Measures memory and CPU with many concurrent answers, and in many guilds without
questions."""

import asyncio
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path

from rich.console import Group
from rich.table import Table

from benchmarks.machine import cpu, memory
from benchmarks.platforms import clock, open_discord, opened
from benchmarks.raised_limit import RAISED
from benchmarks.rows import found, stored
from benchmarks.scale_town import install, installed_env
from benchmarks.serving import serving
from benchmarks.table import span, table
from bot.runtime.open_files import allow_connections
from storage.database import open_beside
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Hold
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.process import is_heard

THREADS = {
    "slack": (1, 50, 100, 1000, 2000),
    "discord": (1, 50, 100, 500),
}
# Slack workspaces with the app, so many that their limits do not bound the answers, and
# the total numbers of threads.
WORKSPACES, SPREAD = 100, (100, 1000, 2000)
# Discord servers of a bot whose raised global limit does not bound the answers, and the
# total numbers of threads.
SERVERS, SERVED = 100, (100, 1000, 2000)
# One post a second in each of five channels is the limit of a workspace (300 a minute),
# so this is the highest load that Slack allows.
CHANNELS = 5
# So slow that all answers stream together for 20 s, and that a thousand bring as many
# tokens as 33 do at a Sonnet's 60 tokens a second.
TOKENS, TOKENS_PER_SECOND = 40, 2.0
# The emulator counts four characters a token.
TEXT = "and " * TOKENS
# Seconds between Claude's pings before the first token. Clients give up after 90 s of
# silence.
PINGS = 20.0
# The number of questions asked at once, so small that no acknowledgement is late
# because of the load.
BATCH = 20
# Seconds between two checks of the database.
TICK = 0.05
PATIENCE = 900.0

# The numbers of guilds that the bot is in, and of channels in each.
GUILDS, ROOMS = (1, 100, 500), 50


@dataclass(frozen=True, slots=True)
class Cost:
    """The resources that a process used for `threads` answers."""

    where: str
    threads: int
    #: Bytes of memory before the first question, and while all answers streamed.
    idle: float
    streaming: float
    #: CPU seconds until Claude had all requests, and from then to the end.
    asking: float
    answering: float
    #: Seconds from the first token to the last one, and from then until the last answer
    #: was stored.
    streamed: float
    behind: float
    refused: str


@dataclass(frozen=True, slots=True)
class Presence:
    """The resources that a process used to be in `guilds` guilds."""

    guilds: int
    #: Bytes of memory when it knew all of them.
    idle: float
    #: CPU seconds, and seconds since the connection, until then.
    used: float
    took: float


async def measure(platforms: Sequence[str]) -> Group:
    """Let few and many threads stream together, each time in a new process. Then
    measure few and many guilds."""
    allow_connections()
    streaming = await _streaming(platforms)
    if "discord" not in platforms:
        return Group(streaming)
    return Group(streaming, "", await _present())


async def _streaming(platforms: Sequence[str]) -> Table:
    rows = []
    for name in platforms:
        costs = [await _cost(name, threads) for threads in THREADS[name]]
        rows += [_row(cost, costs[0]) for cost in costs]
    if "slack" in platforms:
        costs = [await _spread(threads) for threads in SPREAD]
        rows += [_row(cost, costs[0]) for cost in costs]
    if "discord" in platforms:
        costs = [await _in_servers(threads) for threads in SERVED]
        rows += [_row(cost, costs[0]) for cost in costs]
    return table(
        "footprint: answers that stream at once",
        (
            *("threads", "tokens", "RAM idle", "streaming", "a thread"),
            *("CPU to ask", "to answer", "used", "behind", "429s"),
        ),
        rows,
        caption=f"""Answers of {TOKENS} tokens at {TOKENS_PER_SECOND:.0f} a second, one
        a delta, in {CHANNELS} channels, or in {WORKSPACES} workspaces of Slack, each
        with its own limits, or in {SERVERS} servers of Discord, which allows the bot
        {RAISED} times as many calls as others; "tokens" is how many a second there
        were in all. A thread's RAM is the difference to one thread. CPU is that of one
        answer: until Claude was asked for it, and from there until it was stored;
        "used" is the share of one core in the latter time. "Behind" is how long after
        Claude's last word the last answer was durable.""",
    )


def _row(cost: Cost, one: Cost) -> tuple[str, ...]:
    more = cost.threads - one.threads
    return (
        f"{cost.where}, {cost.threads:,}",
        f"{cost.threads * TOKENS / cost.streamed:,.0f}/s",
        _mib(cost.idle),
        _mib(cost.streaming),
        _kib((cost.streaming - one.streaming) / more) if more else "-",
        span(cost.asking / cost.threads),
        span(cost.answering / cost.threads),
        f"{cost.answering / (cost.streamed + cost.behind):.0%}",
        span(cost.behind),
        cost.refused,
    )


async def _cost(name: str, threads: int) -> Cost:
    async with (
        opened(name) as platform,
        ClaudeEmulator(clock=clock, tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            async with serving(path, platform, claude) as pid:
                channels = [platform.add_channel() for _ in range(CHANNELS)]

                def ask(nth: int) -> None:
                    platform.ask(channels[nth % CHANNELS], "go on")

                cost = await _watch(threads, pid, path, ask, claude)
                return replace(cost, where=name.title(), refused=platform.refused)


class _Workspaces:
    """Slack with many workspaces, as a platform for `serving`."""

    def __init__(self, slack: SlackEmulator) -> None:
        self._slack = slack
        self.env = installed_env(slack)
        self.until = slack.until

    @property
    def is_heard(self) -> bool:
        return is_heard(self._slack)


async def _spread(threads: int) -> Cost:
    """Measure `threads` threads in many workspaces."""
    async with (
        SlackEmulator(clock=clock) as slack,
        ClaudeEmulator(clock=clock, tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        # Its own workspace has not installed the app.
        slack.uninstall()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            teams = await install(slack, WORKSPACES, path / "threadkeep.db")
            async with serving(path, _Workspaces(slack), claude) as pid:

                def ask(nth: int) -> None:
                    teams[nth % WORKSPACES].ask()

                cost = await _watch(threads, pid, path, ask, claude)
        refused = sum(sum(each.slack.refused.values()) for each in teams)
        return replace(cost, refused=str(refused))


async def _in_servers(threads: int) -> Cost:
    """Measure `threads` threads in many servers."""
    async with (
        open_discord(raised=RAISED) as discord,
        ClaudeEmulator(clock=clock, tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        channels = [discord.add_guild(1) for _ in range(SERVERS)]
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            async with serving(
                path, discord, claude, module="benchmarks.raised_limit"
            ) as pid:

                def ask(nth: int) -> None:
                    discord.ask(channels[nth % SERVERS], "go on")

                cost = await _watch(threads, pid, path, ask, claude)
                where = f"Discord, {SERVERS} servers"
                return replace(cost, where=where, refused=discord.refused)


async def _watch(
    threads: int,
    pid: int,
    folder: Path,
    ask: Callable[[int], None],
    claude: ClaudeEmulator,
) -> Cost:
    idle, began = memory(pid), cpu(pid)
    gate = asyncio.Event()
    claude.always([Hold(gate, PINGS), TEXT])
    await _ask(threads, ask, claude)
    asked = cpu(pid)
    gate.set()
    await claude.until(lambda: _all_have(claude, len(TEXT) // 2), timeout=PATIENCE)
    streaming = memory(pid)
    await claude.until(lambda: _all_have(claude, len(TEXT)), timeout=PATIENCE)
    first = min(sent[0][0] for sent in claude.sent)
    last = max(sent[-1][0] for sent in claude.sent)
    behind = await _stored(threads, folder)
    return Cost(
        where=f"Slack, {WORKSPACES} workspaces",
        threads=threads,
        idle=idle,
        streaming=streaming,
        asking=asked - began,
        answering=cpu(pid) - asked,
        streamed=last - first,
        behind=behind,
        refused="",
    )


async def _ask(
    threads: int, ask: Callable[[int], None], claude: ClaudeEmulator
) -> None:
    """Ask in `threads` new threads, and wait until Claude has all requests."""
    for nth in range(threads):
        ask(nth)
        if nth % BATCH == BATCH - 1:
            await _until_asked(nth + 1, claude)
    await _until_asked(threads, claude)


async def _until_asked(count: int, claude: ClaudeEmulator) -> None:
    await claude.until(lambda: len(claude.sent) == count, timeout=PATIENCE)


def _all_have(claude: ClaudeEmulator, chars: int) -> bool:
    return all(sent and sent[-1][1] >= chars for sent in claude.sent)


async def _stored(threads: int, folder: Path) -> float:
    """Wait until every answer is durable. Return the seconds that this took."""
    began = clock()
    done = "SELECT count(*) AS n FROM turns WHERE ended = 'done' HAVING n >= ?"
    with closing(open_beside(folder / "threadkeep.db")) as db:
        await found(db, done, threads, tick=TICK)
    return clock() - began


async def _present() -> Table:
    there = [await _presence(guilds) for guilds in GUILDS]
    return table(
        "footprint: guilds where nobody asks",
        ("guilds", "channels", "RAM", "a guild", "known after", "CPU"),
        [_guild_row(each, there[0]) for each in there],
        caption="""On Discord, and each in a new process. A guild's share is the
        difference to the first row. All are known when a question that was asked upon
        connecting, behind everything that Discord says then, is durable.""",
    )


def _guild_row(there: Presence, one: Presence) -> tuple[str, ...]:
    more = there.guilds - one.guilds
    return (
        f"{there.guilds:,}",
        f"{there.guilds * ROOMS:,}",
        _mib(there.idle),
        _kib((there.idle - one.idle) / more) if more else "-",
        span(there.took),
        span(there.used),
    )


async def _presence(guilds: int) -> Presence:
    async with open_discord() as discord, ClaudeEmulator(clock=clock) as claude:
        for _ in range(guilds):
            channel = discord.add_guild(ROOMS)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            async with serving(path, discord, claude) as pid:
                connected, before = clock(), cpu(pid)
                question = discord.ask(channel, "are you there?")
                with closing(open_beside(path / "threadkeep.db")) as db:
                    await stored(db, question.message, tick=TICK)
                took, used = clock() - connected, cpu(pid) - before
                idle = memory(pid)
                # Wait for the answer, because a closed connection to Claude is an
                # error.
                await discord.until(lambda: discord.answer(question), PATIENCE)
                return Presence(guilds, idle, used, took)


def _mib(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"


def _kib(size: float) -> str:
    return f"{size / 2**10:.0f} KiB"
