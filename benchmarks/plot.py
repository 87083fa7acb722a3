"""`python -m benchmarks.plot NAME FILE` measures and draws an SVG.

`pacing` shows what a reader sees of one answer among twenty, and `caching` the cost of
the input of a thread, each for every method. Needs the extra `plot`."""

import asyncio
import statistics

import click
from matplotlib import pyplot
from matplotlib.figure import Figure

from benchmarks import caching as costs
from benchmarks.lag import ANSWER
from benchmarks.methods import METHODS, OURS, Run, play
from benchmarks.watching import Watched

THREADS, CHANNELS = 20, 5

# Distinguishable in greyscale too.
LOOKS = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
COLOURS = ("#b3541e", "#2f5d8a", "#5b8c5a", "#7a6c8f", "#8a7a2f")


# The opacity of the range between the cheapest and the most expensive thread.
SHADE = 0.15


def pacing() -> Figure:
    """Return the plot of one answer among twenty."""
    runs = [asyncio.run(play(each, THREADS, CHANNELS, ANSWER)) for each in METHODS]
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
    # A place without lines.
    axes.legend(loc="center right", bbox_to_anchor=(1.0, 0.63), frameon=False)
    return figure


def caching() -> Figure:
    """Return the plot of the cost of the input of a thread, turn by turn: the mean and
    the range."""
    figure, both = pyplot.subplots(1, 2, figsize=(8, 3.8))
    for axes, files in zip(both, (False, True), strict=True):
        found = costs.threads(max(costs.TURNS), files=files)
        # Ours first, in the colour of the other plot.
        for (name, runs), look, colour in zip(
            reversed(found.items()), LOOKS, COLOURS, strict=False
        ):
            turns = range(1, len(runs[0].usd) + 1)
            by_turn = list(zip(*(run.usd for run in runs), strict=True))
            lows, highs = map(min, by_turn), map(max, by_turn)
            axes.fill_between(
                turns, list(lows), list(highs), color=colour, alpha=SHADE, lw=0
            )
            axes.plot(
                turns,
                list(map(statistics.mean, by_turn)),
                linestyle=look,
                color=colour,
                lw=2.4 if name == costs.OURS else 1.6,
                label=name,
            )
        axes.set_xlim(0, max(costs.TURNS))
        axes.set_ylim(0, None)
        axes.set_xlabel("questions")
        axes.set_title("with files" if files else "without files")
    both[0].set_ylabel("USD for input, in all")
    both[0].legend(loc="upper left", frameon=False)
    return figure


DRAWN = {"pacing": pacing, "caching": caching}


@click.command()
@click.argument("name", type=click.Choice(list(DRAWN)))
@click.argument("file", type=click.Path(dir_okay=False, writable=True))
def main(name: str, file: str) -> None:
    """Measure NAME, and draw it to FILE."""
    # The same ids in each run, so that a picture only changes with its figures.
    pyplot.rcParams.update(
        {"font.size": 10, "svg.fonttype": "none", "svg.hashsalt": name}
    )
    figure = DRAWN[name]()
    for axes in figure.axes:
        for side in ("top", "right"):
            axes.spines[side].set_visible(False)
    figure.tight_layout()
    figure.savefig(file, facecolor="white", metadata={"Date": None})


def _typical(run: Run) -> Watched:
    """Return the median reply by the time of its end; among unfinished replies, those
    with more visible text come first."""

    def order(reply: Watched) -> tuple[float, int]:
        return reply.end, -(reply.seen[-1][1] if reply.seen else 0)

    return sorted(run.replies, key=order)[len(run.replies) // 2]


def _finished(run: Run) -> int:
    return sum(each.whole is not None for each in run.replies)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.plot")
