"""Draws what the command line prints: findings and spending, as text."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from rich.table import Table
from rich.text import Text

from bot.values import Finding, Grade, Spending, Usage

MARKS = {
    Grade.GOOD: ("✓", "green"),
    Grade.ABSENT: ("–", "dim"),
    Grade.NOTE: ("!", "yellow"),
    Grade.BAD: ("✗", "red"),
}


def findings(found: Iterable[Finding]) -> Table:
    """One line for each finding: mark, subject, text."""
    table = Table.grid(padding=(0, 2))
    table.add_column()
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for each in found:
        mark, style = MARKS[each.grade]
        table.add_row(Text(mark, style), Text(each.subject), Text(each.text))
    return table


@dataclass(slots=True)
class _Sum:
    turns: int = 0
    cost: float = 0.0
    unpriced: int = 0
    usage: Usage = field(default_factory=Usage)

    def add(self, row: Spending) -> None:
        self.turns += row.turns
        self.cost += row.cost
        self.unpriced += row.unpriced
        self.usage += row.usage


def spending(rows: Sequence[Spending]) -> list[Table]:
    """Tokens and cost by day, by channel and by thread; the dearest first."""
    return [
        _table("Day", _summed((row.day, row) for row in rows)),
        _table("Channel", _summed((_channel(row), row) for row in rows)),
        _table("Thread", _summed((str(row.thread), row) for row in rows)),
    ]


def _summed(rows: Iterable[tuple[str, Spending]]) -> dict[str, _Sum]:
    sums: dict[str, _Sum] = defaultdict(_Sum)
    for name, row in rows:
        sums[name].add(row)
    return dict(sorted(sums.items(), key=lambda item: -item[1].cost))


def _table(title: str, sums: dict[str, _Sum]) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column(title, overflow="fold")
    for column in ("Turns", "Input", "Cache write", "Cache read", "Output", "USD"):
        table.add_column(column, justify="right")
    for name, total in sums.items():
        usage = total.usage
        table.add_row(
            Text(name),
            f"{total.turns:,}",
            f"{usage.input:,}",
            f"{usage.cache_write_5m + usage.cache_write_1h:,}",
            f"{usage.cache_read:,}",
            f"{usage.output:,}",
            _cost(total),
        )
    return table


def _cost(total: _Sum) -> str:
    if not total.unpriced:
        return f"{total.cost:.4f}"
    if total.unpriced == total.turns:
        return "unknown"
    return f"{total.cost:.4f} + {total.unpriced} unknown"


def _channel(row: Spending) -> str:
    thread = row.thread
    return f"{thread.platform}:{thread.workspace}:{thread.channel}"
