"""Copies a database into another file, whole, whoever has it open."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bot.errors import ConfigError
from storage.database import open_beside


def back_up(path: Path, to: Path) -> int:
    """Write the database at `path` as it is at one moment to the new file `to`, which
    only its owner can read; return its size in bytes.

    What was deleted is in no page of the copy. Raises ConfigError when there is no
    database of ours at `path`, or `to` is there already or cannot be written; then
    nothing is left of it.
    """
    with closing(open_beside(path)) as db:
        # The connection only reads this database, and it makes another.
        db.execute("PRAGMA query_only = OFF")
        try:
            os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise ConfigError(
                f"{to} is there already; choose another name, or remove it."
            ) from None
        except OSError as error:
            raise ConfigError(f"{to} cannot be written: {error.strerror}.") from None
        try:
            # Into a file that is there and empty: SQLite would let others read one
            # that it makes.
            db.execute("VACUUM INTO ?", [str(to)])
            return to.stat().st_size
        except (sqlite3.Error, OSError):
            with suppress(OSError):
                to.unlink()
            raise ConfigError(
                f"{to} could not be written whole, and was removed: make room, or "
                "choose another disk."
            ) from None
        except BaseException:
            with suppress(OSError):
                to.unlink()
            raise
