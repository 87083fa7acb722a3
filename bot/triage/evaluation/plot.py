"""Draws confusion matrices as a picture. Needs matplotlib, which is optional."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

from bot.errors import ConfigError
from bot.runtime import private_files
from bot.triage.evaluation.metrics import Metrics

mpl.use("agg")  # needs no display

from matplotlib import pyplot

from bot.messages import triage_files as messages


def draw(scores: Sequence[Metrics], path: Path) -> None:
    """Write a confusion matrix for each field of each of `scores` to `path`, in the
    format of its suffix. Raises ConfigError if that fails."""
    fields = list(dict.fromkeys(name for score in scores for name in score.fields))
    figure, axes = pyplot.subplots(
        len(scores),
        len(fields),
        figsize=(4.4 * len(fields), 4.2 * len(scores)),
        squeeze=False,
        layout="constrained",
    )
    for line, score in zip(axes, scores, strict=True):
        for plot, name in zip(line, fields, strict=True):
            each = score.fields.get(name)
            if each is None:
                plot.set_visible(False)
                continue
            values = list(each.field.values)
            shares = [
                [
                    each.pairs[label, got] / max(1, each.labelled_as(label))
                    for got in values
                ]
                for label in values
            ]
            plot.imshow(shares, cmap="Blues", vmin=0, vmax=1)
            for y, label in enumerate(values):
                for x, got in enumerate(values):
                    count = each.pairs[label, got]
                    color = "white" if shares[y][x] > 0.5 else "black"
                    plot.text(x, y, count or "", ha="center", va="center", color=color)
            plot.set_xticks(range(len(values)), values, rotation=30, ha="right")
            plot.set_yticks(range(len(values)), values)
            plot.set_xlabel("sorted")
            plot.set_ylabel("labelled")
            accuracy = each.accuracy or 0.0
            plot.set_title(f"{score.model}\n{name}: {100 * accuracy:.1f} %", size=10)
    try:
        private_files.make_private(path)
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise ConfigError(messages.not_drawn(file=path, reason=error)) from None
    finally:
        pyplot.close(figure)
