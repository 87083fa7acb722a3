"""Sends statements together and receives their results together.

Psycopg's own pipeline talks to the server at each statement, in several steps of
Python. Here, a statement only fills a buffer until a result is read. That takes a fifth
of the processor time, which is scarce in a worker that answers.

Rule 1: results arrive in the order of the statements, one for each.
Rule 2: after a failed statement, the server skips all statements until a sync. The sync
is sent before the error is raised, so that later statements are executed.
Rule 3: a statement counts as prepared once the server has confirmed it.
"""

from collections import OrderedDict, deque
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NoReturn, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.adapt import PyFormat, Transformer
from psycopg.generators import fetch_many, send
from psycopg.pq import ConnStatus, ExecStatus
from psycopg.pq.abc import PGresult
from psycopg.rows import RowMaker

#: The use from which a statement is prepared, and the most prepared statements of a
#: connection.
PREPARED_FROM, MOST_PREPARED = 3, 200

#: The most statements that may await results before the results are fetched.
MOST_PENDING = 250

# The server drops all prepared statements, because it may not have all of them.
_FORGET = b"DEALLOCATE ALL"

_FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED)

Row = TypeVar("Row")

Key = tuple[bytes, tuple[int, ...]]


class Sent:
    """A statement that was sent, and its result once it is received."""

    __slots__ = ("key", "result")

    def __init__(self, key: Key | None = None) -> None:
        #: The key of the statement that this message prepares, or None.
        self.key = key
        self.result: PGresult | None = None


class Pipeline:
    """The statements of one connection that are sent together, from `open` to
    `close`."""

    def __init__(self, raw: psycopg.Connection[Any]) -> None:
        self._raw = raw
        self._pq = raw.pgconn
        self._values = Transformer(raw)
        self._pending: deque[Sent] = deque()
        #: The names of prepared statements, and the number of uses of others.
        self._names: OrderedDict[Key, bytes] = OrderedDict()
        self._uses: OrderedDict[Key, int] = OrderedDict()
        self._numbers = 0
        self._forgets = False

    def open(self) -> None:
        """Enter pipeline mode. Raises psycopg.Error."""
        self._pq.enter_pipeline_mode()
        if self._forgets:
            self._forget()
            # A transaction must not begin with this statement.
            self._pq.pipeline_sync()
            self._pending.append(Sent())

    def send(self, text: str, values: Sequence[Any]) -> Sent:
        """Queue a statement, which is sent when results are received next.

        Raises psycopg.Error and UnicodeError.
        """
        query, dumped, formats = text.encode(), None, None
        types: tuple[int, ...] = ()
        if values:
            dumped = self._values.dump_sequence(values, [PyFormat.AUTO] * len(values))
            types, formats = self._values.types or (), self._values.formats
        if len(self._pending) >= MOST_PENDING:
            self.receive()
        key = query, types
        if name := self._names.get(key) or self._prepare(key):
            self._pq.send_query_prepared(name, dumped, param_formats=formats)
        else:
            self._pq.send_query_params(
                query, dumped, param_types=types, param_formats=formats
            )
        sent = Sent()
        self._pending.append(sent)
        return sent

    @property
    def is_waiting(self) -> bool:
        """True if there are results to wait for."""
        return bool(self._pending)

    def receive(self) -> None:
        """Wait for all results. Raises the first error among them."""
        if self._pending:
            self._pq.send_flush_request()
            if failed := self._fetch():
                self._end()
                self._fail(failed)

    def close(self, *, failed: bool) -> None:
        """Wait for all results and leave pipeline mode.

        Raises the first error among the results. With `failed`, all errors are ignored.
        """
        try:
            error = self._end()
        except psycopg.Error:
            self._pending.clear()
            if not failed:
                raise
            return
        self._pq.exit_pipeline_mode()
        if failed or error:
            # The schema may have changed, in which case preparing again helps.
            self._forgets = True
        if error and not failed:
            self._fail(error)

    def rows(self, result: PGresult, make: RowMaker[Row]) -> list[Row]:
        """Return the rows of `result`. `make` builds each row from its values."""
        if result.status != ExecStatus.TUPLES_OK:
            raise psycopg.ProgrammingError("the statement returned no rows")
        self._values.set_pgresult(result)
        return self._values.load_rows(0, result.ntuples, make)

    def _prepare(self, key: Key) -> bytes | None:
        """Prepare a statement that is used often. Returns its name, or None for other
        statements."""
        uses = self._uses.pop(key, 0) + 1
        if uses < PREPARED_FROM:
            self._uses[key] = uses
            if len(self._uses) > MOST_PREPARED:
                self._uses.popitem(last=False)
            return None
        if len(self._names) >= MOST_PREPARED:
            # Frequently used statements soon return.
            self._forget()
        self._numbers += 1
        name = self._names[key] = f"s{self._numbers}".encode()
        self._pq.send_prepare(name, key[0], param_types=key[1])
        self._pending.append(Sent(key))
        return name

    def _forget(self) -> None:
        """Drop all prepared statements, so that they are prepared again."""
        self._forgets = False
        self._names.clear()
        self._pq.send_query_params(_FORGET, None)
        self._pending.append(Sent())

    def _end(self) -> PGresult | None:
        """Send a sync, and return the first result that is an error."""
        if self._pq.status == ConnStatus.BAD:
            raise psycopg.OperationalError("the connection is lost")
        self._pq.pipeline_sync()
        self._pending.append(Sent())
        return self._fetch()

    def _fetch(self) -> PGresult | None:
        found: PGresult | None = self._raw.wait(self._results())
        return found

    def _results(self) -> PQGen[PGresult | None]:
        yield from send(self._pq)
        failed: PGresult | None = None
        while self._pending:
            results = yield from fetch_many(self._pq)
            if not results:
                raise psycopg.OperationalError("the connection is lost")
            sent = self._pending.popleft()
            sent.result = result = results[-1]
            if result.status in _FAILED:
                failed = failed or result
                if sent.key:
                    self._names.pop(sent.key, None)
        return failed

    def _fail(self, result: PGresult) -> NoReturn:
        raise psycopg.errors.error_from_result(result, encoding="utf-8")


def names(result: PGresult) -> tuple[bytes, ...]:
    """Return the names of the columns of `result`."""
    return tuple(result.fname(n) or b"" for n in range(result.nfields))


@lru_cache(1_000)
def positions(columns: tuple[bytes, ...]) -> Mapping[str, int]:
    """Return the position of each column by its lower-case name.

    Of several columns with the same name, the first counts.
    """
    found: dict[str, int] = {}
    for position, column in enumerate(columns):
        found.setdefault(column.decode().lower(), position)
    return found


def row_count(result: PGresult) -> int:
    """Return the number of rows that a statement wrote or returned."""
    count = result.command_tuples
    return -1 if count is None else count
