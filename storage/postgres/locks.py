"""Locks that PostgreSQL holds for a session and frees when that ends, however it does.

Rule: each is a number in this one list, so that no two uses share one.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg import errors

from storage.postgres.connection import Connection

# Tells our locks from those of other programs that use the same database: the first
# four letters of "threadkeep".
OURS = 0x74687265

#: Held while the schema is changed; shared while it is looked at.
SCHEMA = 1

#: Held shared by every process that runs; held alone while everything is moved.
RUNNING = 2


@contextmanager
def locked(
    db: Connection, lock: int, seconds: float, *, shared: bool = False
) -> Iterator[bool]:
    """Hold `lock` for the session of `db`; yield False if others kept it for so many
    `seconds`."""
    kind = "_shared" if shared else ""
    try:
        with db.raw.transaction():
            wait_at_most(db, seconds)
            db.execute(f"SELECT pg_advisory_lock{kind}({OURS}, {lock})")
    except errors.LockNotAvailable:
        yield False
        return
    try:
        yield True
    finally:
        if not db.is_lost:
            db.execute(f"SELECT pg_advisory_unlock{kind}({OURS}, {lock})")


def wait_at_most(db: Connection, seconds: float) -> None:
    """Let each statement of this transaction wait so long for a lock."""
    db.execute("SELECT set_config('lock_timeout', ?, true)", [f"{seconds * 1000:.0f}"])
