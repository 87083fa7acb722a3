"""Turns at what all processes may do only so often together, and the shards of each
gateway, inside a transaction; and the migration for that.

Rule: shards belong to a process as long as it is listed (`storage.leases`).
"""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.domain.shard_range import ShardRange
from storage.connection import Connection
from storage.leases import NOBODYS

#: How many turns ahead may be taken: after a clock was set back, nobody waits longer.
MOST_AHEAD = 50

# Also locks the row until the transaction ends.
TAKE = """
    INSERT INTO slots (name, next_at) VALUES (:name, :now + :seconds)
    ON CONFLICT (name) DO UPDATE SET next_at = :seconds + CASE
        WHEN slots.next_at < :now THEN :now
        WHEN slots.next_at > :latest THEN :latest
        ELSE slots.next_at
    END
    RETURNING next_at
"""


def m033_gateways(db: Database) -> None:
    """Add turns that all processes take, the shards that each of them has, and the
    rates of writes that they share. Never edited."""
    db.table("slots").create(
        {"name": str, "next_at": float},
        pk="name",
        not_null={"next_at"},
        strict=True,
    )
    db.table("shard_ranges").create(
        {"bot": str, "owner": str, "first": int, "last": int, "count": int},
        pk=("bot", "owner"),
        not_null={"bot", "owner", "first", "last", "count"},
        strict=True,
    )
    times = ("full_at", "closed_until", "refreshed_at")
    db.table("write_rates").create(
        {"scope": str, "kind": str, **dict.fromkeys(times, float), "crowd": str},
        pk=("scope", "kind"),
        not_null={"scope", "kind", *times, "crowd"},
        strict=True,
    )


def take_slot(db: Connection, name: str, seconds: float, now: float) -> float:
    """Take the next turn at `name`, of which there is one in `seconds`; return in how
    many seconds it is."""
    given = {"name": name, "seconds": seconds, "now": now}
    row = db.execute(TAKE, {**given, "latest": now + MOST_AHEAD * seconds}).fetchone()
    taken: float = row["next_at"]
    return taken - seconds - now


def claim_shards(
    db: Connection, bot: str, owner: str, shards: ShardRange, now: float
) -> Sequence[ShardRange]:
    """Store that the process `owner` has the `shards` of `bot`; return those that other
    processes have."""
    # Of two that claim at once, the second waits here, and then sees the first.
    take_slot(db, f"shards:{bot}", 0.0, now)
    db.execute(f"DELETE FROM shard_ranges WHERE {NOBODYS}")
    others = db.execute(
        "SELECT first, last, count FROM shard_ranges WHERE bot = ? AND owner <> ? "
        "ORDER BY count, first, last",
        [bot, owner],
    )
    found = [ShardRange(*row) for row in others.fetchall()]
    if any(shards.crosses(other) for other in found):
        return found
    db.execute(
        """
        INSERT INTO shard_ranges (bot, owner, first, last, count)
        VALUES (:bot, :owner, :first, :last, :count)
        ON CONFLICT (bot, owner) DO UPDATE
        SET first = excluded.first, last = excluded.last, count = excluded.count
        """,
        {
            **{"bot": bot, "owner": owner, "count": shards.count},
            **{"first": shards.first, "last": shards.last},
        },
    )
    return found
