"""The rows of the write rates that all processes share, inside a transaction.

Rule 1: `bot.domain.shared_rate` decides. A row is locked here from its first read to
the end of the transaction, so that no two processes decide at once.
Rule 2: rows are locked in the order of the asks, which every process sorts in the same
way, and after the row of a thread.
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
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
from storage.connection import Connection, Row
from storage.dialect import ROW, ROW_LOCK

#: The name of a row, and rows by name.
Name = tuple[str, WriteKind]
Rows = dict[Name, RateRow]

# An insert that finds an existing row locks it too.
ENTER = """
    INSERT INTO write_rates
        (scope, kind, full_at, closed_until, refreshed_at, crowd)
    VALUES (?, ?, 0.0, 0.0, 0.0, '{}')
    ON CONFLICT (scope, kind) DO UPDATE SET scope = excluded.scope
    RETURNING *
"""

LOCK = f"""
    SELECT * FROM write_rates WHERE {{}} ORDER BY scope, kind {ROW_LOCK}
"""

PLACES = """(:scope{0}, :kind{0}, CAST(:full{0} AS double precision),
    CAST(:closed{0} AS double precision), CAST(:refreshed{0} AS double precision),
    :crowd{0})"""
UPDATE = """
    UPDATE write_rates
    SET full_at = column3, closed_until = column4, refreshed_at = column5,
        crowd = column6
    FROM (VALUES {}) AS changed WHERE scope = column1 AND kind = column2
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
    """Ask for a write by `process` that counts in all rows of `asks`; return the
    answers."""
    # All queries are sent before any result is read: on PostgreSQL, this takes one
    # round trip.
    locked = lock(db, asks)
    now = dialect.ask_now(db, clock)
    rows = locked()
    states = answer_from(rows, asks, process, now())
    store_rows(db, rows)
    return states


def answer_from(
    rows: Rows, asks: Sequence[RateAsk], process: str, now: float
) -> list[RateState]:
    """Return the answers of the locked `rows` to `asks`, and update the rows
    accordingly."""
    names = [(each.scope, each.kind) for each in asks]
    asked = [(rows[name], ask) for name, ask in zip(names, asks, strict=True)]
    changed, states = answer(asked, process, now)
    rows.update(zip(names, changed, strict=True))
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
    """Store a part of the reply to `turn`, unless the rates of `asks` require waiting.

    Stores the same as `storage.turns.store_part`. Returns the answers to `asks`.
    """
    with leases.held(db, turn):
        states = ask(db, asks, process, clock) if asks else []
        if not any(each.wait for each in states):
            turns.store_part(db, turn, part, text, now, head)
        return states


def close(
    db: Connection, scope: str, kind: WriteKind, rate: Rate, seconds: float, now: float
) -> None:
    """Block the writes of all processes for `seconds`, after a rate limit error."""
    name = scope, kind
    before = _lock(db, [name])()[name]
    store_rows(db, {name: before.closed(rate, seconds, now)})


def expire(db: Connection, before: float, most: int) -> int:
    """Delete at most `most` rows that are obsolete since `before`; return their
    number."""
    return db.execute(EXPIRE, {"before": before, "most": most}).rowcount


def _enter(db: Connection, scope: str, kind: WriteKind) -> Row:
    found: Row = db.execute(ENTER, [scope, kind.value]).fetchone()
    return found


def _rate(row: Row) -> RateRow:
    return RateRow(
        *(row["full_at"], row["closed_until"], row["refreshed_at"]), _crowd(row)
    )


def lock(db: Connection, asks: Iterable[RateAsk]) -> Callable[[], Rows]:
    """Send the query for the rows in which `asks` count, and lock the rows.

    All processes lock them in the same order. The locks last until the end of the
    transaction. Returns a function that reads the rows.
    """
    return _lock(db, {(each.scope, each.kind) for each in asks})


def _lock(db: Connection, rows: Iterable[Name]) -> Callable[[], Rows]:
    names = sorted(rows, key=lambda name: (name[0], name[1].value))
    if not names:
        return dict
    of = " OR ".join(f"(scope = :s{n} AND kind = :k{n})" for n in range(len(names)))
    values = {f"s{n}": scope for n, (scope, _) in enumerate(names)}
    values |= {f"k{n}": kind.value for n, (_, kind) in enumerate(names)}
    asked = db.execute(LOCK.format(of), values)

    def read() -> Rows:
        found = {(each["scope"], each["kind"]): each for each in asked.fetchall()}
        return {
            name: _rate(found.get((name[0], name[1].value)) or _enter(db, *name))
            for name in names
        }

    return read


def store_rows(db: Connection, rows: Mapping[Name, RateRow]) -> None:
    """Replace locked rows."""
    if not rows:
        return
    values: dict[str, object] = {}
    for n, ((scope, kind), row) in enumerate(rows.items()):
        crowd = {
            name: [each.replies, each.streams, each.until, _granted(each.wish)]
            for name, each in row.crowd.items()
        }
        values |= {f"scope{n}": scope, f"kind{n}": kind.value}
        values |= {f"full{n}": row.full_at, f"closed{n}": row.closed_until}
        values |= {f"refreshed{n}": row.refreshed_at, f"crowd{n}": json.dumps(crowd)}
    places = ", ".join(PLACES.format(n) for n in range(len(rows)))
    db.execute(UPDATE.format(places), values)


def _granted(wish: Wish | None) -> list[float] | None:
    return None if wish is None else [wish.level, wish.since, wish.until]


def _crowd(row: Row) -> Mapping[str, Member]:
    try:
        stored = json.loads(row["crowd"])
        return {name: _member(*each) for name, each in stored.items()}
    except (ValueError, TypeError, AttributeError):
        # Counts as no members. Each process that writes enters again.
        return {}


def _member(
    replies: Any, streams: Any, until: Any, wish: Sequence[Any] | None
) -> Member:
    waits = (
        None if wish is None else Wish(Level(wish[0]), float(wish[1]), float(wish[2]))
    )
    return Member(int(replies), int(streams), float(until), waits)
