"""Reads rows that contain values which this program never writes.

Rule: no row prevents a start or an answer. A value that cannot be read is left out or
replaced by the nearest valid one. Each broken row is logged once, by table and id and
never by its contents.
"""

import json
import logging
from typing import Any, TypeVar

from bot.runtime.lru import LruDict

log = logging.getLogger(__name__)

#: The last second that `datetime` can represent, in seconds since 1970.
LATEST = 253_402_300_799.0

# Above any real price, in USD, and small enough that a sum stays finite.
MOST_USD = 1e9

# The most broken rows to remember as logged.
MOST_LOGGED = 10_000

T = TypeVar("T", dict[str, Any], list[Any])

_logged: LruDict[tuple[str, str], None] = LruDict(MOST_LOGGED)


def log_broken(table: str, id: object) -> None:
    """Log once that the row of `table` with this `id` is broken."""
    row = table, str(id)
    if row in _logged:
        return
    _logged[row] = None
    log.error("row.broken table=%s id=%r", table, row[1])


def calendar_time(seconds: float) -> float:
    """Return `seconds` since 1970, or the nearest time that `datetime` can
    represent."""
    return min(max(seconds, 0.0), LATEST)


def parse(text: str, kind: type[T]) -> T | None:
    """Return the value of the JSON `text`, or None if it is not JSON or not a
    `kind`."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, kind) else None
