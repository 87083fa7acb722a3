"""Copies a database into another file, also while a process has it open."""

import os
import sqlite3
from contextlib import closing, suppress
from pathlib import Path

from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError
from bot.messages import postgres
from bot.messages import storage as messages
from storage.database import open_beside


def back_up(path: Path | ServerAddress, to: Path) -> int:
    """Write a consistent copy of the database at `path` to the new file `to`, with
    permissions for its owner only; return its size in bytes.

    The copy contains no deleted data. Raises ConfigError for a database on a server, if
    there is none of ours at `path`, or if `to` exists or cannot be written; then no
    part of it remains.
    """
    if isinstance(path, ServerAddress):
        raise ConfigError(postgres.backup_by_server(address=path))
    with closing(open_beside(path)) as db:
        # VACUUM INTO counts as a write, though it only reads this database.
        db.execute("PRAGMA query_only = OFF")
        try:
            os.close(os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        except FileExistsError:
            raise ConfigError(messages.backup_exists(path=to)) from None
        except OSError as error:
            raise ConfigError(
                messages.backup_unwritable(path=to, reason=error.strerror)
            ) from None
        try:
            # Into an existing empty file: one that SQLite creates is world-readable.
            db.execute("VACUUM INTO ?", [str(to)])
            return to.stat().st_size
        except (sqlite3.Error, OSError):
            with suppress(OSError):
                to.unlink()
            raise ConfigError(messages.backup_cut(path=to)) from None
        except BaseException:
            with suppress(OSError):
                to.unlink()
            raise
