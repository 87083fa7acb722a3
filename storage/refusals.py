"""Who was refused what, counted by the hour, inside a transaction.

Rule: apart from the audit of changes, so that no number of refusals hides a change; and
bounded, so that nobody fills the database by being refused.
"""

from sqlite_utils import Database

from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry, Refusal
from storage.scope_columns import inside, parts

HOUR = 3600

#: How many lines of refusals a workspace may have of one hour. What is refused beyond
#: them is counted in one line that names nobody.
MOST_LINES = 500
OTHERS = "more than can be listed"


def note(db: Database, entry: AuditEntry) -> None:
    """Count the refusal that `entry` tells of."""
    hour = int(entry.at // HOUR)
    place = entry.place.at(ScopeLevel.CHANNEL)
    line = {**parts(place), "hour": hour, "who": entry.who, "name": entry.name}
    if not _counted(db, line, entry.at):
        within = place.at(ScopeLevel.WORKSPACE)
        if _lines(db, within, hour) >= MOST_LINES:
            line = {**parts(within), "hour": hour, "who": "", "name": OTHERS}
        if not _counted(db, line, entry.at):
            db.execute(
                """
                INSERT INTO refusals
                    (hour, platform, workspace, channel, who, name, count, at)
                VALUES (:hour, :platform, :workspace, :channel, :who, :name, 1, :at)
                """,
                {**line, "at": entry.at},
            )


def refused(db: Database, within: Scope, *, since: float, most: int) -> list[Refusal]:
    """See `bot.ports.store.SettingsStore.refusals`."""
    channel = within.at(ScopeLevel.CHANNEL)
    rows = db.execute(
        f"SELECT * FROM refusals WHERE {inside(channel)} AND hour >= :hour "
        "AND at >= :since ORDER BY hour DESC, at DESC, rowid DESC LIMIT :most",
        {**parts(channel), "since": since, "hour": int(since // HOUR), "most": most},
    )
    return [
        Refusal(
            Scope(row["platform"], row["workspace"], row["channel"]),
            *(row["who"], row["name"], row["count"], row["at"]),
        )
        for row in rows
    ]


def expire(db: Database, *, before: float, most: int) -> int:
    """Delete refusals older than `before`, at most `most` lines; return how many."""
    old = "SELECT rowid FROM refusals WHERE hour < ? ORDER BY hour LIMIT ?"
    deleted = db.execute(
        f"DELETE FROM refusals WHERE rowid IN ({old})", [int(before // HOUR), most]
    )
    return int(deleted.rowcount)


def _counted(db: Database, line: dict[str, object], at: float) -> bool:
    """Whether there is such a line already; it counts one more then."""
    counted = db.execute(
        """
        UPDATE refusals SET count = count + 1, at = :at
        WHERE hour = :hour AND platform = :platform AND workspace = :workspace
          AND channel = :channel AND who = :who AND name = :name
        """,
        {**line, "at": at},
    )
    return counted.rowcount > 0


def _lines(db: Database, within: Scope, hour: int) -> int:
    (lines,) = db.execute(
        f"SELECT count(*) FROM refusals WHERE hour = :hour AND {inside(within)}",
        {**parts(within), "hour": hour},
    ).fetchone()
    return int(lines)
