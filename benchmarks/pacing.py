"""The lag that the scheduler leaves by itself, in simulated time: nothing takes time
but Claude and the limits, so a slow machine changes nothing."""

from collections.abc import Sequence

from rich.console import Group

from adapters.discord.adapter import LIMITS as DISCORD
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
#: Eight characters are the first word, or more: fewer are not worth a write.
WORD = 8 / SPEED
#: The step of the simulation in seconds; a coarser one makes many writes wait for it.
TICK = 0.01
CAPTION = """All answers begin at once. The mean is over all readers: half of it is the
lag of who asked, half that of the others in the channel. Below "least" is no schedule,
not even one that knows the future, whose first words come as soon as ours; below "late"
is none at all, however late its first words. "Posts" is the best schedule of posts and
edits that we know, with nothing kept for answers that begin later. First words are from
Claude's first character on, beside the least."""


async def measure(platforms: Sequence[str]) -> Group:
    """Let the answers of each scene begin at once."""
    rows = [
        _row(platform, threads, channels)
        for platform in platforms
        for threads, channels in SCENES[platform]
    ]
    heads = ("threads in channels", "mean", "asker", "others")
    bounds = ("least", "ratio", "late", "posts")
    more = ("first words", "least", "end", "429s")
    return Group(
        table(
            "pacing: lag in simulated time",
            (*heads, *bounds, *more),
            rows,
            caption=CAPTION,
        )
    )


def _row(platform: str, threads: int, channels: int) -> tuple[str, ...]:
    keys = [
        ThreadKey(platform, "T1", f"C{nth % channels}", str(100 + nth))
        for nth in range(threads)
    ]
    replies = [Reply(str(n), key, 0.0, SECONDS) for n, key in enumerate(keys)]
    run = Run(replies, tick=TICK)
    if platform == "discord":
        run.limits = DISCORD
        for reply in run.replies:
            reply.limits, reply.may_stream = DISCORD, False
    run.play()
    sent: list[Growth] = [
        [(chars / SPEED, chars) for chars in range(4, len(ANSWER) + 1, 4)]
    ] * threads
    budgets = [k.channel if platform == "slack" else k.thread for k in keys]
    bound = BOUNDS[platform]
    posts = min(
        mean(lags(sent, schedule(sent, budgets, bound, worth=worth))) for worth in WORTH
    )
    ours = run.lag(asker), run.lag(others)
    firsts = [each.asker.times[0] for each in run.replies]
    ends = [each.others.times[-1] - each.ends for each in run.replies]
    first = sum(firsts) / threads
    soon, late = (
        bound.least(threads, channels, SECONDS, when) for when in (first, LATE)
    )
    return (
        f"{platform.title()}, {threads} in {channels}",
        *map(span, (sum(ours) / 2, *ours, soon)),
        f"{sum(ours) / 2 / soon:.2f}",
        *map(span, (late, posts, first)),
        span(WORD + first_words(platform, threads, channels)),
        span(sum(ends) / threads),
        str(run.refused),
    )
