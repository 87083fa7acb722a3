"""What it costs to have many threads answered at once: memory and CPU."""

import asyncio
import tempfile
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from rich.table import Table

from benchmarks.machine import cpu, memory
from benchmarks.serving import serving
from benchmarks.table import refusals, span, table
from storage.database import open_beside
from tests.emulators.claude import ClaudeEmulator
from tests.emulators.claude_reply import Hold
from tests.emulators.slack import SlackEmulator

THREADS = (1, 100, 1000)
# Posts: 1 a second in each of five channels is as much as a workspace gets (300 a
# minute), so this is the busiest that Slack lets a bot be.
CHANNELS = 5
# So slow that all of them stream together for 20 s, and a thousand of them bring as
# much as 33 do at a Sonnet's 60 tokens a second.
TOKENS, TOKENS_PER_SECOND = 40, 2.0
# The emulator counts four characters a token.
TEXT = "and " * TOKENS
# Asked at once, so that no acknowledgement is late only because of the crowd.
BATCH = 20
# How often we look whether the last answer is stored.
TICK = 0.05
PATIENCE = 300.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What a process used for `threads` answers."""

    threads: int
    #: Bytes before anybody spoke, and while all answers streamed.
    idle: float
    streaming: float
    #: CPU seconds until Claude was asked everything, and from there to the end.
    asking: float
    answering: float
    #: Seconds from the first token to the last one, and from there until the last
    #: answer was stored.
    streamed: float
    behind: float
    refused: str


async def measure() -> Table:
    """Let 1, 100 and 1,000 threads stream together, each time in a new process."""
    costs = [await _cost(threads) for threads in THREADS]
    return table(
        "footprint: answers that stream at once",
        (
            *("threads", "tokens", "RAM idle", "streaming", "a thread"),
            *("CPU to ask", "to answer", "used", "behind", "429s"),
        ),
        [_row(cost, costs[0]) for cost in costs],
        caption=f"""Answers of {TOKENS} tokens at {TOKENS_PER_SECOND:.0f} a second, one
        a delta, in {CHANNELS} channels; "tokens" is how many a second there were in
        all. A thread's RAM is the difference to the first row. CPU is that of one
        answer: until Claude was asked for it, and from there until it was stored;
        "used" is the share of one core in the latter time. "Behind" is how long after
        Claude's last word the last answer was durable.""",
    )


def _row(cost: Cost, one: Cost) -> tuple[str, ...]:
    more = cost.threads - one.threads
    return (
        f"{cost.threads:,}",
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


async def _cost(threads: int) -> Cost:
    async with (
        SlackEmulator() as slack,
        ClaudeEmulator(tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            async with serving(path, slack, claude) as pid:
                return await _watch(threads, pid, path, slack, claude)


async def _watch(
    threads: int, pid: int, folder: Path, slack: SlackEmulator, claude: ClaudeEmulator
) -> Cost:
    idle, began = memory(pid), cpu(pid)
    gate = asyncio.Event()
    claude.always([Hold(gate), TEXT])
    await _ask(threads, slack, claude)
    asked = cpu(pid)
    gate.set()
    await claude.until(lambda: _all_have(claude, len(TEXT) // 2), timeout=PATIENCE)
    streaming = memory(pid)
    await claude.until(lambda: _all_have(claude, len(TEXT)), timeout=PATIENCE)
    first = min(sent[0][0] for sent in claude.sent)
    last = max(sent[-1][0] for sent in claude.sent)
    behind = await _stored(threads, folder)
    return Cost(
        threads=threads,
        idle=idle,
        streaming=streaming,
        asking=asked - began,
        answering=cpu(pid) - asked,
        streamed=last - first,
        behind=behind,
        refused=refusals(slack.refused),
    )


async def _ask(threads: int, slack: SlackEmulator, claude: ClaudeEmulator) -> None:
    """Ask in as many new threads, and wait until Claude was asked all of it."""
    alice = slack.add_user("Alice")
    channels = [slack.add_channel(f"room-{n}") for n in range(CHANNELS)]
    for nth in range(threads):
        slack.say(alice, channels[nth % CHANNELS], f"{slack.mention} go on")
        if nth % BATCH == BATCH - 1:
            await _until_asked(nth + 1, claude)
    await _until_asked(threads, claude)


async def _until_asked(count: int, claude: ClaudeEmulator) -> None:
    await claude.until(lambda: len(claude.sent) == count, timeout=PATIENCE)


def _all_have(claude: ClaudeEmulator, chars: int) -> bool:
    return all(sent and sent[-1][1] >= chars for sent in claude.sent)


async def _stored(threads: int, folder: Path) -> float:
    """Wait until every answer is durable, and say how long that took."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    with closing(open_beside(folder / "threadkeep.db")) as db:
        count = "SELECT count(*) FROM turns WHERE ended = 'done'"
        async with asyncio.timeout(PATIENCE):
            # Another process writes it, and tells nobody.
            while db.execute(count).fetchone()[0] < threads:  # noqa: ASYNC110
                await asyncio.sleep(TICK)
    return loop.time() - began


def _mib(size: float) -> str:
    return f"{size / 2**20:.0f} MiB"


def _kib(size: float) -> str:
    return f"{size / 2**10:.0f} KiB"
