"""Cells of tables that spreadsheets open. Pure."""

import csv
import io
import re
from collections.abc import Mapping, Sequence
from typing import Any


def as_csv(rows: Sequence[Mapping[str, Any]]) -> str:
    """`rows`, all of the same names, with a head; "" for none."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


# What a spreadsheet takes for a formula.
_FORMULA = re.compile(r"[=+\-@\t\r]")


def guarded(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
