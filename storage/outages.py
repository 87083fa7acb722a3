"""Outages with which a process must catch up, inside a transaction; and their
migration.

Rule: the process that notes an outage receives events from then on. All events that it
missed are therefore older. A running process that already catches up covers them, if it
started from an early enough time. The outage of a part may be noted while it lasts, so
it is always fetched again.
"""

from sqlite_utils import Database

from bot.domain.outage import WITHIN, Outage
from storage.connection import Connection
from storage.dialect import LEAST
from storage.leases import NOBODYS

NOTE = f"""
    INSERT INTO outages (name, since, times, owner) VALUES (:name, :since, 1, '')
    ON CONFLICT (name) DO UPDATE SET
        times = outages.times + CASE
            WHEN :part = 0 AND outages.since <= :since AND outages.owner <> :owner
              AND outages.owner IN (SELECT id FROM processes) THEN 0
            ELSE 1
        END,
        since = {LEAST}(outages.since, :since)
"""

# The outage of a name, or else the oldest one of a part of it.
_FREE = f"(owner IN ('', :owner) OR {NOBODYS})"
TAKE = f"""
    UPDATE outages SET owner = :owner
    WHERE {_FREE} AND name = (
        SELECT name FROM outages
        WHERE (name = :name OR substr(name, 1, length(:within)) = :within) AND {_FREE}
        ORDER BY name <> :name, since LIMIT 1
    )
    RETURNING name, since, times
"""

END = "DELETE FROM outages WHERE name = ? AND owner = ? AND times = ?"


def m041_outages(db: Database) -> None:
    """Add outages with which a process must catch up. Never edited."""
    db.table("outages").create(
        {
            "name": str,
            "since": float,
            "times": int,
            # The process that catches up, or "" for none.
            "owner": str,
        },
        pk="name",
        not_null={"since", "times", "owner"},
        strict=True,
    )


def note_outage(db: Connection, name: str, since: float, owner: str) -> None:
    noted = {"name": name, "since": since, "owner": owner, "part": WITHIN in name}
    db.execute(NOTE, noted)


def take_outage(db: Connection, name: str, owner: str) -> Outage | None:
    named = {"name": name, "within": f"{name}{WITHIN}", "owner": owner}
    for row in db.execute(TAKE, named).fetchall():
        return Outage(row["name"], row["since"], row["times"])
    return None


def end_outage(db: Connection, outage: Outage, owner: str) -> None:
    db.execute(END, [outage.name, owner, outage.times])


def expire(db: Connection, *, before: float, most: int) -> int:
    """Delete at most `most` outages that began before `before` and that no running
    process has.

    Returns their number.
    """
    found = db.execute(
        f"""
        DELETE FROM outages WHERE name IN (
            SELECT name FROM outages
            WHERE since < ? AND (owner = '' OR {NOBODYS}) LIMIT ?
        )
        """,
        [before, most],
    )
    return found.rowcount
