"""Databases on a real PostgreSQL server."""

from collections.abc import Iterator

import pytest

from tests.support import postgres


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a new database without tables."""
    with postgres.database() as found:
        yield found
