"""Locks that PostgreSQL holds for a session and releases when the session ends, for any
reason."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import errors

from storage.postgres.connection import Connection
from storage.postgres.lock_numbers import OURS


@contextmanager
def locked(
    db: Connection, lock: int, seconds: float, *, shared: bool = False
) -> Iterator[bool]:
    """Hold `lock` for the session of `db`. Yields False if others kept it for
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
        # A broken connection has released the lock.
        with suppress(psycopg.OperationalError):
            db.execute(f"SELECT pg_advisory_unlock{kind}({OURS}, {lock})")


def wait_at_most(db: Connection, seconds: float) -> None:
    """Limit the lock wait of each statement of this transaction to `seconds`."""
    db.execute("SELECT set_config('lock_timeout', ?, true)", [f"{seconds * 1000:.0f}"])
