"""A copy of the database for exploration, without the text that people wrote.

Rule: only columns listed here are copied. A column that a migration adds is left out
until somebody has decided that it contains only ids and numbers.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

from bot.runtime import private_files
from storage.database import open_beside
from storage.errors import refusal

_PLACE = "platform workspace channel thread"
_TOKENS = "input cache_write_5m cache_write_1h cache_read output"

#: The columns that contain ids, numbers, times and our own names, by table.
COLUMNS = {
    "threads": f"id {_PLACE} follows unread epoch reads_after created_at",
    "turns": f"""
        id thread_id key state ended attempts touched model stop_reason request_id
        {_TOKENS} cost asked_at created_at started_at first_text_at ended_at
        delivered_at reason prompt effort feedback
    """,
    "messages": """
        id thread_id message role author at addressed opens automated asks turn_id
        place edited_at deleted_at
    """,
    "replies": "turn_id part message",
    "charges": f"""
        id turn kind {_PLACE} person model at reserved {_TOKENS} searches fetches cost
        bounded ended_at
    """,
    "accounts": "platform workspace channel period spent reserved warned warned_of",
    "audit": f"id at {_PLACE} who action name",
    "settings": f"{_PLACE} name who at revision",
    "versions": f"id {_PLACE} name number who at",
    "refusals": f"{_PLACE} who name hour count at",
    "names": "platform workspace kind id name at",
    "receipts": """
        turn_id messages answers deleted before_reset declined history_failed missing
    """,
}

# Columns that get an index, for sorting and joins.
_INDEXES = {
    "turns": ("thread_id", "ended_at"),
    "messages": ("thread_id", "turn_id"),
    "charges": ("ended_at", "turn"),
}


def copy_numbers(database: Path, to: Path) -> None:
    """Write the listed columns of `database` into the new file `to`, as one consistent
    snapshot.

    Only the owner can read `to`. Another process may have the database open. Raises
    ConfigError if there is no Threadkeep database at `database`, and FileExistsError if
    `to` exists.
    """
    open_beside(database).close()
    handle = os.open(to, os.O_WRONLY | os.O_CREAT | os.O_EXCL, private_files.OWN)
    os.close(handle)
    try:
        with closing(sqlite3.connect(f"file:{quote(str(to))}", uri=True)) as db:
            source = f"file:{quote(str(database.absolute()))}?mode=ro"
            db.execute("ATTACH ? AS source", [source])
            with db:
                db.execute("BEGIN")
                for table, listed in COLUMNS.items():
                    _copy(db, table, listed.split())
    except sqlite3.Error as error:
        raise refusal(database, error) from error


def _copy(db: sqlite3.Connection, table: str, listed: list[str]) -> None:
    """Copy those of the `listed` columns that `table` has. An older database lacks
    some."""
    rows = db.execute(f"SELECT name FROM pragma_table_info('{table}', 'source')")
    known = {name for (name,) in rows}
    columns = ", ".join(f'"{name}"' for name in listed if name in known)
    if not columns:
        return
    db.execute(f"CREATE TABLE {table} AS SELECT {columns} FROM source.{table}")
    for name in _INDEXES.get(table, ()):
        if name in known:
            db.execute(f"CREATE INDEX idx_{table}_{name} ON {table} ({name})")
