"""Opens a database on a PostgreSQL server: connects, checks it, and creates its tables.

Rule: any problem is a ConfigError of one sentence that names the database, never with
its password, and a remedy.
"""

import re
from collections.abc import Iterator
from contextlib import closing, contextmanager

import psycopg
from psycopg import errors
from psycopg.conninfo import conninfo_to_dict

from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError
from bot.messages import postgres as messages
from storage import search_index
from storage.engine import schema as engine_schema
from storage.postgres import schema
from storage.postgres.connection import Connection, name_of
from storage.postgres.errors import code, is_lost, translate
from storage.postgres.lock_numbers import RUNNING
from storage.postgres.locks import locked
from storage.postgres.pool import Pool

#: The oldest supported major version. The engine needs features that older ones lack.
OLDEST = 15

# Time that a starting process waits for the end of a move, in seconds.
_MOVE_SECONDS = 1.0


@contextmanager
def open_pool(address: ServerAddress, process: str = "") -> Iterator[Pool]:
    """Yield the pool of `process` for the database at `address`.

    The tables are created or brought up to date. Raises ConfigError if the database
    cannot be used.
    """
    with closing(connect(address)) as db:
        with refusals(address):
            require_own_session(db, address)
            schema.apply(db)
            engine_schema.apply(db)
        with locked(db, RUNNING, _MOVE_SECONDS, shared=True) as alone:
            if not alone:
                raise ConfigError(messages.moving(address=address))
            with closing(pool_of(address, process)) as pool:
                yield pool


@contextmanager
def open_pool_beside(address: ServerAddress) -> Iterator[Pool]:
    """Yield a pool for the database at `address`, which must be up to date.

    Raises ConfigError if it is not up to date or cannot be used.
    """
    with closing(connect(address)) as db, refusals(address):
        if left := schema.pending(db):
            is_new = len(left) == len(schema.STEPS)
            text = messages.missing if is_new else messages.outdated
            raise ConfigError(text(address=address))
    with closing(pool_of(address)) as pool:
        yield pool


def look_at(address: ServerAddress) -> bool:
    """Return whether the database at `address` has no tables yet.

    Changes nothing. Raises ConfigError if the database cannot be used as it is.
    """
    with closing(connect(address)) as db, refusals(address):
        require_own_session(db, address)
        left = schema.pending(db)
        if left:
            schema.require_right_to_create(db)
        return len(left) == len(schema.STEPS)


def connect(address: ServerAddress) -> Connection:
    """Return a connection to the database at `address`. Raises ConfigError if the
    database cannot be used."""
    try:
        conninfo_to_dict(address.url)
    except psycopg.ProgrammingError:
        # The error quotes the address.
        raise ConfigError(messages.NO_ADDRESS) from None
    try:
        db = Connection(address.url)
    except psycopg.OperationalError as error:
        raise _refusal(address, error) from None
    try:
        _require_usable(db, address)
    except BaseException:
        db.close()
        raise
    return db


@contextmanager
def refusals(address: ServerAddress) -> Iterator[None]:
    """Raise ConfigError for statements in the block that the server refuses."""
    try:
        yield
    except psycopg.Error as error:
        raise _refusal(address, error) from None


def pool_of(address: ServerAddress, process: str = "") -> Pool:
    """Return the pool of `process` for the database at `address`."""
    named = {"application_name": name_of(process)} if process else {}
    return Pool(
        lambda: Connection(address.url, **named),
        search_index.settle_removed,
        search_index.fill,
    )


def _require_usable(db: Connection, address: ServerAddress) -> None:
    info = db.raw.info
    if info.server_version // 10_000 < OLDEST:
        found = info.server_version // 10_000
        raise ConfigError(
            messages.too_old(address=address, version=found, oldest=OLDEST)
        )
    encoding = info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise ConfigError(messages.not_unicode(address=address, encoding=encoding))
    if info.parameter_status("in_hot_standby") == "on":
        raise ConfigError(messages.read_only(address=address))
    # Some hosting providers set this when the disk is nearly full.
    if info.parameter_status("default_transaction_read_only") == "on":
        raise ConfigError(messages.writes_switched_off(address=address))


def require_own_session(db: Connection, address: ServerAddress) -> None:
    """Raise ConfigError if a pooler does not keep sessions apart.

    A pooler in transaction mode may give two connections the same server process.
    Session locks and LISTEN are then lost.
    """
    [(pid,)] = db.execute("SELECT pg_backend_pid()").fetchall()
    if pid == db.raw.info.backend_pid:
        # There is no pooler.
        return
    with closing(connect(address)) as other:
        # The server's own process ids, whatever a pooler reports.
        ours, theirs = (
            each.execute("SELECT pg_backend_pid()").fetchone() for each in (db, other)
        )
    if ours == theirs:
        raise ConfigError(messages.shared_sessions(address=address))


# The severity before a server's message, which may be in any language.
_SEVERITY = re.compile(r": {1,2}[^\s:]{1,30} ?:  ")


def _refusal(address: ServerAddress, error: psycopg.Error) -> ConfigError:
    """Return the error for a failed connection, or for a refused first statement."""
    if isinstance(error, errors.InsufficientPrivilege):
        return ConfigError(messages.not_the_owner(address=address))
    if error.sqlstate and not is_lost(error):
        problem = translate(error)
        return ConfigError(messages.failed(address=address, problem=problem))
    # psycopg knows no code without a connection; the server's message is in the text.
    text = str(error)
    name = conninfo_to_dict(address.url).get("dbname", "")
    if isinstance(error, errors.ConnectionTimeout):
        return ConfigError(messages.unreachable(address=address))
    if "password authentication failed" in text or "no password supplied" in text:
        return ConfigError(messages.wrong_password(address=address))
    if f'database "{name}" does not exist' in text:
        return ConfigError(messages.no_database(address=address))
    if "does not exist" in text and "role" in text:
        return ConfigError(messages.wrong_password(address=address))
    if (
        "too many clients" in text
        or "connection slots" in text
        or "too many connections" in text
    ):
        return ConfigError(messages.no_slots(address=address))
    if "no pg_hba.conf entry" in text:
        return ConfigError(messages.not_let_in(address=address))
    if "starting up" in text or "shutting down" in text or "recovery" in text:
        return ConfigError(messages.starting(address=address))
    if "FATAL" in text or _SEVERITY.search(text):
        return ConfigError(messages.refused(address=address, code=code(error)))
    return ConfigError(messages.unreachable(address=address))
