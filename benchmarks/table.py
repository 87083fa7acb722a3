"""Formats tables of figures for the terminal."""

import statistics
from collections.abc import Iterable, Sequence

from rich import box
from rich.table import Table


def table(
    title: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    caption: str,
) -> Table:
    """Return a table of figures. The first column names the rows, and `caption`
    explains how they were measured."""
    made = Table(
        title=title,
        caption=" ".join(caption.split()),
        box=box.SIMPLE_HEAD,
        title_justify="left",
        caption_justify="left",
        title_style="bold",
    )
    for nth, column in enumerate(columns):
        made.add_column(column, justify="right" if nth else "left")
    for row in rows:
        made.add_row(*row)
    return made


def span(seconds: float) -> str:
    """Return a duration as text, in ms or s."""
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"


def middle(values: Sequence[float]) -> str:
    """Return the median of durations, as text."""
    return span(statistics.median(values))


def tail(values: Sequence[float]) -> str:
    """Return the 99th percentile of durations, as text."""
    return span(statistics.quantiles(values, n=100, method="inclusive")[98])


def ratio(values: Sequence[float], to: Sequence[float]) -> str:
    """Return the median of `values` as a multiple of the median of `to`."""
    return f"{statistics.median(values) / statistics.median(to):.1f}x"
