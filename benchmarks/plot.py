"""`python -m benchmarks.plot FILE` draws what a reader sees of one answer among twenty,
in each way, as an SVG. Needs the extra `plot`."""

import asyncio

import click
from matplotlib import pyplot

from benchmarks.lag import ANSWER
from benchmarks.methods import METHODS, OURS, Run, play
from benchmarks.watching import Watched

THREADS, CHANNELS = 20, 5

# Told apart in grey, too.
LOOKS = ("-", "--", ":", "-.")
COLOURS = ("#b3541e", "#2f5d8a", "#5b8c5a", "#7a6c8f")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, writable=True))
def main(file: str) -> None:
    """Measure, and draw to FILE."""
    runs = [asyncio.run(play(each, THREADS, CHANNELS, ANSWER)) for each in METHODS]
    pyplot.rcParams.update({"font.size": 10, "svg.fonttype": "none"})
    figure, axes = pyplot.subplots(figsize=(8, 4.2))
    typical = _typical(runs[0])
    began = typical.question.at
    sent = [(at - began, chars) for at, chars in typical.sent]
    axes.plot(*zip(*sent, strict=True), color="#999999", lw=1, label="sent by Claude")
    longest = sent[-1][0]
    for run, look, colour in zip(runs, LOOKS, COLOURS, strict=True):
        reply = _typical(run)
        zero = reply.question.at
        seen = [(0.0, 0), *((at - zero, chars) for at, chars in reply.seen)]
        longest = max(longest, seen[-1][0])
        axes.step(
            *zip(*seen, (200.0, seen[-1][1]), strict=True),
            where="post",
            linestyle=look,
            color=colour,
            lw=2.4 if run.method == OURS else 1.6,
            label=f"{run.method} ({_finished(run)} of {THREADS} finished)",
        )
    axes.set_xlim(0, min(90.0, longest * 1.15))
    axes.set_ylim(0, len(ANSWER) * 1.06)
    axes.set_xlabel("seconds since the question")
    axes.set_ylabel("characters that a reader sees")
    axes.set_title(f"One answer of {THREADS} that stream at once in a Slack workspace")
    # Where no line runs.
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.63), frameon=False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, facecolor="white")


def _typical(run: Run) -> Watched:
    """The reply that was whole when half of all were, or the most of it seen where half
    never were."""

    def order(reply: Watched) -> tuple[float, int]:
        return reply.end, -(reply.seen[-1][1] if reply.seen else 0)

    return sorted(run.replies, key=order)[len(run.replies) // 2]


def _finished(run: Run) -> int:
    return sum(each.whole is not None for each in run.replies)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.plot")
