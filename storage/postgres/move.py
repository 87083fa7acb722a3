"""Moves all data from a SQLite file to a PostgreSQL database, or back.

Rule 1: no process runs during a move. A file has a lock for this. On PostgreSQL it is
the lock RUNNING, which every running process holds shared.
Rule 2: the source is not changed. No process can start on the target until it is
complete and verified.
Rule 3: memory is bounded by one batch, however large a table is.
"""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import psycopg

from bot.domain.server_address import SCHEMES, ServerAddress
from bot.errors import ConfigError, StorageError
from bot.messages import move as messages
from storage import errors, lock
from storage.database import open_beside, open_for_writing, unknown
from storage.migrations import migrations
from storage.postgres import schema
from storage.postgres.errors import translate
from storage.postgres.lock_numbers import PROCESSES, RUNNING
from storage.postgres.locks import locked
from storage.postgres.move_ends import File, Server, Source, Target, put_in_place
from storage.postgres.move_tables import Table, sum_rows, tables
from storage.postgres.opening import connect, refusals, require_own_session

# A batch is complete at this many rows, or this many characters and bytes.
BATCH_ROWS = 5_000
BATCH_SIZE = 8 * 1024 * 1024

# Time to wait for those who inspect the database, in seconds.
_WAIT = 0.5

_PROCESSES = f"""
    SELECT 1 FROM pg_locks JOIN pg_database ON pg_database.oid = database
    WHERE locktype = 'advisory' AND granted AND classid = {PROCESSES}
      AND datname = current_database()
"""

#: Called with the name of each verified table and its number of rows.
Tell = Callable[[str, int], None]


def move(source: str, target: str, tell: Tell) -> int:
    """Move all data from `source` to `target`, one a file and the other an address;
    return the number of rows.

    Continues an interrupted move. Raises ConfigError if the move is impossible.
    """
    if is_address(source) == is_address(target):
        raise ConfigError(messages.ONE_OF_EACH)
    try:
        if is_address(target):
            return _to_server(Path(source), target, tell)
        return _to_file(source, Path(target), tell)
    except (psycopg.Error, StorageError) as error:
        reason = translate(error)
    except sqlite3.Error as error:
        reason = errors.translate(error)
    raise ConfigError(messages.interrupted(reason=reason))


def is_address(text: str) -> bool:
    """Return whether `text` is the address of a PostgreSQL database."""
    return text.startswith(SCHEMES)


def _to_server(path: Path, address: str, tell: Tell) -> int:
    with ExitStack() as stack:
        db = stack.enter_context(closing(open_beside(path)))
        stack.enter_context(lock.locked(path))
        _require_current(path, [each.name for each in migrations.pending(db)])
        if newer := unknown(db):
            raise ConfigError(messages.newer(name=path, version=newer[-1]))
        server = stack.enter_context(_server(address, as_target=True))
        name, all_tables = server.name, tables()
        source, _ = server.progress()
        if source is None and not server.is_empty(all_tables):
            raise ConfigError(messages.not_empty(name=name))
        return _move(str(path.resolve()), File(db), server, name, all_tables, tell)


def _to_file(address: str, path: Path, tell: Tell) -> int:
    made = path.with_name(f"{path.name}.moving")
    with ExitStack() as stack:
        server = stack.enter_context(_server(address, as_target=False))
        if path.exists():
            raise ConfigError(messages.not_empty(name=path))
        stack.enter_context(lock.locked(path))
        with closing(open_for_writing(made)) as db:
            # A killed move continues later. Data lost in a power failure is moved
            # again.
            db.execute("PRAGMA synchronous = NORMAL")
            file = File(db)
            rows = _move(server.name, server, file, str(path), tables(), tell)
        put_in_place(made, path)
    return rows


def _move(
    name: str,
    source: Source,
    target: Target,
    target_name: str,
    all_tables: Sequence[Table],
    tell: Tell,
) -> int:
    """Move the rows of `all_tables`, verify them and finish. Returns the number of
    rows."""
    begun, far = target.progress()
    if begun is None:
        target.begin(name)
    elif begun != name:
        raise ConfigError(messages.another(name=target_name, source=begun))
    for table in all_tables:
        behind = far.get(table.name, [])
        if behind is not None:
            _copy(source, target, table, behind)
    total = 0
    for table in all_tables:
        arrived = sum_rows(table, target.rows(table))
        if sum_rows(table, source.rows(table)) != arrived:
            target.clear(all_tables)
            raise ConfigError(messages.differs(table=table.name))
        tell(table.name, arrived.rows)
        total += arrived.rows
    target.finish(all_tables)
    return total


def _copy(
    source: Source, target: Target, table: Table, behind: Sequence[object]
) -> None:
    batch = []
    size = 0
    for row in source.rows(table, behind):
        batch.append(row)
        for each in row:
            if isinstance(each, str | bytes):
                size += len(each)
        if len(batch) >= BATCH_ROWS or size >= BATCH_SIZE:
            target.add(table, batch, is_last=False)
            batch, size = [], 0
    target.add(table, batch, is_last=True)


def _require_current(name: object, pending: Sequence[str]) -> None:
    if pending:
        raise ConfigError(messages.older(name=name))


@contextmanager
def _server(address: str, *, as_target: bool) -> Iterator[Server]:
    """Connect to the database at `address`, excluding all other processes."""
    with ExitStack() as stack:
        at = ServerAddress(address)
        db = stack.enter_context(closing(connect(at)))
        require_own_session(db, at)
        rows = psycopg.connect(address, autocommit=True, client_encoding="UTF8")
        stack.enter_context(closing(rows))
        name = str(at)
        alone = stack.enter_context(locked(db, RUNNING, _WAIT))
        # A process whose connections broke no longer holds RUNNING, but may hold this
        # lock again.
        if not alone or db.execute(_PROCESSES).fetchone():
            raise ConfigError(messages.running(name=name))
        with refusals(at):
            if as_target:
                schema.apply(db, moving=True)
            else:
                _require_current(name, schema.pending(db))
        if newer := schema.unknown(db):
            raise ConfigError(messages.newer(name=name, version=newer[-1]))
        yield Server(rows, name)
