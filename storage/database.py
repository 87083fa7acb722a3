"""Opens the database file: creates, checks and migrates it.

Rule: any problem with the file is a ConfigError of one sentence that names the file
and a remedy. No file is repaired or moved.
"""

import errno
import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.errors import ConfigError
from bot.messages import storage as messages
from storage.errors import damaged_error, refusal, translate
from storage.lock import require_unlocked
from storage.migrations import migrate, migrations
from storage.step_marks import keeps_out

# Timeout for a lock on the file that another program holds, such as an operator's
# shell or a backup, in seconds.
BUSY_SECONDS = 5.0

# The number of compiled statements that a connection caches. One question and its
# answer run about a hundred; Python's default of 128 leaves little room for others.
STATEMENTS = 256

# SQLite checkpoints the write-ahead log after this many pages of 4 KB. Its default, set
# explicitly because a build may have another.
CHECKPOINT_PAGES = 1_000

# The size to which a checkpoint truncates the write-ahead log, in bytes. Without a
# limit it keeps the largest size that a long read ever caused.
WAL_BYTES = 8 * 1024 * 1024

# Timeout for readers while the write-ahead log is emptied, in seconds. Writers wait
# during this time.
LOG_SECONDS = 0.1

# The size up to which a file is searched for damage at once, in bytes. The search takes
# hundredths of a second.
SEARCHED_AT_ONCE = 16 * 1024 * 1024


