"""Compares methods to show a streamed answer, with the same questions, answers and
limits for Threadkeep and for the methods of other bots.

Rule: time is real, with the clocks of the emulators, and all methods have the same
conditions. The only exception is the placeholder, which ours does not need where Slack
itself shows that an answer is coming. Each method first answers one question, which
includes imports and connections.
"""

import asyncio
import contextlib
import json
import sys
import tempfile
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group
from rich.table import Table

from benchmarks.bound import first_sight, last_sight
from benchmarks.lag import ANSWER, SENTENCE, TOKENS_PER_SECOND
from benchmarks.machine import exact_cpu
from benchmarks.peers import PEERS
from benchmarks.platforms import Platform, Question, clock, opened
from benchmarks.serving import serving
from benchmarks.table import span, table
from benchmarks.watching import (
    Watched,
    average,
    lags,
    mean,
    question,
    reads,
    watched,
)
from tests.emulators.claude.emulator import ClaudeEmulator

OURS = "Threadkeep"
METHODS = (OURS, *PEERS)
#: The base of ratios: an edit of each reply every second.
NAIVE = PEERS[0]

SHORT = (SENTENCE * 3)[:200].rstrip()
#: The number of threads asked at once, the number of their channels, and the answer.
SCENES = (
    (1, 1, ANSWER),
    (5, 5, ANSWER),
    (20, 5, ANSWER),
    (100, 5, ANSWER),
    (20, 1, SHORT),
)
# Seconds after the question at which an unfinished method is stopped. With a hundred at
# once it is twice as long, because ours take more than half of that.
PATIENCE = 60.0
# Seconds of rest after the warm-up question, in which one post and two edits are
# refilled.
REST = 3.0


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one method in one scene."""

    method: str
    replies: list[Watched]
    writes: int
    refused: int
    #: The time at which the run ended.
    until: float
    #: CPU seconds of its process per answer.
    used: float


async def measure(platforms: Sequence[str]) -> Group:
    """Play each scene with each method. They differ much only under Slack's limits."""
    tables: list[Table | str] = []
    for scene in SCENES if "slack" in platforms else ():
        threads, channels, answer = scene
        runs = [await play(method, *scene) for method in METHODS]
        first = first_sight(threads, channels)
        end = last_sight(threads, channels, _lasted(runs[0].replies))
        tables += [
            table(
                f"methods: {threads} at once in {channels}, answers of {len(answer)}",
                (
                    *("way", "finished", "lag", "ratio", "first words", "worst"),
                    *("end", "writes", "429s", "CPU", "ratio"),
                ),
                _rows(runs),
                caption=f"""No way can show the first words of all of them sooner than
                {span(first[0])} after the question on average and {span(first[1])} at
                the worst, since each takes a post or the start of a stream; nor their
                ends sooner than {span(end[0])} and {span(end[1])} after the last
                word. Lag: the mean over all characters. End: from Claude's last word
                until all of it shows, the mean over those that finished. CPU: of its
                process, per answer. Ratios are to {NAIVE}.""",
            ),
            "",
        ]
    return Group(
        *tables,
        f"""Slack, answers at {TOKENS_PER_SECOND:.0f} tokens a second. What was never
shown counts until {PATIENCE:.0f} s after the question, and with a hundred at once until
{patience(100):.0f} s, when a way is broken off.""",
    )


