"""Puts reports on standard output, for people and for programs."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bot import report

#: What a program may ask for; people get a table.
TABLE, CSV, JSON = "table", "csv", "json"


def rows(found: Sequence[Mapping[str, Any]], form: str) -> None:
    """Print plain values as `CSV` or `JSON`."""
    text = report.as_csv(found) if form == CSV else report.as_json(found)
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
