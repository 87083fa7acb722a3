"""The lock beside the database."""

import stat
from pathlib import Path

import pytest

from bot.errors import ConfigError
from storage.lock import locked


def test_only_one_has_a_database_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "threadkeep.db"
    with locked(path), pytest.raises(ConfigError, match="Another threadkeep"):
        locked(path).__enter__()
    with locked(path):
        pass


def test_two_names_of_one_database_are_one(tmp_path: Path) -> None:
    path, link = tmp_path / "threadkeep.db", tmp_path / "link.db"
    path.touch()
    link.symlink_to(path)
    with locked(path), pytest.raises(ConfigError, match="Another threadkeep"):
        locked(link).__enter__()


def test_two_databases_are_two(tmp_path: Path) -> None:
    with locked(tmp_path / "a.db"), locked(tmp_path / "b.db"):
        pass


def test_the_database_itself_is_not_touched(tmp_path: Path) -> None:
    with locked(tmp_path / "threadkeep.db"):
        (lock,) = tmp_path.iterdir()
    assert lock.name == "threadkeep.db.lock"
    assert stat.S_IMODE(lock.stat().st_mode) == 0o600


def test_a_lock_that_cannot_be_made_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"db\.lock cannot be written .*THREADKEEP"):
        locked(tmp_path / "missing" / "threadkeep.db").__enter__()
