"""Renders the report of `triage eval`: all metrics side by side, then in detail."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from bot.messages import labels, plurals
from bot.messages import triage_files as messages
from bot.triage.bulk.progress import bar, duration
from bot.triage.evaluation.metrics import NONE, FieldScore, Metrics
from bot.ui import formatting

#: The most disagreements that are listed; the JSON contains all of them.
MOST_SHOWN = 20


def draw(scores: Sequence[Metrics], *, plain: bool = False) -> RenderableType:
    """Render all metrics; `plain` restricts the output to ASCII."""
    parts: list[RenderableType] = [_side_by_side(scores), ""]
    for score in scores:
        title = f"{score.model}, {score.scheme}"
        parts += [Text(title, "bold underline"), ""]
        for each in score.fields.values():
            parts += [_classes(each, plain=plain), "", _confusion(each), ""]
        parts += [part for name in score.groups for part in (_group(score, name), "")]
        parts += [_disagreements(score), ""]
    return Group(*parts[:-1])


def _side_by_side(scores: Sequence[Metrics]) -> Table:
    table = _table(messages.MODEL, messages.SCHEME)
    fields = list(dict.fromkeys(name for score in scores for name in score.fields))
    for name in (
        *fields,
        labels.NOT_SORTED,
        messages.USD_PER_1000,
        messages.TIME_PER_1000,
    ):
        table.add_column(name, justify="right")
    for score in scores:
        accuracies = [
            _percent(score.fields[name].accuracy if name in score.fields else None)
            for name in fields
        ]
        seconds = score.seconds_per_1000
        table.add_row(
            score.model,
            score.scheme,
            *accuracies,
            messages.not_sorted_of(count=score.not_sorted, rows=score.rows),
            _usd(score.cost_per_1000),
            duration(seconds) if seconds is not None else messages.KNOWN_BEFORE,
        )
    return table


def _classes(score: FieldScore, *, plain: bool) -> Table:
    table = _table(score.field.name)
    for name in (messages.LABELLED, messages.PRECISION, messages.RECALL):
        table.add_column(name, justify="right")
    table.add_column("")
    for value in score.field.values:
        recall = score.recall(value)
        table.add_row(
            Text(value),
            f"{score.labelled_as(value):,}",
            _percent(score.precision(value)),
            _percent(recall),
            Text(bar(recall or 0.0, plain=plain), "cyan"),
        )
    return table


def _confusion(score: FieldScore) -> Table:
    """Render the confusion matrix: a row for each label, a column for each answer."""
    values = list(score.field.values)
    answers = [*values, NONE] if any(g == NONE for _, g in score.pairs) else values
    table = _table(messages.LABELLED_SORTED)
    for got in answers:
        table.add_column(got, justify="right")
    for value in values:
        cells = [
            Text(str(n or "·"), "green" if got == value else "yellow" if n else "dim")
            for got in answers
            for n in [score.pairs[value, got]]
        ]
        table.add_row(Text(value), *cells)
    return table


def _group(score: Metrics, name: str) -> Table:
    table = _table(name)
    for each in score.fields:
        table.add_column(each, justify="right")
    table.add_column(messages.ROWS, justify="right")
    for value, found in score.groups[name].items():
        shares = [found.get(each, (0, 0)) for each in score.fields]
        cells = [_percent(right / of if of else None) for right, of in shares]
        table.add_row(Text(value), *cells, f"{max(of for _, of in shares):,}")
    return table


def _disagreements(score: Metrics) -> RenderableType:
    found = score.disagreements
    if not found:
        return Text(messages.NO_DISAGREEMENTS)
    table = _table(
        *(messages.ROW, messages.FIELD, messages.LABELLED, messages.SORTED_AS)
    )
    table.expand = True
    # This column takes the rest of the line: long texts would squeeze out the others.
    table.add_column(messages.TICKET, overflow="ellipsis", no_wrap=True, ratio=1)
    for each in found[:MOST_SHOWN]:
        table.add_row(
            *(Text(t) for t in (each.row, each.field, each.expected, each.got)),
            Text(each.ticket),
        )
    more = len(found) - MOST_SHOWN
    note = messages.more_disagreements(count=more) if more > 0 else ""
    return Group(Text(plurals.DISAGREEMENTS(len(found))), table, Text(note, "dim"))


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, no_wrap=True)
    return table


def _usd(amount: float | None) -> str:
    return messages.COST_UNKNOWN if amount is None else formatting.exact_usd(amount)


def _percent(share: float | None) -> str:
    return f"{100 * share:.1f} %" if share is not None else "–"
