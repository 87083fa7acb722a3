"""Measures the lag of the scheduler alone, in simulated time. Only Claude and the
limits take time, so the speed of the machine does not matter."""

from collections.abc import Sequence

from rich.console import Group

from adapters.discord.adapter import LIMITS as DISCORD
from benchmarks import together
from benchmarks.bound import BOUNDS, LATE, Growth, first_words, schedule
from benchmarks.lag import ANSWER, WORTH
from benchmarks.table import span, table
from benchmarks.watching import lags, mean
from bot.domain.scope import ThreadKey
from tests.support.simulated_replies import SPEED, Reply, Run, asker, others

SCENES = {
    "slack": ((1, 1), (5, 5), (20, 5), (50, 5), (100, 5)),
    "discord": ((1, 1), (10, 10), (50, 50), (100, 100)),
}
SECONDS = len(ANSWER) / SPEED
#: Seconds until eight characters, which are at least the first word: fewer do not get a
#: write.
WORD = 8 / SPEED
#: The step of the simulation in seconds. With a coarser one, many writes would wait for
#: it.
TICK = 0.01
CAPTION = """All answers begin at once. The mean is over all readers: half of it is the
lag of who asked, half that of the others in the channel. Below "least" is no schedule,
not even one that knows the future, whose first words come as soon as ours; "unknown" is
at most our ratio to what is possible without knowing how long the answers will be, over
several lengths (benchmarks/together.py). Below "late" is no schedule at all, however
late its first words. "Posts" is the best schedule of posts and edits that we know, with
nothing kept for answers that begin later. First words are from Claude's first character
on, beside the least."""


async def measure(platforms: Sequence[str]) -> Group:
    """Let the answers of each scene begin at once."""
    rows = [
        _row(platform, threads, channels)
        for platform in platforms
        for threads, channels in SCENES[platform]
    ]
    heads = ("threads in channels", "mean", "asker", "others")
    bounds = ("least", "ratio", "unknown", "late", "posts")
    more = ("first words", "least", "end", "429s")
    return Group(
        table(
            "pacing: lag in simulated time",
            (*heads, *bounds, *more),
            rows,
            caption=CAPTION,
        )
    )


def keys(platform: str, threads: int, channels: int) -> list[ThreadKey]:
    """Return `threads` threads in `channels` channels."""
    return [
        ThreadKey(platform, "T1", f"C{nth % channels}", str(100 + nth))
        for nth in range(threads)
    ]


def play(
    platform: str, threads: Sequence[ThreadKey], seconds: float, *, tick: float = TICK
) -> Run:
    """Play an answer of `seconds` in each of `threads`, all beginning at once, in steps
    of `tick` seconds."""
    replies = [Reply(str(n), key, 0.0, seconds) for n, key in enumerate(threads)]
    run = Run(replies, tick=tick)
    if platform == "discord":
        run.limits = DISCORD
        for reply in run.replies:
            reply.limits, reply.may_stream = DISCORD, False
    return run.play()


def mean_lag(run: Run) -> float:
    """Return the mean lag over all readers."""
    return (run.lag(asker) + run.lag(others)) / 2


def first_words_of(run: Run) -> float:
    """Return the mean seconds until the first words."""
    return sum(each.asker.times[0] for each in run.replies) / len(run.replies)


def _row(platform: str, threads: int, channels: int) -> tuple[str, ...]:
    places = keys(platform, threads, channels)
    run = play(platform, places, SECONDS)
    sent: list[Growth] = [
        [(chars / SPEED, chars) for chars in range(4, len(ANSWER) + 1, 4)]
    ] * threads
    budgets = [k.channel if platform == "slack" else k.thread for k in places]
    bound = BOUNDS[platform]
    posts = min(
        mean(lags(sent, schedule(sent, budgets, bound, worth=worth))) for worth in WORTH
    )
    lag, first = mean_lag(run), first_words_of(run)
    ends = [each.others.times[-1] - each.ends for each in run.replies]
    soon, late = (
        bound.least(threads, channels, SECONDS, when) for when in (first, LATE)
    )
    return (
        f"{platform.title()}, {threads} in {channels}",
        *map(span, (lag, run.lag(asker), run.lag(others), soon)),
        f"{lag / soon:.2f}",
        _unknown(platform, threads, channels),
        *map(span, (late, posts, first)),
        span(WORD + first_words(platform, threads, channels)),
        span(sum(ends) / threads),
        str(run.refused),
    )


def _unknown(platform: str, threads: int, channels: int) -> str:
    """Return an upper bound on the ratio of our mean lag to the least that is possible
    without knowing the lengths, or "" if none is proven."""
    for scene in together.scenes() if platform == "slack" else ():
        if (scene.replies, scene.channels) == (threads, channels):
            places = keys(platform, threads, channels)
            runs = [play(platform, places, each) for each in scene.lengths]
            first = sum(map(first_words_of, runs)) / len(runs)
            share = together.least_share(scene, [*map(mean_lag, runs)], first)
            return f"{1 / share:.2f}"
    return ""
