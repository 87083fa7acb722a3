"""A connection to PostgreSQL with the part of `sqlite_utils.Database` that the store
uses."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any, Protocol

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg.pq import TransactionStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import tuple_row

from storage.postgres.adaptation import adapters
from storage.postgres.errors import refused_values
from storage.postgres.lock_numbers import INDEX, OURS
from storage.postgres.pipeline import Pipeline, Sent, names, positions, row_count
from storage.postgres.statements import Values, translate

#: Timeout for connecting to the server, in seconds.
CONNECT_SECONDS = 10

#: Timeout for a row or table lock of another transaction, in seconds. Our transactions
#: take milliseconds.
LOCK_SECONDS = 30

#: Timeout for detecting a dead peer, in milliseconds.
PEER_MILLISECONDS = 20_000

_ADAPTERS = adapters()


def name_of(process: str) -> str:
    """Return the server-side name of the connections of `process`.

    The reaper terminates the connections of an ended process by this name. Otherwise,
    one suspended in a transaction would block all others.
    """
    return f"threadkeep {process}"


class Row:
    """A row with values that can be read by name, in any case, and by position, like
    `sqlite3.Row`."""

    __slots__ = ("_positions", "_values")

    def __init__(self, values: Sequence[Any], positions: Mapping[str, int]) -> None:
        self._values = tuple(values)
        self._positions = positions

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, str):
            # Raises KeyError where sqlite3 raises IndexError. Both are LookupErrors.
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
    columns = cursor.description or ()
    found = positions(tuple(column.name.encode() for column in columns))
    return lambda values: Row(values, found)


class Cursor(Protocol):
    """The result of a statement. Reading it waits for it."""

    def fetchone(self) -> Row | None:
        """Return the next row, or None after the last one."""
        ...

    def fetchall(self) -> list[Row]:
        """Return the remaining rows."""
        ...

    def __iter__(self) -> Iterator[Row]: ...

    @property
    def rowcount(self) -> int:
        """The number of written rows."""
        ...


class _PendingResult:
    """The result of a statement that was sent together with others."""

    __slots__ = ("_db", "_pipeline", "_rows", "_sent")

    def __init__(self, db: "Connection", pipeline: Pipeline, sent: Sent) -> None:
        self._db = db
        self._pipeline = pipeline
        self._sent = sent
        # The remaining rows.
        self._rows: deque[Row] | None = None

    def fetchone(self) -> Row | None:
        rows = self._rows_left()
        return rows.popleft() if rows else None

    def fetchall(self) -> list[Row]:
        rows = self._rows_left()
        found = list(rows)
        rows.clear()
        return found

    def __iter__(self) -> Iterator[Row]:
        return iter(self.fetchall())

    @property
    def rowcount(self) -> int:
        return row_count(self._result())

    def plain(self) -> list[tuple[Any, ...]]:
        """Return the rows as tuples."""
        return self._pipeline.rows(self._result(), tuple)

    def _rows_left(self) -> deque[Row]:
        if self._rows is None:
            result = self._result()
            found = positions(names(result))
            made = self._pipeline.rows(result, lambda values: Row(values, found))
            self._rows = deque(made)
        return self._rows

    def _result(self) -> PGresult:
        if self._sent.result is None:
            self._db.synchronise()
        assert self._sent.result is not None
        return self._sent.result


class Connection:
    """One connection, used by one thread at a time. Outside `atomic`, each statement is
    a transaction."""

    def __init__(self, address: str, **parameters: Any) -> None:
        """Connect to the server at `address`. Raises psycopg.Error."""
        self.raw: psycopg.Connection[Row] = psycopg.Connection.connect(
            make_conninfo(address, **_parameters(address) | parameters),
            autocommit=True,
            context=_ADAPTERS,
            row_factory=_rows,
            cursor_factory=psycopg.RawCursor,
            # The pipeline prepares statements itself, because only it knows which ones
            # the server has.
            prepare_threshold=None,
        )
        self.raw.execute(
            "SELECT set_config('lock_timeout', $1, false)", [f"{LOCK_SECONDS}s"]
        )
        #: Number of times this connection waited for the server.
        self.waits = 0
        self._pipeline = Pipeline(self.raw)
        self._is_pipelined = False
        #: Number of open savepoints.
        self._parts = 0
        #: Whether texts were added, and whether some were removed, since this was last
        #: set to False.
        self.adds = self.takes_away = False

    def execute(self, sql: str, parameters: Values = ()) -> "Cursor":
        """Run `sql`, which has `?` or `:name` as placeholders for `parameters`.

        Raises psycopg.Error and UnicodeError; while `pipelined`, possibly at a later
        call.
        """
        statement = translate(sql)
        self.adds |= statement.adds
        self.takes_away |= statement.takes_away
        values = statement.values(parameters)
        if self._is_pipelined:
            return self._send_later(statement.text, values)
        return self.raw.execute(statement.text, values)

    def _send_later(self, text: str, values: Sequence[Any]) -> _PendingResult:
        return _PendingResult(self, self._pipeline, self._pipeline.send(text, values))

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Send the statements in the block without waiting for their results.

        Reading a result, or leaving the block, waits for the results. Errors are raised
        then at the latest.
        """
        self._pipeline.open()
        self._is_pipelined = True
        try:
            yield
        except BaseException:
            self._is_pipelined = False
            self._pipeline.close(failed=True)
            raise
        self._is_pipelined = False
        # For the wait on leaving.
        self.waits += 1
        self._pipeline.close(failed=False)

    def synchronise(self) -> None:
        """Wait for all results."""
        if self._is_pipelined and self._pipeline.is_waiting:
            self.waits += 1
            self._pipeline.receive()

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run `sql` once with each of `rows`."""
        if self._is_pipelined:
            for row in rows:
                self.execute(sql, row)
            return
        with self.raw.cursor() as cursor:
            cursor.executemany(translate(sql).text, list(rows))

    def plain_rows(
        self, sql: str, parameters: Values = ()
    ) -> Iterator[tuple[Any, ...]]:
        """Return the rows of `sql` as tuples."""
        statement = translate(sql)
        values = statement.values(parameters)
        if self._is_pipelined:
            return iter(self._send_later(statement.text, values).plain())
        with self.raw.cursor(row_factory=tuple_row) as cursor:
            cursor.execute(statement.text, values)
            return iter(cursor.fetchall())

    def index_alone(self, *, wait: bool) -> bool:
        """Lock the search index against other writers until the end of the transaction.

        Without `wait`, return False if another transaction has the lock.
        """
        kind = "" if wait else "try_"
        taken = self.execute(f"SELECT pg_{kind}advisory_xact_lock({OURS}, {INDEX})")
        if wait:
            return True
        [(is_alone,)] = taken.fetchall()
        return bool(is_alone)

    @contextmanager
    def atomic(self) -> Iterator["Connection"]:
        """Run the block in a transaction, or in a savepoint inside one.

        Rolls back if the block raises. Raises StorageRejected if the database refused
        the values, so that the caller can continue without them.
        """
        # A statement that failed before must not belong to this part.
        self.synchronise()
        part = self._part() if self._is_pipelined else self.raw.transaction()
        try:
            with part:
                yield self
        except (psycopg.IntegrityError, psycopg.DataError) as error:
            raise refused_values(error) from None

    @contextmanager
    def _part(self) -> Iterator[None]:
        self._parts += 1
        name = f"part{self._parts}"
        self.execute(f"SAVEPOINT {name}")
        try:
            yield
            self.synchronise()
        except BaseException:
            if not self.is_lost:
                with suppress(psycopg.Error):
                    self.synchronise()
                self.execute(f"ROLLBACK TO SAVEPOINT {name}")
            raise
        finally:
            self._parts -= 1
        self.execute(f"RELEASE SAVEPOINT {name}")

    @property
    def in_transaction(self) -> bool:
        """True if a transaction is open, failed or not."""
        return self.raw.info.transaction_status in (
            TransactionStatus.INTRANS,
            TransactionStatus.INERROR,
        )

    @property
    def is_lost(self) -> bool:
        """True if the connection broke or was closed."""
        return self.raw.closed

    def close(self) -> None:
        """Close the connection. Uncommitted changes are rolled back."""
        self.raw.close()


def _parameters(address: str) -> dict[str, Any]:
    """Return the connection parameters that every connection sets and `address` does
    not."""
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
