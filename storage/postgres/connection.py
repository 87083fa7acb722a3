"""A connection to PostgreSQL with the surface that the functions of the verbs use:
that of `sqlite_utils.Database`, as far as they need it."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from storage.postgres.adaptation import adapters
from storage.postgres.errors import refused_values
from storage.postgres.lock_numbers import INDEX, OURS
from storage.postgres.statements import Values, translated

#: How long the server may take to answer to a new connection, in seconds.
CONNECT_SECONDS = 10

#: How long a statement waits for a row or table that another transaction holds, in
#: seconds. Those of ours take milliseconds.
LOCK_SECONDS = 30

#: How long a dead peer goes unnoticed, in milliseconds.
PEER_MILLISECONDS = 20_000

_ADAPTERS = adapters()


def name_of(process: str) -> str:
    """Return the name on the server of the connections by which `process` reads and
    writes. Who reaps it ends them: one that is stopped in the middle of a transaction
    would hold up all others."""
    return f"threadkeep {process}"


class Row:
    """A row whose values are found by name, whatever their case, and by position, like
    `sqlite3.Row`."""

    __slots__ = ("_positions", "_values")

    def __init__(self, values: Sequence[Any], positions: dict[str, int]) -> None:
        self._values = tuple(values)
        self._positions = positions

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            # Raises KeyError, sqlite3 IndexError: both are LookupErrors.
            return self._values[self._positions[key.lower()]]
        return self._values[key]

    def __iter__(self) -> Iterator[Any]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Row) and self._values == other._values

    def __hash__(self) -> int:
        return hash(self._values)

    def keys(self) -> list[str]:
        """Return the names of the columns."""
        return list(self._positions)


def _rows(cursor: "psycopg.Cursor[Row]") -> Callable[[Sequence[Any]], Row]:
    # Of two columns with one name, the first counts.
    positions: dict[str, int] = {}
    for position, column in enumerate(cursor.description or ()):
        positions.setdefault(column.name.lower(), position)
    return lambda values: Row(values, positions)


class Cursor:
    """The result of a statement. Looking at it waits for it."""

    __slots__ = ("_db", "_nth", "_raw")

    def __init__(self, db: "Connection", raw: "psycopg.Cursor[Row]", nth: int) -> None:
        self._db = db
        self._raw = raw
        self._nth = nth

    def fetchone(self) -> Row | None:
        """Return the next row, None after the last one."""
        self._db.wait_for(self._nth)
        return self._raw.fetchone()

    def fetchall(self) -> list[Row]:
        """Return the rows that are left."""
        self._db.wait_for(self._nth)
        return self._raw.fetchall()

    def __iter__(self) -> Iterator[Row]:
        return iter(self.fetchall())

    @property
    def rowcount(self) -> int:
        """How many rows were written."""
        if self._raw.rowcount < 0:
            self._db.synchronise()
        return self._raw.rowcount


class Connection:
    """One connection, used by one thread at a time. Outside of `atomic`, each statement
    is a transaction of its own."""

    def __init__(self, address: str, **parameters: Any) -> None:
        """Connect to the server at `address`. Raises psycopg.Error."""
        self.raw: psycopg.Connection[Row] = psycopg.Connection.connect(
            make_conninfo(address, **_parameters(address) | parameters),
            autocommit=True,
            context=_ADAPTERS,
            row_factory=_rows,
            cursor_factory=psycopg.RawCursor,
        )
        self.raw.execute(
            "SELECT set_config('lock_timeout', $1, false)", [f"{LOCK_SECONDS}s"]
        )
        #: How often this waited for the server.
        self.waits = 0
        # How many statements were sent, and up to which one the results are here.
        self._sent = self._received = 0
        self._pipeline: psycopg.Pipeline | None = None
        #: Whether texts came, and whether some went, since this was set to False.
        self.adds = self.takes_away = False

    def execute(self, sql: str, parameters: Values = ()) -> "Cursor":
        """Run `sql`, with `?` or `:name` where `parameters` go. Raises psycopg.Error
        and UnicodeError; while `pipelined`, also later."""
        statement = translated(sql)
        self.adds |= statement.adds
        self.takes_away |= statement.takes_away
        sent = self.raw.execute(statement.text, statement.values(parameters))
        self._sent += 1
        return Cursor(self, sent, self._sent)

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Send what is executed inside without waiting for what comes back, until that
        is looked at, or this is left. Raises what went wrong, at the latest then."""
        with self.raw.pipeline() as pipeline:
            self._pipeline = pipeline
            try:
                yield
                # The last one.
                self.waits += 1
            finally:
                self._pipeline = None
        self._received = self._sent

    def wait_for(self, nth: int) -> None:
        """Count that the result of the statement `nth` is waited for, unless it is
        here."""
        if nth > self._received:
            self.waits += 1
            self._received = self._sent

    def synchronise(self) -> None:
        """Wait for all results."""
        if self._pipeline is not None:
            self.wait_for(self._sent)
            self._pipeline.sync()

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run `sql` once with each of `rows`."""
        statement = translated(sql)
        self._sent += 1
        with self.raw.cursor() as cursor:
            cursor.executemany(statement.text, list(rows))

    def plain_rows(
        self, sql: str, parameters: Values = ()
    ) -> Iterator[tuple[Any, ...]]:
        """Return the rows of `sql` as tuples."""
        statement = translated(sql)
        self._sent += 1
        with self.raw.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(statement.text, statement.values(parameters))
            self.wait_for(self._sent)
            return iter(cursor.fetchall())

    def index_alone(self, *, wait: bool) -> bool:
        """Keep others from changing the index of words, to the end of the transaction;
        return False if they do, unless it is to `wait`."""
        kind = "" if wait else "try_"
        taken = self.execute(f"SELECT pg_{kind}advisory_xact_lock({OURS}, {INDEX})")
        if wait:
            return True
        [(is_alone,)] = taken.fetchall()
        return bool(is_alone)

    @contextmanager
    def atomic(self) -> Iterator["Connection"]:
        """Undo what was done inside if it raises: a transaction, or within one a
        savepoint.

        Raises StorageRejected if the database refused the values, so that the caller
        can go on without them.
        """
        try:
            with self.raw.transaction():
                yield self
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise refused_values(error) from None

    @property
    def in_transaction(self) -> bool:
        """Whether a transaction is open, failed or not."""
        return self.raw.info.transaction_status in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        )

    @property
    def is_lost(self) -> bool:
        """Whether the connection broke or was closed."""
        return self.raw.closed

    def close(self) -> None:
        """Close the connection; what is not committed is undone."""
        self.raw.close()


def _parameters(address: str) -> dict[str, Any]:
    """Return what every connection sets that `address` does not."""
    ours = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": "threadkeep",
        "keepalives_idle": 30,
        "tcp_user_timeout": PEER_MILLISECONDS,
    }
    given = psycopg.conninfo.conninfo_to_dict(address)
    return {
        **{name: value for name, value in ours.items() if name not in given},
        "client_encoding": "UTF8",
    }
