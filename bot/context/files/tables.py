"""Rows of tables as text. Pure."""

import datetime
import re
from collections.abc import Iterable

Value = (
    str
    | int
    | float
    | bool
    | datetime.date
    | datetime.time
    | datetime.datetime
    | datetime.timedelta
)

_BLANKS = re.compile(r"\s++")
# Excel calculates and shows at most this many digits.
_DIGITS = 15


def row(cells: Iterable[Value]) -> str:
    """Return a row of a Markdown table, without the empty cells at its end.

    "" if all cells are empty.
    """
    values = list(cells)
    while values and values[-1] == "":
        values.pop()
    return f"| {' | '.join(map(_text, values))} |" if values else ""


def _text(value: Value) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return f"{value:.{_DIGITS}g}"
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    return _BLANKS.sub(" ", str(value)).strip().replace("|", "\\|")
