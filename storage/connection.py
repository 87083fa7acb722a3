"""The connection that the functions of this package need, to whichever database.

Implemented by `sqlite_utils.Database`, and by `storage.postgres.connection`.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol


class Row(Protocol):
    """A row, whose values are found by the name of their column and by position."""

    def __getitem__(self, key: Any, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...


class Cursor(Protocol):
    """The rows that a statement returned, and how many it wrote."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """A connection to a database, inside a transaction."""

    def execute(self, sql: str, parameters: Any = ..., /) -> Cursor:
        """Run `sql`, with `?` or `:name` where `parameters` go."""
        ...

    def atomic(self) -> AbstractContextManager[Any]:
        """Undo what was done inside if it raises."""
        ...


Values = Sequence[Any]
