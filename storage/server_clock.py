"""The time by which processes that share a database agree, inside a transaction."""

from collections.abc import Callable
from typing import Any

from sqlite_utils import Database

# Of a connection that is none of SQLite's.
NOW = "SELECT CAST(extract(epoch FROM clock_timestamp()) AS double precision)"


def read(db: Any, clock: Callable[[], float]) -> float:
    """Return the time in seconds since 1970: that of the server, or of `clock` where
    there is none, since a file is one process's."""
    if isinstance(db, Database):
        return clock()
    now: float = db.execute(NOW).fetchone()[0]
    return now
