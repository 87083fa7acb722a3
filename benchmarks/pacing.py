"""The lag that the scheduler leaves by itself, in simulated time: nothing takes time
but Claude and the limits, so a slow machine changes nothing."""

from collections.abc import Sequence

from rich.console import Group

from adapters.discord.adapter import LIMITS as DISCORD
from benchmarks.bound import BOUNDS, Growth, schedule
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
CAPTION = """All answers begin at once. "Others" are readers who did not ask; "patient"
and "least" are the best online schedule that we know and the bound, with the ratios of
the mean to them."""


async def measure(platforms: Sequence[str]) -> Group:
    """Let the answers of each scene begin at once."""
    rows = [
        _row(platform, threads, channels)
        for platform in platforms
        for threads, channels in SCENES[platform]
    ]
    heads = ("threads in channels", "mean", "others", "patient", "least", "ratios")
    more = ("first words", "end", "429s")
    return Group(
        table("pacing: lag in simulated time", (*heads, *more), rows, caption=CAPTION)
    )


def _row(platform: str, threads: int, channels: int) -> tuple[str, ...]:
    keys = [
        ThreadKey(platform, "T1", f"C{nth % channels}", str(100 + nth))
        for nth in range(threads)
    ]
    run = Run([Reply(str(n), key, 0.0, SECONDS) for n, key in enumerate(keys)])
    if platform == "discord":
        run.limits = DISCORD
        for reply in run.replies:
            reply.limits, reply.may_stream = DISCORD, False
    run.play()
    bound = BOUNDS[platform]
    sent: list[Growth] = [
        [(chars / SPEED, chars) for chars in range(4, len(ANSWER) + 1, 4)]
    ] * threads
    budgets = [k.channel if platform == "slack" else k.thread for k in keys]
    patient = min(
        mean(lags(sent, schedule(sent, budgets, bound, worth=worth))) for worth in WORTH
    )
    least = bound.least(threads, channels, SECONDS)
    ours = run.lag(asker)
    firsts = [each.asker.times[0] for each in run.replies]
    ends = [each.others.times[-1] - each.ends for each in run.replies]
    return (
        f"{platform.title()}, {threads} in {channels}",
        *map(span, (ours, run.lag(others), patient, least)),
        f"{ours / patient:.1f}, {ours / least:.1f}",
        *(span(sum(each) / threads) for each in (firsts, ends)),
        str(run.refused),
    )