def make_directory(path: Path) -> None:
    """Create the directory of the database `path`, for its owner only."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            messages.no_directory(path=path.parent, reason=error.strerror)
        ) from error


def open_for_writing(
    path: Path, steps: Migrations = migrations, *, trusting: bool = False
) -> Database:
    """Open the database at `path`, check it and migrate it by `steps`; create it if it
    is missing.

    With `trusting`, a large file that needs no migration is opened without a search for
    damage, which `storage.damage` makes later. Raises ConfigError if the file cannot be
    used.
    """
    _create(path)
    db = _connect(path)
    with _closed_if_refused(db, path):
        # Before anything that would write to another program's file.
        _require_ours(db, path, steps)
        is_large = path.stat().st_size > SEARCHED_AT_ONCE
        if not (trusting and is_large) or steps.pending(db):
            require_health(db, path)
        _require_wal(db, path)
        _set_pragmas(db)
        _require_writable(db)
        migrate(db, steps)
    return db


def open_for_reading(path: Path) -> Database:
    """Open the database at `path` read-only.

    Call it after `open_for_writing`, which checks the file.
    """
    db = _connect(path)
    db.execute("PRAGMA query_only = ON")
    return db


def open_beside(path: Path, steps: Migrations = migrations) -> Database:
    """Open the database at `path` read-only, while another process may write to it.

    The database has the tables of `steps`. Raises ConfigError if the file does not
    exist or is not a Threadkeep database.
    """
    if not path.exists():
        raise ConfigError(messages.missing(path=path))
    db = open_for_reading(path)
    with _closed_if_refused(db, path):
        _require_ours(db, path, steps)
        if not db.table_names():
            # The first start was killed, or somebody else created the empty file.
            raise ConfigError(messages.no_tables(path=path))
    return db


def is_new(path: Path) -> bool:
    """Return whether the database at `path` does not exist or has no tables.

    Raises ConfigError if it is not a Threadkeep database.
    """
    if not path.exists():
        return True
    db = open_for_reading(path)
    with closing(db), _closed_if_refused(db, path):
        _require_ours(db, path)
        return not db.table_names()


def require_current(path: Path) -> None:
    """Raise ConfigError if an older version wrote the Threadkeep database at `path`."""
    with closing(open_beside(path)) as db:
        if migrations.pending(db):
            raise ConfigError(messages.outdated(path=path))


def look_at(path: Path) -> bool:
    """Return whether the database at `path`, or its tables, do not exist yet.

    Creates and changes nothing. Raises ConfigError if the database cannot be used as it
    is, and InUse if another process has it open.
    """
    if not path.exists():
        folder = path.resolve().parent
        if path.is_symlink() and not folder.exists():
            # Only the directory of the link itself is created at the start.
            reason = os.strerror(errno.ENOENT)
            raise ConfigError(messages.no_directory(path=folder, reason=reason))
        while not folder.exists():
            folder = folder.parent
        if not folder.is_dir():
            reason = os.strerror(errno.ENOTDIR)
            raise ConfigError(messages.no_directory(path=path.parent, reason=reason))
        if not os.access(folder, os.W_OK | os.X_OK):
            reason = os.strerror(errno.EACCES)
            raise ConfigError(messages.uncreatable(path=path, reason=reason))
        return True
    require_unlocked(path)
    # SQLite creates its log beside the database.
    if not os.access(path.resolve().parent, os.W_OK | os.X_OK):
        raise ConfigError(messages.unwritable(path=path))
    if not os.access(path, os.R_OK | os.W_OK):
        reason = os.strerror(errno.EACCES)
        raise ConfigError(messages.uncreatable(path=path, reason=reason))
    db = open_for_reading(path)
    with closing(db), _closed_if_refused(db, path):
        _require_ours(db, path)
        require_health(db, path)
        return not db.table_names()


def open_beside_to_write(path: Path) -> Database:
    """Open the database at `path` for writing while another process may have it open.

    Raises ConfigError if the database does not exist, is not a Threadkeep database, or
    is not up to date: only the process that holds the lock may migrate it.
    """
    open_beside(path).close()
    db = _connect(path)
    with _closed_if_refused(db, path):
        if migrations.pending(db):
            raise ConfigError(messages.outdated(path=path))
        _set_pragmas(db)
        db.execute("PRAGMA foreign_keys = ON")
        _require_writable(db)
    return db


def unknown(db: Database, steps: Migrations = migrations) -> list[str]:
    """Return the names of the migrations applied to `db` that `steps` lacks."""
    ours = {step.name for step in steps.pending(Database(memory=True))}
    applied = (migration.name for migration in steps.applied(db))
    return [name for name in applied if name not in ours]


def _set_pragmas(db: Database) -> None:
    """Set the pragmas of this connection that must not depend on the build of
    SQLite."""
    # A power cut loses no committed data. One group commit pays for the sync, so it is
    # cheap under load.
    db.execute("PRAGMA synchronous = FULL")
    # SQLite overwrites deleted data.
    db.execute("PRAGMA secure_delete = ON")
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")


def empty_log(path: Path) -> None:
    """Checkpoint and truncate the write-ahead log of the database at `path`.

    The log would otherwise contain deleted data until it is overwritten. Does nothing
    while another connection reads. Raises StorageError.
    """
    db = _connect(path)
    try:
        # While the checkpoint waits for readers, nobody can write.
        db.execute(f"PRAGMA busy_timeout = {int(LOG_SECONDS * 1000)}")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise translate(error) from error
    finally:
        db.close()


@contextmanager
def _closed_if_refused(db: Database, path: Path) -> Iterator[None]:
    try:
        yield
    except sqlite3.Error as error:
        db.close()
        raise refusal(path, error) from error
    except BaseException:
        db.close()
        raise


def _create(path: Path) -> None:
    try:
        # A file that SQLite creates is world-readable. O_EXCL: an existing file must
        # not be opened here, because closing it would drop SQLite's locks on it.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(
            messages.uncreatable(path=path, reason=error.strerror)
        ) from error


def _connect(path: Path) -> Database:
    try:
        connection = sqlite3.connect(
            path,
            timeout=BUSY_SECONDS,
            # No implicit transactions.
            isolation_level=None,
            # The connection is created here and used by one other thread.
            check_same_thread=False,
            cached_statements=STATEMENTS,
        )
    except sqlite3.Error as error:
        raise refusal(path, error) from error
    connection.row_factory = sqlite3.Row
    # Invalid UTF-8 in a row would make every read of that row fail.
    connection.text_factory = _text
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _require_ours(db: Database, path: Path, steps: Migrations = migrations) -> None:
    if db.table_names() and not steps.applied(db):
        raise ConfigError(messages.foreign(path=path))
    if newer := keeps_out(unknown(db, steps)):
        raise ConfigError(messages.newer(path=path, version=newer))


def require_health(db: Database, path: Path) -> None:
    """Search the whole database at `path` for damage. Raises ConfigError if any is
    found."""
    finding = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise damaged_error(path, finding)


def _require_wal(db: Database, path: Path) -> None:
    # If several connections switch a new file at once, SQLite rejects some without
    # waiting for the busy timeout, to avoid a deadlock.
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
    if mode != "wal":
        raise ConfigError(messages.no_shared_memory(path=path))


def _require_writable(db: Database) -> None:
    # In a read-only file even BEGIN IMMEDIATE succeeds: only a write fails. This one
    # changes nothing, as user_version is unused.
    db.execute("PRAGMA user_version = 0")
