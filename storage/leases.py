"""The leases of processes on threads, inside a transaction; and the migration for that.

Rule 1: a thread is taken only from nobody, or from a process that is not listed any
more. Taking it raises its epoch.
Rule 2: every write of a turn begins with `held`, which locks the row of the thread, so
that what a process writes for a thread that it has lost is rejected as a whole.
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

# An epoch that cannot be raised would keep its thread from every process.
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
    """Add the processes that run, which of them owns a thread or a charge, and turns
    that are asked to stop. Never edited."""
    db.table("processes").create(
        {
            "id": str,
            # "serve", "gateway" or "work".
            "role": str,
            # Its machine and its number there, for people.
            "name": str,
            # Its number in the engine that wakes it; 0 for none.
            "worker": int,
            "started_at": float,
            # The time of its last sign of life.
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
    # "stop" or "withdraw" once somebody asked for it; "" before.
    db.table("turns").add_column("stopping", str, not_null_default="")


def m042_origins(db: Database) -> None:
    """Add what tells other processes on its machine that one has ended. Never
    edited."""
    db.table("processes").add_column("origin", str, not_null_default="")


def enter_alone(db: Connection, owner: str, now: float) -> None:
    """List the process `owner` as the only one that runs."""
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
    """Hold the thread of `turn`. Raises ThreadLost on leaving if it was taken since
    `turn` was read; all that was written meanwhile is undone with the transaction."""
    asked = db.execute(HELD, [turn.id])

    def check() -> None:
        row = asked.fetchone()
        if row is not None and is_lost(turn, row["epoch"], row["owner"]):
            raise ThreadLost(f"turn {turn.key} is another process's now")

    # Not before: on PostgreSQL it comes together with what was asked inside.
    try:
        yield
    except Exception as error:
        # A lost thread explains whatever else went wrong inside.
        try:
            check()
        except ThreadLost:
            raise
        except Exception:
            # The first error alone tells why the database refused.
            raise error from None
        raise
    check()


def is_lost(turn: Turn, epoch: int, owner: str) -> bool:
    """Return whether a thread with this `epoch` and `owner` was taken since `turn` was
    read."""
    # A replica that lacks the last seconds gives out an epoch for the second time.
    is_others = bool(owner) and bool(turn.owner) and owner != turn.owner
    return epoch != turn.epoch or is_others
