"""Print rows as a table, CSV or JSON."""

import json
import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.triage import csv_cells


def as_json(rows: Sequence[Mapping[str, Any]]) -> str:
    """`rows` as a JSON list."""
    return json.dumps(rows, ensure_ascii=False, indent=2) + "\n"


#: What a program may ask for; people get a table.
TABLE, CSV, JSON = "table", "csv", "json"


def rows(found: Sequence[Mapping[str, Any]], form: str) -> None:
    """Print plain values as `CSV` or `JSON`."""
    text = csv_cells.as_csv(found) if form == CSV else as_json(found)
    sys.stdout.write(text)


def either(
    found: Sequence[Mapping[str, Any]],
    table: Table,
    nothing: str,
    *,
    form: str,
    console: Console,
) -> None:
    """Print `found` for programs, or `table` for people, who are told of `nothing`."""
    if form != TABLE:
        rows(found, form)
    elif found:
        console.print(table)
    else:
        console.print(nothing, highlight=False, soft_wrap=True)
