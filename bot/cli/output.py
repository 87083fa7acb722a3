"""Output of reports, for people and for programs."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.table import Table

from bot.runtime import terminal
from bot.text import csv_cells

#: The formats; people get a table.
TABLE, CSV, JSON = "table", "csv", "json"


def rows(
    found: Sequence[Mapping[str, Any]], form: str, columns: Sequence[str] = ()
) -> None:
    """Print plain values in the format `form`, `CSV` or `JSON`.

    `columns` are the columns of CSV without rows.
    """
    if form == CSV:
        terminal.write(csv_cells.as_csv(found, columns))
    else:
        terminal.write(terminal.as_json(found, indent=2))


def either(
    found: Sequence[Mapping[str, Any]],
    table: Table,
    nothing: str,
    *,
    form: str,
    columns: Sequence[str] = (),
) -> None:
    """Print `found` for programs or `table` for people.

    If `found` is empty, people see the text `nothing`, and CSV has only `columns`.
    """
    if form != TABLE:
        rows(found, form, columns)
    elif found:
        terminal.console().print(table)
    else:
        terminal.say(nothing)
