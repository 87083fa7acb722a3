"""Copies a database into another file, even while a process has the database open."""

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
    """Write a consistent copy of the database at `path` to the new file `to`.

    Returns the size of the copy in bytes. Only the owner has permissions for `to`. The
    copy contains no deleted data. Raises ConfigError for a database on a server, if
    there is no Threadkeep database at `path`, or if `to` exists or cannot be written.
    After an error, `to` is removed.
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
            # The empty file exists already, because SQLite would create a
            # world-readable one.
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