async def play(method: str, threads: int, channels: int, answer: str) -> Run:
    """Ask in `threads` threads at once, and record what readers see of `answer`."""
    async with (
        opened("slack") as platform,
        ClaudeEmulator(clock=clock, tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        rooms = [platform.add_channel() for _ in range(channels)]
        async with _by(method, platform, claude) as way:
            await _warm_up(way, platform, claude)
            claude.always(answer)
            written, used = sum(platform.writes), exact_cpu(way.pid)
            asked = [
                platform.ask(rooms[nth % channels], question(nth))
                for nth in range(threads)
            ]
            await way.begin({question(nth): each for nth, each in enumerate(asked)})
            await _all_read(platform, asked, answer, way.has_ended)
            return Run(
                method,
                watched(platform, claude, asked, answer),
                sum(platform.writes) - written,
                platform.refusals,
                clock(),
                (exact_cpu(way.pid) - used) / threads,
            )


async def _warm_up(
    way: "_Ours | _Peer", platform: Platform, claude: ClaudeEmulator
) -> None:
    claude.script("Yes.")
    asked = platform.ask(platform.add_channel(), text := question(-1))
    await way.begin({text: asked})
    await platform.until(lambda: reads(platform, asked) == "Yes.", PATIENCE)
    await asyncio.sleep(REST)


def _lasted(replies: Sequence[Watched]) -> float:
    """Return the seconds that Claude took for the slowest reply."""
    return max(each.sent[-1][0] - each.question.at for each in replies)


class _Ours:
    """Threadkeep, which receives the questions as events."""

    def __init__(self, pid: int) -> None:
        self.pid = pid

    def has_ended(self) -> bool:
        return False

    async def begin(self, asked: Mapping[str, Question]) -> None:
        pass


class _Peer:
    """A peer in a separate process."""

    def __init__(
        self,
        process: asyncio.subprocess.Process,
        method: str,
        platform: Platform,
        claude: ClaudeEmulator,
    ) -> None:
        self.pid = process.pid
        self._process = process
        self._asker = platform.asker
        self._settings = {
            "method": method,
            "token": platform.env["SLACK_BOT_TOKEN"],
            "slack": platform.env["SLACK_API_URL"],
            "key": claude.api_key,
            "claude": claude.base_url,
        }
        self._ended: asyncio.Task[bytes] | None = None

    def has_ended(self) -> bool:
        return self._ended is not None and self._ended.done()

    async def begin(self, asked: Mapping[str, Question]) -> None:
        """Let the peer answer `asked`: the questions by their text."""
        if self._ended is not None:
            await self._ended
        await self._send(
            [
                {
                    "channel": each.thread.channel,
                    "thread": each.thread.thread,
                    "team": each.thread.workspace,
                    "user": self._asker,
                    "text": text,
                }
                for text, each in asked.items()
            ]
        )
        self._ended = asyncio.create_task(self._line())

    async def start(self) -> None:
        """Wait until it is ready."""
        await self._send(self._settings)
        assert await self._line() == b"ready\n"

    async def _send(self, what: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{json.dumps(what)}\n".encode())
        await self._process.stdin.drain()

    async def _line(self) -> bytes:
        assert self._process.stdout is not None
        return await self._process.stdout.readline()

    async def stop(self) -> None:
        """Kill the peer."""
        if self._ended is not None:
            self._ended.cancel()
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()


@contextlib.asynccontextmanager
async def _by(
    method: str, platform: Platform, claude: ClaudeEmulator
) -> AsyncIterator[_Ours | _Peer]:
    if method == OURS:
        with tempfile.TemporaryDirectory() as folder:
            async with serving(Path(folder), platform, claude) as pid:
                yield _Ours(pid)
        return
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "benchmarks.peers"), stdin=pipe, stdout=pipe
    )
    peer = _Peer(process, method, platform, claude)
    try:
        await peer.start()
        yield peer
    finally:
        await peer.stop()


async def _all_read(
    platform: Platform,
    asked: Sequence[Question],
    answer: str,
    has_ended: Callable[[], bool],
) -> None:
    """Wait until every reply reads `answer`, or until the method has ended."""
    left = list(asked)

    def is_over() -> bool:
        while left and reads(platform, left[-1]) == answer:
            left.pop()
        return not left or has_ended()

    with contextlib.suppress(AssertionError):
        await platform.until(is_over, timeout=patience(len(asked)))


def patience(threads: int) -> float:
    """Return the seconds after which a method is stopped."""
    return PATIENCE * (2 if threads >= 100 else 1)


def _rows(runs: Sequence[Run]) -> Iterator[tuple[str, ...]]:
    """Yield the cells of each method."""
    naive = next(run for run in runs if run.method == NAIVE)
    for run in runs:
        most = patience(len(run.replies))
        first = [min(each.first, most) for each in run.replies]
        ends = [each.end for each in run.replies if each.whole is not None]
        lag = _lag(run)
        yield (
            run.method,
            f"{len(ends)} of {len(run.replies)}",
            *(span(lag), f"{lag / _lag(naive):.2f}x"),
            *(span(average(first)), span(max(first))),
            span(average(ends)) if ends else "never",
            *(str(run.writes), str(run.refused)),
            *(span(run.used), f"{run.used / naive.used:.2f}x"),
        )


def _lag(run: Run) -> float:
    """Return the mean seconds until a character was seen."""
    end = run.replies[0].question.at + patience(len(run.replies))
    sent = [each.sent for each in run.replies]
    return mean(lags(sent, [each.seen for each in run.replies], end))
