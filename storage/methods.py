"""Makes store methods from this package's functions. Each method runs one function in a
transaction."""

from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from bot.domain.scope import Scope
from bot.domain.turn import Turn
from storage import leases, locks
from storage.connection import Connection

P = ParamSpec("P")
T = TypeVar("T")
Of = TypeVar("Of", bound=Turn | int)


class Transaction(Protocol):
    """Runs a function in one transaction and returns its result."""

    def __call__(self, work: Callable[[Connection], T], /) -> Awaitable[T]: ...


class WriteTransaction(Protocol):
    """Runs a function that writes in one transaction and returns its result.

    Commits without waiting for the disk unless `waits`.
    """

    def __call__(
        self, work: Callable[[Connection], T], /, *, waits: bool = True
    ) -> Awaitable[T]: ...


class Connected(Protocol):
    """The attributes that these methods use."""

    #: Whether the database is on a server, which may restart while this process runs.
    shared: bool
    _read: Transaction
    _read_first: Transaction
    _report: Transaction
    _write: WriteTransaction


#: A function that runs inside a transaction, and the method with the same arguments.
Query = Callable[Concatenate[Connection, P], T]
Method = Callable[Concatenate[Any, P], Coroutine[Any, Any, T]]


def write(query: Query[P, T], *, covered: bool = False) -> Method[P, T]:
    """Return a method that runs `query` on the writer's connection.

    `covered` is explained at `write_of_turn`.
    """

    @wraps(query)
    async def method(store: Connected, /, *args: P.args, **kwargs: P.kwargs) -> T:
        waits = not covered or store.shared
        return await store._write(lambda db: query(db, *args, **kwargs), waits=waits)

    return method


def write_of_turn(
    query: Query[Concatenate[Of, P], T], *, stores: bool = False, covered: bool = False
) -> Callable[Concatenate[Any, Of, P], Coroutine[Any, Any, T]]:
    """Return a method that runs `query` for the process that has the thread of a turn.

    The method raises ThreadLost if another process took the thread. A charge without a
    turn belongs to no thread.

    A query that `stores` people's messages, or checks whether they were deleted, waits
    for deletions. A query that is `covered` by a later one does not wait for the disk:
    the later one does, before anybody relies on either. On a server it does wait,
    because the server may lose the write in a crash without this process noticing.
    """

    def held(db: Connection, turn: Of, /, *args: P.args, **kwargs: P.kwargs) -> T:
        if not isinstance(turn, Turn):
            return query(db, turn, *args, **kwargs)
        if stores:
            locks.storing(db, Scope.of(turn.thread))
        with leases.held(db, turn):
            return query(db, turn, *args, **kwargs)

    @wraps(query)
    async def method(
        store: Connected, turn: Of, /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        waits = not covered or store.shared
        return await store._write(
            lambda db: held(db, turn, *args, **kwargs), waits=waits
        )

    return method


def read(query: Query[P, T]) -> Method[P, T]:
    """Return a method that runs `query` on the reader's connection."""

    @wraps(query)
    async def method(store: Connected, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store._read(lambda db: query(db, *args, **kwargs))

    return method


def read_first(query: Query[P, T]) -> Method[P, T]:
    """Return a method that runs `query` between writes, for reads on which a turn
    waits."""

    @wraps(query)
    async def method(store: Connected, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store._read_first(lambda db: query(db, *args, **kwargs))

    return method


def report(query: Query[P, T]) -> Method[P, T]:
    """Return a method that runs `query`, which may take seconds, on the report
    connection."""

    @wraps(query)
    async def method(store: Connected, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return await store._report(lambda db: query(db, *args, **kwargs))

    return method
