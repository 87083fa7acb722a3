"""Ways to show a streamed answer, compared: the same questions, answers and limits for
Threadkeep and for the ways in which bots do it today.

Rule: real time, the emulators' own clocks, and nothing that one way may and another may
not, but for the placeholder: where Slack shows by itself that an answer comes, ours
needs none.
"""

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group
from rich.table import Table

from benchmarks.bound import first_sight, last_sight
from benchmarks.lag import ANSWER, SENTENCE, TOKENS_PER_SECOND
from benchmarks.peers import PEERS, answering
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
    worst,
)
from tests.emulators.claude.emulator import ClaudeEmulator

OURS = "Threadkeep"
METHODS = (OURS, *PEERS)

SHORT = (SENTENCE * 3)[:200].rstrip()
#: Threads that are asked in one moment, channels that they lie in, and the answer.
SCENES = (
    (1, 1, ANSWER),
    (5, 5, ANSWER),
    (20, 5, ANSWER),
    (100, 5, ANSWER),
    (20, 1, SHORT),
)
# When a way that has not finished everything by then is broken off, in seconds after
# the question. Ours take a minute and a half with a hundred at once.
PATIENCE = 120.0


@dataclass(frozen=True, slots=True)
class Run:
    """What one way made of one scene."""

    method: str
    replies: list[Watched]
    writes: int
    refused: int
    #: When it was looked at last.
    until: float


async def measure(platforms: Sequence[str]) -> Group:
    """Play each scene in each way. Only Slack's limits make them differ much."""
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
                    *("way", "finished", "lag", "worst", "first words", "worst"),
                    *("last word to end", "worst", "writes", "429s"),
                ),
                map(_row, runs),
                caption=f"""No way can show the first words of all of them sooner than
                {span(first[0])} after the question on average and {span(first[1])} at
                the worst, since each takes a post or the start of a stream; nor their
                ends sooner than {span(end[0])} and {span(end[1])} after the last
                word.""",
            ),
            "",
        ]
    return Group(
        *tables,
        f"""Slack, answers at {TOKENS_PER_SECOND:.0f} tokens a second. What was never
shown counts until {PATIENCE:.0f} s after the question, when a way is broken off.""",
    )


async def play(method: str, threads: int, channels: int, answer: str) -> Run:
    """Ask in so many threads at once, and see what readers see of `answer`."""
    async with (
        opened("slack") as platform,
        ClaudeEmulator(clock=clock, tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        claude.always(answer)
        rooms = [platform.add_channel() for _ in range(channels)]
        async with _by(method, platform, claude):
            asked = [
                platform.ask(rooms[nth % channels], question(nth))
                for nth in range(threads)
            ]
            async with _told(method, platform, claude, asked) as given_up:
                await _all_read(platform, asked, answer, given_up)
            return Run(
                method,
                watched(platform, claude, asked, answer),
                sum(platform.writes),
                platform.refusals,
                clock(),
            )


def _lasted(replies: Sequence[Watched]) -> float:
    """How long, in seconds, Claude took for the slowest of them."""
    return max(each.sent[-1][0] - each.question.at for each in replies)


@contextlib.asynccontextmanager
async def _by(
    method: str, platform: Platform, claude: ClaudeEmulator
) -> AsyncIterator[None]:
    if method != OURS:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        async with serving(Path(folder), platform, claude):
            yield


@contextlib.asynccontextmanager
async def _told(
    method: str, platform: Platform, claude: ClaudeEmulator, asked: list[Question]
) -> AsyncIterator[asyncio.Future[list[None]] | None]:
    if method == OURS:
        yield None
        return
    env = platform.env
    token, address = env["SLACK_BOT_TOKEN"], env["SLACK_API_URL"]
    async with answering(method, token, address, claude, asked) as work:
        yield work


async def _all_read(
    platform: Platform,
    asked: Sequence[Question],
    answer: str,
    given_up: asyncio.Future[list[None]] | None,
) -> None:
    """Wait until every reply reads `answer`, or no more is to come."""
    left = list(asked)

    def is_over() -> bool:
        while left and reads(platform, left[-1]) == answer:
            left.pop()
        return not left or (given_up is not None and given_up.done())

    with contextlib.suppress(AssertionError):
        await platform.until(is_over, timeout=PATIENCE)


def _row(run: Run) -> tuple[str, ...]:
    end = run.replies[0].question.at + PATIENCE
    found = lags(
        [each.sent for each in run.replies], [each.seen for each in run.replies], end
    )
    first = [min(each.first, PATIENCE) for each in run.replies]
    ends = [each.end for each in run.replies if each.whole is not None]
    return (
        run.method,
        f"{len(ends)} of {len(run.replies)}",
        *(span(mean(found)), span(worst(found))),
        *(span(average(first)), span(max(first))),
        *((span(average(ends)), span(max(ends))) if ends else ("never", "never")),
        *(str(run.writes), str(run.refused)),
    )
