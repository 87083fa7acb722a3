"""The leases of processes on threads, inside a transaction; and their migration.

Rule 1: a thread can be taken only if it has no owner or if its owner is no longer
listed. Taking a thread increments its epoch.
Rule 2: every write of a turn begins with `held`, which locks the row of the thread. All
writes of a process for a thread that it has lost are therefore rejected as a whole.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlite_utils import Database

from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn
from bot.errors import ThreadLost
from storage.connection import Connection
from storage.dialect import ROW_LOCK
from storage.thread_queries import THREAD_ID, named
from storage.turn_reading import next_turn

#: A condition: the owner is a process that no longer runs.
NOBODYS = "owner NOT IN (SELECT id FROM processes)"

# An epoch that cannot be incremented would block its thread for every process.
MOST_EPOCH = 2**62

TAKE = f"""
    UPDATE threads SET owner = :owner,
      epoch = CASE WHEN epoch < {MOST_EPOCH} THEN epoch + 1 ELSE 0 END
    WHERE id = ({THREAD_ID})
      AND owner <> :owner AND (owner = '' OR {NOBODYS})
"""

HELD = f"""
    SELECT epoch, owner FROM threads
    WHERE id = (SELECT thread_id FROM turns WHERE turns.id = ?) {ROW_LOCK}
"""


def m031_owners(db: Database) -> None:
    """Add the running processes, the owners of threads and charges, and requests to
    stop turns. Never edited."""
    db.table("processes").create(
        {
            "id": str,
            # "serve", "gateway" or "work".
            "role": str,
            # Its machine and process id, for people.
            "name": str,
            # Its worker number in the engine, or 0 for none.
            "worker": int,
            "started_at": float,
            # The time of its last heartbeat.
            "seen_at": float,
        },
        pk="id",
        not_null={"role", "name", "worker", "started_at", "seen_at"},
        defaults={"name": "", "worker": 0},
        strict=True,
    )
    # The process that answers the thread, or made the call; "" for none.
    for table in ("threads", "charges"):
        db.table(table).add_column("owner", str, not_null_default="")
    # "stop" or "withdraw" once somebody asked to stop the turn; "" before.
    db.table("turns").add_column("stopping", str, not_null_default="")


def m042_origins(db: Database) -> None:
    """Add the origin of a process, by which others on its machine detect its end. Never
    edited."""
    db.table("processes").add_column("origin", str, not_null_default="")


def enter_alone(db: Connection, owner: str, now: float) -> None:
    """List the process `owner` as the only running one."""
    db.execute("DELETE FROM processes")
    enter(db, owner, "serve", now)


def enter(db: Connection, owner: str, role: str, now: float) -> None:
    """List the process `owner`, which runs in the role `role`."""
    db.execute(
        """
        INSERT INTO processes (id, role, started_at, seen_at)
        VALUES (:owner, :role, :now, :now)
        ON CONFLICT (id) DO UPDATE SET seen_at = excluded.seen_at
        """,
        {"owner": owner, "role": role, "now": now},
    )


def take_turn(db: Connection, thread: ThreadKey, owner: str) -> Turn | None:
    db.execute(TAKE, {**named(thread), "owner": owner})
    turn = next_turn(db, thread)
    return turn if turn and turn.owner == owner else None


@contextmanager
def held(db: Connection, turn: Turn) -> Iterator[None]:
    """Lock the thread of `turn` for the block.

    Raises ThreadLost on leaving if the thread was taken after `turn` was read. The
    whole transaction is then rolled back.
    """
    asked = db.execute(HELD, [turn.id])

    def check() -> None:
        row = asked.fetchone()
        if row is not None and is_lost(turn, row["epoch"], row["owner"]):
            raise ThreadLost(f"turn {turn.key} is another process's now")

    # Checked at the end: on PostgreSQL, the row arrives together with the results of
    # the block's queries.
    try:
        yield
    except Exception as error:
        # A lost thread explains any other error in the block.
        try:
            check()
        except ThreadLost:
            raise
        except Exception:
            # Only the first error says why the database refused.
            raise error from None
        raise
    check()


def is_lost(turn: Turn, epoch: int, owner: str) -> bool:
    """Return whether a thread with this `epoch` and `owner` was taken after `turn` was
    read."""
    # A replica that lacks the last seconds may issue the same epoch a second time.
    is_others = bool(owner) and bool(turn.owner) and owner != turn.owner
    return epoch != turn.epoch or is_others
