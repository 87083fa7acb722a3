"""Refusals, counted by the hour, inside a transaction.

Rule: refusals are stored apart from the audit log, so that no number of them hides a
change. Their number is bounded, so that nobody can fill the database with them.
"""

from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Refusal
from storage import locks
from storage.connection import Connection
from storage.dialect import ROW
from storage.scope_columns import inside, parts

HOUR = 3600

#: The most rows of a workspace for one hour. Further refusals are counted in one row
#: without a person.
MOST_LINES = 500
OTHERS = "more than can be listed"


def record_refusal(db: Connection, entry: AuditEntry) -> None:
    locks.settings(db, [entry.place])
    hour = int(entry.at // HOUR)
    channel = entry.place.at(ScopeLevel.CHANNEL)
    line = {**parts(channel), "hour": hour, "who": entry.who, "name": entry.name}
    if not _count(db, line, entry.at):
        within = channel.at(ScopeLevel.WORKSPACE)
        if _lines(db, within, hour) >= MOST_LINES:
            line = {**parts(within), "hour": hour, "who": "", "name": OTHERS}
        if not _count(db, line, entry.at):
            db.execute(
                """
                INSERT INTO refusals
                    (hour, platform, workspace, channel, who, name, count, at)
                VALUES (:hour, :platform, :workspace, :channel, :who, :name, 1, :at)
                """,
                {**line, "at": entry.at},
            )


def refusals(db: Connection, within: Scope, since: float, most: int) -> list[Refusal]:
    channel = within.at(ScopeLevel.CHANNEL)
    rows = db.execute(
        f"SELECT * FROM refusals WHERE {inside(channel)} AND hour >= :hour "
        f"AND at >= :since ORDER BY hour DESC, at DESC, {ROW} DESC LIMIT :most",
        {**parts(channel), "since": since, "hour": int(since // HOUR), "most": most},
    )
    return [
        Refusal(
            Scope(row["platform"], row["workspace"], row["channel"]),
            *(row["who"], row["name"], row["count"], row["at"]),
        )
        for row in rows
    ]


def expire(db: Connection, *, before: float, most: int) -> int:
    """Delete at most `most` rows older than `before`; return their number."""
    old = f"SELECT {ROW} FROM refusals WHERE hour < ? ORDER BY hour LIMIT ?"
    deleted = db.execute(
        f"DELETE FROM refusals WHERE {ROW} IN ({old})", [int(before // HOUR), most]
    )
    return int(deleted.rowcount)


def _count(db: Connection, line: dict[str, object], at: float) -> bool:
    """Add one to the count of the row `line`. Returns False if the row does not
    exist."""
    counted = db.execute(
        """
        UPDATE refusals SET count = count + 1, at = :at
        WHERE hour = :hour AND platform = :platform AND workspace = :workspace
          AND channel = :channel AND who = :who AND name = :name
        """,
        {**line, "at": at},
    )
    return counted.rowcount > 0


def _lines(db: Connection, within: Scope, hour: int) -> int:
    (lines,) = db.execute(
        f"SELECT count(*) FROM refusals WHERE hour = :hour AND {inside(within)}",
        {**parts(within), "hour": hour},
    ).fetchone()
    return int(lines)
