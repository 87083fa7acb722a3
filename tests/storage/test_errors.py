"""SQLite's errors are translated."""

import sqlite3
from pathlib import Path

import pytest

from bot.errors import StorageBroken, StorageError, StorageFull
from storage.errors import refusal, translate


def error(name: str) -> sqlite3.Error:
    met = sqlite3.OperationalError("it went wrong")
    met.sqlite_errorname = name
    return met


ADVICE = {
    StorageFull: "the disk of the database is full: make room; nothing is lost",
    StorageBroken: "the database is damaged: restore it from a backup",
    StorageError: "the database refused",
}


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("SQLITE_FULL", StorageFull),
        ("SQLITE_IOERR_WRITE", StorageFull),
        ("SQLITE_IOERR_FSYNC", StorageFull),
        ("SQLITE_IOERR_READ", StorageError),
        ("SQLITE_NOTADB", StorageBroken),
        ("SQLITE_CORRUPT", StorageBroken),
        ("SQLITE_CORRUPT_INDEX", StorageBroken),
        ("SQLITE_BUSY", StorageError),
        ("SQLITE_READONLY_DBMOVED", StorageError),
    ],
)
def test_errors_are_told_apart_by_name(name: str, kind: type[StorageError]) -> None:
    met = error(name)
    translation = translate(met)
    assert type(translation) is kind
    assert str(translation) == f"{ADVICE[kind]} ({name}: it went wrong)"
    assert translation.__cause__ is met


def test_an_error_of_pythons_own_is_translated_too() -> None:
    met = sqlite3.ProgrammingError("Cannot operate on a closed database.")
    assert type(translate(met)) is StorageError


@pytest.mark.parametrize(
    ("name", "advice"),
    [
        ("SQLITE_FULL", "no room on the disk of a.db; make some"),
        ("SQLITE_BUSY", "Another program is writing to a.db; stop it first"),
        ("SQLITE_READONLY_DIRECTORY", "a.db cannot be written; make it"),
        ("SQLITE_CANTOPEN", "a.db cannot be written; make it"),
        ("SQLITE_PROTOCOL", r"a.db cannot be opened \(SQLITE_PROTOCOL: it went"),
    ],
)
def test_a_refusal_says_what_to_do(name: str, advice: str) -> None:
    assert refusal(Path("a.db"), error(name)).args
    with pytest.raises(Exception, match=advice):
        raise refusal(Path("a.db"), error(name))
