"""Outages that are to be caught up with, inside a transaction; and the migration for
that.

Rule: who notes an outage receives events from then on. So what it may have missed was
said before, and a process that runs and already catches up covers it, if it began to
look early enough.
"""

from sqlite_utils import Database

from bot.domain.outage import Outage
from storage.connection import Connection
from storage.dialect import LEAST
from storage.leases import NOBODYS

NOTE = f"""
    INSERT INTO outages (name, since, times, owner) VALUES (:name, :since, 1, '')
    ON CONFLICT (name) DO UPDATE SET
        times = outages.times + CASE
            WHEN outages.since <= :since AND outages.owner <> :owner
              AND outages.owner IN (SELECT id FROM processes) THEN 0
            ELSE 1
        END,
        since = {LEAST}(outages.since, :since)
"""

TAKE = f"""
    UPDATE outages SET owner = :owner
    WHERE name = :name AND (owner IN ('', :owner) OR {NOBODYS})
    RETURNING since, times
"""

END = "DELETE FROM outages WHERE name = ? AND owner = ? AND times = ?"


def m041_outages(db: Database) -> None:
    """Add outages that are to be caught up with. Never edited."""
    db.table("outages").create(
        {
            "name": str,
            "since": float,
            "times": int,
            # The process that catches up; "" for none.
            "owner": str,
        },
        pk="name",
        not_null={"since", "times", "owner"},
        strict=True,
    )


def note_outage(db: Connection, name: str, since: float, owner: str) -> None:
    db.execute(NOTE, {"name": name, "since": since, "owner": owner})


def take_outage(db: Connection, name: str, owner: str) -> Outage | None:
    found = db.execute(TAKE, {"name": name, "owner": owner}).fetchall()
    for row in found:
        return Outage(name, row["since"], row["times"])
    return None


def end_outage(db: Connection, outage: Outage, owner: str) -> None:
    db.execute(END, [outage.name, owner, outage.times])


def expire(db: Connection, *, before: float, most: int) -> int:
    """Delete at most `most` that began before that time, and that nobody has taken up;
    return how many."""
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
