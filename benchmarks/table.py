"""Tables of figures on the terminal."""

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
    """Figures under `title`; the first column says what they are figures of, and
    `caption` how they came about."""
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
    """Return a duration, in the unit that people would say it in."""
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s"


def middle(values: Sequence[float]) -> str:
    """Return the median of durations."""
    return span(statistics.median(values))


def tail(values: Sequence[float]) -> str:
    """Return the 99th percentile of `values`, as text."""
    return span(statistics.quantiles(values, n=100, method="inclusive")[98])


def ratio(values: Sequence[float], to: Sequence[float]) -> str:
    """Return the median of `values` as a multiple of the median of `to`."""
    return f"{statistics.median(values) / statistics.median(to):.1f}x"
