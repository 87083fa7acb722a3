"""Cells of tables that spreadsheets open. Pure."""

import re

# What a spreadsheet takes for a formula.
_FORMULA = re.compile(r"[=+\-@\t\r]")


def guarded(text: str) -> str:
    """`text` so that no spreadsheet takes it for a formula."""
    return f"'{text}" if _FORMULA.match(text) else text
