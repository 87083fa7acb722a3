"""Databases on a real PostgreSQL server."""

from collections.abc import Iterator
from functools import cache

import psycopg
import pytest

from tests.support import postgres


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a new database without tables."""
    with postgres.database() as found:
        yield found


@pytest.fixture
def untouched() -> Iterator[str]:
    """The address of a database without tables, in which tests create none."""
    with postgres.emptied(lambda of: "template1") as found:
        yield found


@pytest.fixture
def with_table() -> Iterator[str]:
    """The address of a database with the empty table `t`, which tests have in turn."""
    with postgres.emptied(_with_table) as found:
        yield found


@cache
def _with_table(of: postgres.Server) -> str:
    name = of.create()
    with psycopg.connect(of.of(name)) as connection:
        connection.execute("CREATE TABLE t (id bigint PRIMARY KEY, text text)")
    return name
