"""Opening a database: modes and settings of the file, and refusals."""

import asyncio
import os
import shutil
import sqlite3
import stat
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.errors import ConfigError
from storage.beside import read_spending, read_tokens
from storage.database import (
    WAL_BYTES,
    make_directory,
    open_for_reading,
    open_for_writing,
)
from storage.reading import is_new, look_at, reading


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "threadkeep.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def pragma(db: Database, name: str) -> object:
    return db.execute(f"PRAGMA {name}").fetchone()[0]


def refused(path: Path) -> str:
    """Return the refusal of `path`, which is one sentence that names the file."""
    with pytest.raises(ConfigError) as refusal:
        open_for_writing(path)
    message = str(refusal.value)
    assert str(path) in message
    assert message.endswith("THREADKEEP_DB to another file.")
    assert "\n" not in message
    return message


def test_only_the_owner_may_look(tmp_path: Path) -> None:
    path = tmp_path / "new" / "data" / "threadkeep.db"
    make_directory(path)
    db = open_for_writing(path)
    assert mode(path.parent) == 0o700
    assert mode(path) == 0o600
    assert mode(path.with_name("threadkeep.db-wal")) == 0o600
    db.close()


def test_a_file_and_a_directory_that_are_there_keep_their_modes(path: Path) -> None:
    path.parent.chmod(0o755)
    # The command line narrows the process's umask, and may have run here before.
    path.touch()
    path.chmod(0o640)
    make_directory(path)
    open_for_writing(path).close()
    assert mode(path.parent) == 0o755
    assert mode(path) == 0o640


def test_connections_are_set_up_to_keep_what_they_promise(path: Path) -> None:
    db = open_for_writing(path)
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "synchronous") == 2
    assert pragma(db, "secure_delete") == 1
    assert pragma(db, "wal_autocheckpoint") == 1_000
    assert pragma(db, "journal_size_limit") == WAL_BYTES
    assert pragma(db, "foreign_keys") == 1
    assert pragma(db, "busy_timeout") == 5000
    db.close()


def test_nothing_is_written_through_the_connection_for_reading(path: Path) -> None:
    writer, reader = open_for_writing(path), open_for_reading(path)
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        reader.execute("DELETE FROM threads")
    reader.close()
    writer.close()


def test_an_empty_file_becomes_a_database(path: Path) -> None:
    path.touch()
    open_for_writing(path).close()
    assert path.stat().st_size > 0


def test_a_file_without_tables_has_nothing_to_read(path: Path) -> None:
    path.touch()
    assert is_new(path)
    assert look_at(path)
    with pytest.raises(ConfigError, match="has no tables yet"), reading(path):
        pass
    assert asyncio.run(read_tokens(path)) == []
    assert path.read_bytes() == b""


async def test_what_an_older_version_did_not_store_is_not_read(path: Path) -> None:
    shutil.copy(Path(__file__).parents[1] / "data" / "threadkeep-first.db", path)
    with pytest.raises(ConfigError, match="written by an older threadkeep"):
        await read_spending(path, since=0.0)


def test_what_is_not_a_database_is_left_alone(path: Path) -> None:
    path.write_text("Dear diary, " * 1000)
    assert "is not a database; move it away" in refused(path)
    assert path.read_text() == "Dear diary, " * 1000
    assert list(path.parent.iterdir()) == [path]


def test_a_damaged_database_is_left_alone(path: Path) -> None:
    db = open_for_writing(path)
    rows = ({"turn_id": n, "part": 0, "text": "x" * 900} for n in range(100))
    db.execute("PRAGMA foreign_keys = OFF")
    db.table("replies").insert_all(rows)
    db.close()
    whole = path.read_bytes()
    damaged = whole[: len(whole) // 2].ljust(len(whole), b"\xa5")
    path.write_bytes(damaged)
    assert "is damaged" in refused(path)
    assert "restore it from a backup" in refused(path)
    assert path.read_bytes() == damaged


def test_the_database_of_another_program_is_left_alone(path: Path) -> None:
    with Database(path) as other:
        other.table("cats").insert({"name": "Cleo"})
    before = path.read_bytes()
    assert "is the database of another program" in refused(path)
    assert path.read_bytes() == before


def migrated_later(path: Path, name: str) -> None:
    with open_for_writing(path) as db:
        db.table("_sqlite_migrations").insert(
            {"migration_set": "threadkeep", "name": name, "applied_at": "soon"}
        )


def test_a_database_that_a_newer_version_has_broken_with_is_left_alone(
    path: Path,
) -> None:
    migrated_later(path, "m999_telepathy_breaking")
    before = path.read_bytes()
    assert "newer threadkeep (m999_telepathy_breaking); upgrade" in refused(path)
    assert path.read_bytes() == before


def test_a_database_to_which_a_newer_version_has_added_is_used(path: Path) -> None:
    migrated_later(path, "m999_telepathy")
    open_for_writing(path).close()


def test_a_directory_is_not_a_database(path: Path) -> None:
    path.mkdir()
    assert "is a directory" in refused(path)


def test_a_directory_below_a_file_cannot_be_made(path: Path) -> None:
    path.touch()
    with pytest.raises(ConfigError, match=f"{path} cannot be created"):
        make_directory(path / "threadkeep.db")


def test_a_missing_directory_is_named(tmp_path: Path) -> None:
    assert "cannot be created" in refused(tmp_path / "missing" / "threadkeep.db")


def test_a_check_refuses_what_a_start_refuses(path: Path) -> None:
    path.symlink_to("missing/threadkeep.db")
    assert "cannot be written" in refused(path)
    with pytest.raises(ConfigError, match=r"The directory .*missing cannot be created"):
        look_at(path)
    path.unlink()
    open_for_writing(path).close()
    lock = path.with_name(path.name + ".lock")
    lock.mkdir()
    with pytest.raises(ConfigError, match="lock cannot be written"):
        look_at(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_directory_is_named(path: Path) -> None:
    path.parent.chmod(0o500)
    assert "make its directory writable" in refused(path)
    path.parent.chmod(0o700)
    open_for_writing(path).close()
    path.parent.chmod(0o500)
    with pytest.raises(ConfigError, match="make it and its directory writable"):
        look_at(path)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anything")
def test_a_read_only_file_is_named(path: Path) -> None:
    open_for_writing(path).close()
    path.chmod(0o400)
    assert "cannot be written" in refused(path)
