"""What is made of rows that hold what nobody of us wrote.

Rule: no row keeps a process from starting or a thread from being answered. What cannot
be read is left out, or read as the nearest thing that can be, and said to the log once,
by table and id: never by what it holds.
"""

import json
import logging
from typing import Any, TypeVar

from bot.runtime.lru import LruDict

log = logging.getLogger(__name__)

#: The last second of the last year that a calendar of Python's knows.
LATEST = 253_402_300_799.0

# No price comes near; a sum of such numbers stays a number.
MOST_USD = 1e9

# No table of ours ever holds so many rows. Ids say what came first, and beyond the
# greatest that there can be SQLite would choose them by chance.
MOST_ID = 10**15

#: The greatest id of a table, as a statement asks for it; and the one after it.
LAST_ID = f"(SELECT coalesce(max(id), 0) FROM {{}} WHERE id BETWEEN 0 AND {MOST_ID})"
NEXT_ID = f"{LAST_ID} + 1"

# Of how many rows it is remembered that they were told of.
MOST_TOLD = 10_000

T = TypeVar("T", dict[str, Any], list[Any])

_told: LruDict[tuple[str, str], None] = LruDict(MOST_TOLD)


def tell(table: str, id: object) -> None:
    """Say once to the log that the row of `table` with this `id` is broken."""
    row = table, str(id)
    if row in _told:
        return
    _told[row] = None
    log.error("row.broken table=%s id=%r", table, row[1])


def moment(seconds: float) -> float:
    """`seconds` since 1970, or the nearest ones that a calendar knows."""
    return min(max(seconds, 0.0), LATEST)


def parsed(text: str, kind: type[T]) -> T | None:
    """The value of `kind` that JSON `text` is; None if it is none."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None
