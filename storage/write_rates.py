"""The rows of the writes that all processes share, inside a transaction.

Rule 1: `bot.domain.shared_rate` decides. Here a row is locked, from when it is read to
the end of the transaction, so that no two processes decide at once.
Rule 2: rows are locked in the order of the asks, which every process sorts alike, and
after the row of a thread.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from bot.domain.platform import Rate, WriteKind
from bot.domain.reply import PostedPart
from bot.domain.shared_rate import (
    Level,
    Member,
    RateAsk,
    RateRow,
    RateState,
    Wish,
    answer,
)
from bot.domain.turn import Turn
from storage import dialect, leases, turns
from storage.connection import Connection, Cursor, Row
from storage.dialect import ROW, ROW_LOCK

LOCK = f"SELECT * FROM write_rates WHERE scope = ? AND kind = ? {ROW_LOCK}"

# An insert that finds the row locks it all the same.
ENTER = """
    INSERT INTO write_rates
        (scope, kind, full_at, closed_until, refreshed_at, crowd)
    VALUES (?, ?, 0.0, 0.0, 0.0, '{}')
    ON CONFLICT (scope, kind) DO UPDATE SET scope = excluded.scope
    RETURNING *
"""

UPDATE = """
    UPDATE write_rates
    SET full_at = :full_at, closed_until = :closed_until, refreshed_at = :refreshed_at,
        crowd = :crowd
    WHERE scope = :scope AND kind = :kind
"""

EXPIRE = f"""
    DELETE FROM write_rates WHERE {ROW} IN (
        SELECT {ROW} FROM write_rates
        WHERE full_at < :before AND closed_until < :before AND refreshed_at < :before
        LIMIT :most
    )
"""


def ask(
    db: Connection, asks: Sequence[RateAsk], process: str, clock: Callable[[], float]
) -> list[RateState]:
    """Have `process` ask for a write that counts in all rows of `asks`; return its
    answers."""
    # All is asked for before any is read: on PostgreSQL one round trip brings it.
    locked = [lock(db, each.scope, each.kind) for each in asks]
    now = dialect.ask_now(db, clock)
    rows = [
        (row(db, of.scope, of.kind, each), of)
        for each, of in zip(locked, asks, strict=True)
    ]
    changed, states = answer(rows, process, now())
    for new, each in zip(changed, asks, strict=True):
        store_row(db, each.scope, each.kind, new)
    return states


def store_part(
    db: Connection,
    turn: Turn,
    part: PostedPart | None,
    text: str,
    now: float,
    head: str,
    asks: Sequence[RateAsk],
    process: str,
    clock: Callable[[], float],
) -> Sequence[RateState]:
    """Store a part of the reply to `turn`, as `storage.turns.store_part`, unless the
    rows of `asks` refuse the write; return what they answer."""
    with leases.held(db, turn):
        states = ask(db, asks, process, clock) if asks else []
        if not any(each.wait for each in states):
            turns.store_part(db, turn, part, text, now, head)
        return states


def close(
    db: Connection, scope: str, kind: WriteKind, rate: Rate, seconds: float, now: float
) -> None:
    """Have no process write for so many `seconds`, after a rate limit error."""
    before = row(db, scope, kind, lock(db, scope, kind))
    store_row(db, scope, kind, before.closed(rate, seconds, now))


def expire(db: Connection, before: float, most: int) -> int:
    """Delete at most `most` rows that say nothing since `before`; return how many."""
    return db.execute(EXPIRE, {"before": before, "most": most}).rowcount


def lock(db: Connection, scope: str, kind: WriteKind) -> Cursor:
    """Ask for a row, and hold it to the end of the transaction."""
    return db.execute(LOCK, [scope, kind.value])


def row(db: Connection, scope: str, kind: WriteKind, asked: Cursor) -> RateRow:
    """Return the row that was `asked` for; a new one if there was none."""
    found = asked.fetchone() or db.execute(ENTER, [scope, kind.value]).fetchone()
    return RateRow(
        *(found["full_at"], found["closed_until"], found["refreshed_at"]), _crowd(found)
    )


def store_row(db: Connection, scope: str, kind: WriteKind, row: RateRow) -> None:
    """Replace a row that is held."""
    crowd = {
        name: [each.replies, each.streams, each.until, _written(each.wish)]
        for name, each in row.crowd.items()
    }
    db.execute(
        UPDATE,
        {
            **{"scope": scope, "kind": kind.value, "crowd": json.dumps(crowd)},
            **{"full_at": row.full_at, "closed_until": row.closed_until},
            "refreshed_at": row.refreshed_at,
        },
    )


def _written(wish: Wish | None) -> list[float] | None:
    return None if wish is None else [wish.level, wish.since, wish.until]


def _crowd(row: Row) -> Mapping[str, Member]:
    try:
        stored = json.loads(row["crowd"])
        return {name: _member(*each) for name, each in stored.items()}
    except (ValueError, TypeError, AttributeError):
        # Nobody is there: whoever writes enters again.
        return {}


def _member(
    replies: Any, streams: Any, until: Any, wish: Sequence[Any] | None
) -> Member:
    waits = (
        None if wish is None else Wish(Level(wish[0]), float(wish[1]), float(wish[2]))
    )
    return Member(int(replies), int(streams), float(until), waits)
