"""Locks that end with their connection."""

from contextlib import closing

import psycopg

from storage.postgres.connection import Connection
from storage.postgres.locks import locked


def test_a_lock_is_left_though_its_connection_was_cut(with_table: str) -> None:
    with closing(Connection(with_table)) as db, locked(db, 99, 1.0) as is_held:
        assert is_held
        with psycopg.connect(with_table, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", [db.raw.info.backend_pid])
    with closing(Connection(with_table)) as db, locked(db, 99, 1.0) as is_held:
        assert is_held
