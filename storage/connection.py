"""The database connection that this package's functions use, for either database.

`sqlite_utils.Database` and `storage.postgres.connection` implement it.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Row(Protocol):
    """A row with values that can be read by column name and by position."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class Cursor(Protocol):
    """The rows that a statement returned, and the number of rows that it wrote."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection to a database, inside a transaction."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:
        """Run `sql`, which has `?` or `:name` as placeholders for `parameters`."""
        ...

    def atomic(self) -> AbstractContextManager[Any]:
        """Roll back the statements in the block if the block raises."""
        ...


Values = Sequence[Any]
