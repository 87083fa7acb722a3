"""Opens the database file: makes it, checks it, brings its tables up to date.

Rule: whatever is wrong with the file is a ConfigError of one sentence that names
the file and says what to do. Nothing is repaired and nothing is moved aside.
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlite_utils import Database, Migrations

from bot.errors import ConfigError
from storage.errors import damaged, refusal, translated
from storage.migrations import migrate, migrations

# How long a statement waits for a lock that another program holds on the file,
# such as an operator's shell or a backup.
BUSY_SECONDS = 5.0

# After how many pages of 4 KB SQLite moves what is in the write-ahead log to the
# database: its own number, said so that a build cannot choose another.
CHECKPOINT_PAGES = 1_000

# The most bytes of the write-ahead log that stay on the disk once all of it was moved.
# Without a limit it keeps the largest size that a long reader ever made it take.
WAL_BYTES = 8 * 1024 * 1024


# How long emptying the log waits for those who read. Who writes waits with it.
LOG_SECONDS = 0.1


def make_directory(path: Path) -> None:
    """Make the directory of the database `path`, for its owner only, if it is new."""
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigError(
            f"{path.parent} cannot be made a directory ({error.strerror}); make it "
            "one, or set THREADKEEP_DB to another file."
        ) from error


def open_for_writing(path: Path, steps: Migrations = migrations) -> Database:
    """Open the database at `path`, whole and up to date; create it if it is new. Its
    tables are those that `steps` make.

    Raises ConfigError when that cannot be done.
    """
    _create(path)
    db = _connect(path)
    with _closed_if_refused(db, path):
        # Whose file it is comes before anything that would write to it.
        _require_ours(db, path, steps)
        _require_health(db, path)
        _require_wal(db, path)
        _set_pragmas(db)
        _require_writable(db)
        migrate(db, steps)
    return db


def open_for_reading(path: Path) -> Database:
    """Open the database at `path` a second time; nothing can be written through it.

    To be called after `open_for_writing`, which looks at what it is.
    """
    db = _connect(path)
    db.execute("PRAGMA query_only = ON")
    return db


def open_beside(path: Path, steps: Migrations = migrations) -> Database:
    """Open the database at `path`, of the tables that `steps` make, to read it,
    whoever else writes to it.

    Raises ConfigError when it is not there, or not one of ours.
    """
    if not path.exists():
        raise ConfigError(f"{path} is not there yet; nothing was said so far.")
    db = open_for_reading(path)
    with _closed_if_refused(db, path):
        _require_ours(db, path, steps)
    return db


def open_beside_to_write(path: Path) -> Database:
    """Open the database at `path` to write to it beside whoever has it.

    Raises ConfigError when it is not there, not one of ours, or not up to date: only
    whoever has it for itself may change its tables.
    """
    open_beside(path).close()
    db = _connect(path)
    with _closed_if_refused(db, path):
        if migrations.pending(db):
            raise ConfigError(
                f"{path} was written by an older threadkeep; start this one once to "
                "bring it up to date."
            )
        _set_pragmas(db)
        db.execute("PRAGMA foreign_keys = ON")
        _require_writable(db)
    return db


def unknown(db: Database, steps: Migrations = migrations) -> list[str]:
    """Names of the migrations that `db` has been through and that `steps` lacks."""
    ours = {step.name for step in steps.pending(Database(memory=True))}
    applied = (migration.name for migration in steps.applied(db))
    return [name for name in applied if name not in ours]


def _set_pragmas(db: Database) -> None:
    """Say what must not depend on how SQLite was built, for this connection."""
    # A power cut loses nothing that was committed. A group commit pays for it
    # once for all who wait, so it costs nothing under load.
    db.execute("PRAGMA synchronous = FULL")
    # What people deleted is overwritten, and not only forgotten.
    db.execute("PRAGMA secure_delete = ON")
    db.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    db.execute(f"PRAGMA journal_size_limit = {WAL_BYTES}")


def empty_log(path: Path) -> None:
    """Write the log of the database at `path` into it and empty the log, in which what
    was deleted would else stand until new entries cover it.

    Leaves it to the next time while somebody reads. Raises StorageError.
    """
    db = _connect(path)
    try:
        # While it waits for readers nobody else can write.
        db.execute(f"PRAGMA busy_timeout = {int(LOG_SECONDS * 1000)}")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error as error:
        raise translated(error) from error
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
        # SQLite would let others read it. O_EXCL, so that a file which is there
        # is never opened here: closing it would drop SQLite's locks on it.
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        pass
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be created ({error.strerror}); make its directory "
            "writable, or set THREADKEEP_DB to another file."
        ) from error


def _connect(path: Path) -> Database:
    try:
        connection = sqlite3.connect(
            path,
            timeout=BUSY_SECONDS,
            # Transactions begin where we say so and nowhere else.
            isolation_level=None,
            # It is made here and then belongs to one other thread.
            check_same_thread=False,
        )
    except sqlite3.Error as error:
        raise refusal(path, error) from error
    connection.row_factory = sqlite3.Row
    # Half a character in a row would else make every read of that row fail.
    connection.text_factory = _text
    return Database(connection, recursive_triggers=False, execute_plugins=False)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _require_ours(db: Database, path: Path, steps: Migrations = migrations) -> None:
    if db.table_names() and not steps.applied(db):
        raise ConfigError(
            f"{path} is the database of another program; set THREADKEEP_DB to "
            "another file."
        )
    if newer := unknown(db, steps):
        raise ConfigError(
            f"{path} was written by a newer threadkeep ({newer[-1]}); install that "
            "version, or set THREADKEEP_DB to another file."
        )


def _require_health(db: Database, path: Path) -> None:
    finding = db.execute("PRAGMA quick_check(1)").fetchone()[0]
    if finding != "ok":
        raise damaged(path, finding)


def _require_wal(db: Database, path: Path) -> None:
    # Of those who switch a new file at once SQLite refuses some without letting them
    # wait as it should: they would wait for each other.
    patience = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = db.execute("PRAGMA journal_mode = WAL").fetchone()[0]
            break
        except sqlite3.OperationalError as error:
            busy = error.sqlite_errorcode == sqlite3.SQLITE_BUSY
            if not busy or time.monotonic() > patience:
                raise
            time.sleep(0.05)
    if mode != "wal":
        raise ConfigError(
            f"{path} is on a disk that SQLite cannot share memory on; set "
            "THREADKEEP_DB to a file on a local disk."
        )


def _require_writable(db: Database) -> None:
    # In a read-only file even BEGIN IMMEDIATE succeeds; only a write tells. This
    # one changes nothing, as nothing here uses that number.
    db.execute("PRAGMA user_version = 0")
