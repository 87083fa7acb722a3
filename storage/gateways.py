"""Rate limits shared by all processes, and the shards of each gateway, inside a
transaction; and their migration.

Rule: a process keeps its shards as long as it is listed (`storage.leases`).
"""

from collections.abc import Sequence

from sqlite_utils import Database

from bot.domain.call_lease import CallLease
from bot.domain.shard_range import ShardRange
from storage.connection import Connection
from storage.leases import NOBODYS

#: The most slots that can be taken ahead. It bounds the wait after a clock was set
#: back.
MOST_AHEAD = 50

# Floating-point seconds are not exact in the last bit.
ROUNDING = 1e-6

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
    """Add the slots that all processes share, the shards of each process, and the
    shared write rates. Never edited."""
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
    """Take the next slot of `name`, of which there is one every `seconds`.

    Returns the number of seconds until the slot.
    """
    return _take(db, name, seconds, now + MOST_AHEAD * seconds, now) - now


def _take(
    db: Connection, name: str, seconds: float, latest: float, now: float
) -> float:
    """Take a slot that lasts `seconds`. Returns when it begins: at `latest` or
    sooner."""
    given = {"name": name, "seconds": seconds, "latest": latest, "now": now}
    row = db.execute(TAKE, given).fetchone()
    taken: float = row["next_at"]
    return taken - seconds


def lease_calls(
    db: Connection, name: str, want: int, each: float, burst: int, now: float
) -> CallLease:
    """Lease at most `want` calls of `name`.

    All processes together make one call per `each` seconds, with bursts of at most
    `burst`.
    """
    # A slot of zero length locks the row and returns when the next call is due. After a
    # clock was set back, nobody waits longer than the burst takes.
    begins = _take(db, name, 0.0, now + burst * each, now)
    free = int((now - begins) / each + burst + ROUNDING)
    granted = max(0, min(want, free))
    db.execute(
        "UPDATE slots SET next_at = ? WHERE name = ?", [begins + granted * each, name]
    )
    [(processes,)] = db.execute("SELECT count(*) FROM processes").fetchall()
    wait = 0.0 if granted else begins + each - burst * each - now
    return CallLease(granted, max(0.0, wait), max(1, processes))


def claim_shards(
    db: Connection, bot: str, owner: str, shards: ShardRange, now: float
) -> Sequence[ShardRange]:
    """Store that the process `owner` has the `shards` of `bot`, unless they overlap
    others.

    Returns the shards of other processes.
    """
    # If two processes claim at once, the second waits here and then sees the
    # first.
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
