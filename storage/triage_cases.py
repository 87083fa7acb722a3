"""Triage cases, inside a transaction."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from itertools import islice
from typing import Any

from bot.domain.scope import Scope, ScopeLevel
from bot.domain.triage_case import TriageCase
from bot.ports.cases import all_scopes
from storage import locks, tombstones
from storage.broken import calendar_time, log_broken, parse
from storage.connection import Connection, Row
from storage.dialect import GREATEST, LEAST, ROW_LOCK, among, execute_many
from storage.scope_columns import inside, parts, scope_of

# Cases of one message, and cases of several messages that include this one.
_MADE_OF = """
    (message = :message OR id IN (
        SELECT case_id FROM case_messages WHERE case_messages.message = :message
    ))
"""


_KNOWN = """
    SELECT 1 FROM cases WHERE platform = :platform AND workspace = :workspace
    AND channel = :channel AND message = :message
"""


def open_case(db: Connection, case: TriageCase, *, known: bool = False) -> TriageCase:
    locks.storing(db, case.place)
    if tombstones.is_deleted(db, case.place, (case.message, *case.messages)):
        # The text was read before the message was deleted.
        return replace(case, id=0, text="")
    where = {**parts(case.place), "message": case.message}
    if known and db.execute(_KNOWN, where).fetchone() is None:
        return replace(case, id=0, text="")
    db.execute(
        """
        INSERT INTO cases (platform, workspace, channel, thread, message, at, author,
            auto, text)
        VALUES (:platform, :workspace, :channel, :thread, :message, :at, :author,
            :auto, :text)
        ON CONFLICT (platform, workspace, channel, message) DO UPDATE SET
            text = excluded.text, "values" = NULL, reason = '', corrected = '{}',
            corrected_by = '', corrected_at = 0, agreed_by = '', tries = 0
        WHERE cases.text <> excluded.text
        """,
        {
            **where,
            "at": case.at,
            "author": case.author,
            "auto": case.auto,
            "text": case.text,
        },
    )
    row = db.execute(
        """
        SELECT * FROM cases WHERE platform = :platform AND workspace = :workspace
        AND channel = :channel AND message = :message
        """,
        where,
    ).fetchone()
    db.execute("DELETE FROM case_messages WHERE case_id = ?", [row["id"]])
    execute_many(
        db,
        "INSERT INTO case_messages (case_id, message) VALUES (?, ?) "
        "ON CONFLICT DO NOTHING",
        [(row["id"], message) for message in case.messages],
    )
    return _case(row)


def record_case_result(
    db: Connection, id: int, values: Mapping[str, Any] | None, reason: str
) -> TriageCase | None:
    text = json.dumps(dict(values), ensure_ascii=False) if values is not None else None
    db.execute(
        'UPDATE cases SET "values" = ?, reason = ? WHERE id = ?', [text, reason, id]
    )
    return case(db, id)


def case(db: Connection, id: int) -> TriageCase | None:
    row = db.execute("SELECT * FROM cases WHERE id = ?", [id]).fetchone()
    return _case(row) if row is not None else None


def correct_case(
    db: Connection, id: int, field: str, value: Any, who: str, now: float
) -> TriageCase | None:
    row = db.execute(f"SELECT * FROM cases WHERE id = ? {ROW_LOCK}", [id]).fetchone()
    if row is None:
        return None
    found = _case(row)
    changed = {**found.corrected, field: value}
    db.execute(
        """
        UPDATE cases SET corrected = ?, corrected_by = ?, corrected_at = ?,
            agreed_by = '' WHERE id = ?
        """,
        [json.dumps(changed, ensure_ascii=False), who, now, id],
    )
    return case(db, id)


def approve_example(db: Connection, id: int, who: str) -> TriageCase | None:
    db.execute("UPDATE cases SET agreed_by = ? WHERE id = ?", [who, id])
    return case(db, id)


def examples(db: Connection, scope: Scope) -> list[TriageCase]:
    channel = scope.at(ScopeLevel.CHANNEL)
    found = db.execute(
        f"SELECT * FROM cases WHERE agreed_by <> '' AND {inside(channel)} ORDER BY id",
        parts(channel),
    )
    return [_case(row) for row in found]


def corrections(db: Connection, since: float) -> list[TriageCase]:
    """Return the cases that people corrected at or after `since`, oldest first."""
    found = db.execute(
        "SELECT * FROM cases WHERE corrected_at >= ? AND corrected_at > 0 ORDER BY id",
        [since],
    )
    return [_case(row) for row in found]


def waiting_cases(
    db: Connection,
    platforms: Collection[str],
    most: int,
    serves: Callable[[Scope], bool] = all_scopes,
) -> list[tuple[int, Scope]]:
    of_platforms, values = among("platform", sorted(platforms))
    rows = db.execute(
        f"""
        SELECT id, platform, workspace, channel, '' AS thread FROM cases
        WHERE auto = 1 AND shown = 0 AND {of_platforms}
        ORDER BY
            row_number() OVER (
                PARTITION BY platform, workspace, channel ORDER BY id
            ), id
        """,
        values,
    )
    found = ((row["id"], scope_of(row)) for row in rows)
    return list(islice((each for each in found if serves(each[1])), most))


def record_case_try(db: Connection, id: int) -> int:
    # Bounded, so that the sum still fits SQLite's integers.
    rows = db.execute(
        f"UPDATE cases SET tries = {LEAST}(tries, 1000000) + 1 WHERE id = ? "
        "RETURNING tries",
        [id],
    ).fetchall()
    return rows[0]["tries"] if rows else 0


def forget_case_try(db: Connection, id: int) -> None:
    db.execute(f"UPDATE cases SET tries = {GREATEST}(tries - 1, 0) WHERE id = ?", [id])


def mark_case_shown(db: Connection, id: int) -> None:
    db.execute("UPDATE cases SET shown = 1 WHERE id = ?", [id])


def delete_cases_of(db: Connection, message: str, *, within: Scope) -> None:
    """Delete the cases in `within` that were made from `message`."""
    _delete(
        db, f"{_MADE_OF} AND {inside(within)}", {**parts(within), "message": message}
    )


def delete_cases_in(db: Connection, scope: Scope) -> None:
    """Delete the cases of a thread or channel."""
    _delete(db, inside(scope), parts(scope))


def expire(db: Connection, *, before: float, corrected_before: float, most: int) -> int:
    """Delete at most `most` cases older than `before`; return their number.

    A corrected case stays until its correction is older than `corrected_before`. An
    approved example is never deleted here.
    """
    old = """
        SELECT id FROM cases
        WHERE at < :before AND corrected_at < :corrected_before AND agreed_by = ''
          AND (shown = 1 OR auto = 0)
        ORDER BY at LIMIT :most
    """
    bounds = {"before": before, "corrected_before": corrected_before, "most": most}
    return _delete(db, f"id IN ({old})", bounds)


def delete_case(db: Connection, id: int) -> None:
    """Delete the case `id`."""
    _delete(db, "id = :id", {"id": id})


def _delete(db: Connection, where: str, values: dict[str, Any]) -> int:
    query = f"SELECT id FROM cases WHERE {where} ORDER BY id {ROW_LOCK}"
    found = db.execute(query, values).fetchall()
    for number in found:
        # First the rows that reference the case.
        db.execute("DELETE FROM case_messages WHERE case_id = ?", list(number))
        db.execute("DELETE FROM cases WHERE id = ?", list(number))
    return len(found)


def _case(row: Row) -> TriageCase:
    """Return the case in `row`, without values or corrections that cannot be read."""
    stored = row["values"]
    values = parse(stored, dict) if stored is not None else None
    corrected = parse(row["corrected"], dict)
    if corrected is None or (values is None and stored is not None):
        log_broken("cases", row["id"])
    return TriageCase(
        id=row["id"],
        place=scope_of(row),
        message=row["message"],
        at=calendar_time(row["at"]),
        author=row["author"],
        text=row["text"],
        values=values,
        reason=row["reason"],
        corrected=corrected or {},
        corrected_by=row["corrected_by"],
        corrected_at=calendar_time(row["corrected_at"]),
        agreed_by=row["agreed_by"],
        auto=bool(row["auto"]),
        shown=bool(row["shown"]),
    )
