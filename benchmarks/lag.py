"""Measures the visible lag: the time from Claude's sending of a character until a
reader sees it.

Rule: all data comes from the emulators, which share one clock: the times and texts that
Claude sent, and the versions of each message. Time is real time.
"""

import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Group

from benchmarks.bound import BOUNDS, schedule
from benchmarks.platforms import Platform, clock, opened
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

# The numbers of threads asked at the same time, and of their channels.
SCENES = {
    "slack": ((1, 1), (5, 5), (20, 5), (50, 5), (100, 5)),
    "discord": ((1, 1), (10, 10), (50, 50), (10, 1)),
}
# A Sonnet's pace, and four characters a token as the emulator counts them.
TOKENS_PER_SECOND = 60.0
SENTENCE = "Restore the newest snapshot first, and only then start the workers. "
ANSWER = (SENTENCE * 23)[:1500].rstrip()
# Seconds. The last of fifty replies waits for about a minute.
PATIENCE = 240.0

# The most characters that the patient schedule may hold back; its best result counts.
WORTH = (50, 100, 200, 400, 800, 1500)


@dataclass(frozen=True, slots=True)
class Scene:
    """`threads` threads that were asked at once, with the writes to the platform."""

    platform: str
    threads: int
    channels: int
    replies: list[Watched]
    posts: int
    edits: int
    refused: str


async def measure(platforms: Sequence[str]) -> Group:
    """Ask in many threads at once, and watch the answers appear."""
    scenes = [
        await _play(platform, threads, channels)
        for platform in platforms
        for threads, channels in SCENES[platform]
    ]
    lags = table(
        "lag: from Claude's word to a reader's eye",
        (
            *("threads in channels", "mean", "least", "ratio", "asker", "others"),
            *("eager", "patient", "worst", "eager", "patient"),
        ),
        map(_lag_row, scenes),
        caption=f"""Over all characters of answers of {len(ANSWER):,} at
        {TOKENS_PER_SECOND:.0f} tokens a second, all asked at once in one workspace or
        guild. The mean is over all readers: half of it is the lag of who asked, half
        that of the others in the channel. Beside ours, what
        schedulers of posts and edits reach with the same arrivals and all that the
        platform allows: one that spends every write at once on whoever has most to
        show (eager), and the best of those that hold back what is not worth a write
        (patient). No schedule has a mean below "least", with all methods together,
        were all answers to begin at once, if its first words come as soon as ours;
        benchmarks/least.py says why. Slack allows 50 edits a minute and workspace,
        10 at once, a post a second and channel, 5 at once, and for streams 20 starts,
        100 appends and 20 stops a minute, of which 10, 20 and 10 at once. Discord
        allows 5 edits and 5 posts in five seconds and thread, and 50 calls a second
        in all.""",
    )
    waits = table(
        "lag: what people wait for",
        (
            *("threads in channels", "first words", "worst", "end", "worst"),
            *("edits", "posts", "429s"),
        ),
        map(_wait_row, scenes),
        caption="""The same answers. First words: from the question until any of the
        answer shows. End: from Claude's last word until all of it shows and says so.
        Means and worst. 429s should be none.""",
    )
    return Group(lags, "", waits)


def _lag_row(scene: Scene) -> tuple[str, ...]:
    sent = [each.sent for each in scene.replies]
    budgets = [each.question.budget for each in scene.replies]
    bound = BOUNDS[scene.platform]
    ours = lags(sent, [each.seen for each in scene.replies])
    others = lags(sent, [each.by_others for each in scene.replies])
    readers = (mean(ours) + mean(others)) / 2
    eager, *patient = (
        lags(sent, schedule(sent, budgets, bound, worth=worth)) for worth in (1, *WORTH)
    )
    best = min(patient, key=mean)
    lasted = statistics.median(each[-1][0] - each[0][0] for each in sent)
    first = average([each.seen[0][0] - each.sent[0][0] for each in scene.replies])
    least = bound.least(scene.threads, scene.channels, lasted, first)
    return (
        _named(scene),
        *(span(readers), span(least), f"{readers / least:.1f}"),
        *(span(mean(each)) for each in (ours, others, eager, best)),
        *(span(worst(each)) for each in (ours, eager, best)),
    )


def _wait_row(scene: Scene) -> tuple[str, ...]:
    first = [each.first for each in scene.replies]
    end = [each.end for each in scene.replies]
    return (
        _named(scene),
        *(span(average(first)), span(max(first))),
        *(span(average(end)), span(max(end))),
        *(str(scene.edits), str(scene.posts), scene.refused),
    )


def _named(scene: Scene) -> str:
    return f"{scene.platform.title()}, {scene.threads} in {scene.channels}"


async def _play(name: str, threads: int, channels: int) -> Scene:
    async with (
        opened(name) as platform,
        ClaudeEmulator(clock=clock, tokens_per_second=TOKENS_PER_SECOND) as claude,
    ):
        with tempfile.TemporaryDirectory() as folder:
            async with serving(Path(folder), platform, claude):
                await _warm_up(platform, claude)
                before = platform.writes
                replies = await _watch(threads, channels, platform, claude)
        posts, edits = (
            now - then for now, then in zip(platform.writes, before, strict=True)
        )
        return Scene(name, threads, channels, replies, posts, edits, platform.refused)


async def _warm_up(platform: Platform, claude: ClaudeEmulator) -> None:
    """Let one question be answered. The first question includes connections and
    look-ups of names, and waits until discord.py knows all guilds."""
    claude.script("Yes.")
    asked = platform.ask(platform.add_channel(), question(-1))
    await platform.until(lambda: reads(platform, asked) == "Yes.", PATIENCE)


async def _watch(
    threads: int, channels: int, platform: Platform, claude: ClaudeEmulator
) -> list[Watched]:
    """Ask all questions at once, and wait for the end of the last reply."""
    rooms = [platform.add_channel() for _ in range(channels)]
    claude.always(ANSWER)
    asked = [
        platform.ask(rooms[nth % channels], question(nth)) for nth in range(threads)
    ]
    left = asked.copy()

    def is_whole() -> bool:
        # From the back, so that a check is fast while many are still open.
        while left and reads(platform, left[-1]) == ANSWER:
            left.pop()
        return not left

    await platform.until(is_whole, timeout=PATIENCE)
    return watched(platform, claude, asked, ANSWER)
