"""Damage in a file that is in use."""

import asyncio
from contextlib import closing
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.errors import ConfigError
from storage import damage
from storage.damage import find_damage
from storage.database import SEARCHED_AT_ONCE, open_for_reading, open_for_writing
from tests.support.damaged import damage_large, make_large

# It ends only if it is interrupted.
ENDLESS = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers)
    SELECT count(*) FROM numbers
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "threadkeep.db"


async def test_a_large_file_is_opened_before_it_is_searched(path: Path) -> None:
    damage_large(path)
    with closing(open_for_writing(path, trusting=True)):
        found = await find_damage(path)
    assert "is damaged" in str(found)
    assert str(path) in str(found)
    # A caller that does not search afterwards has it searched before.
    with pytest.raises(ConfigError, match="is damaged"):
        open_for_writing(path)


async def test_a_sound_file_is_found_sound_while_it_is_written(path: Path) -> None:
    make_large(path)
    with closing(open_for_writing(path, trusting=True)) as db, db.atomic():
        db.execute("DELETE FROM replies WHERE part = 0")
        assert await find_damage(path) is None


def test_a_small_file_is_searched_at_once(path: Path) -> None:
    open_for_writing(path).close()
    whole = path.read_bytes()
    assert len(whole) < SEARCHED_AT_ONCE
    path.write_bytes(whole[: len(whole) // 2].ljust(len(whole), b"\xa5"))
    with pytest.raises(ConfigError, match="is damaged"):
        open_for_writing(path, trusting=True)


def test_a_large_file_is_searched_before_it_is_migrated(path: Path) -> None:
    damage_large(path)
    with closing(open_for_reading(path)) as db:
        db.execute("PRAGMA query_only = OFF")
        db.execute("DELETE FROM _sqlite_migrations WHERE name LIKE 'm035%'")
    with pytest.raises(ConfigError, match="is damaged"):
        open_for_writing(path, trusting=True)


async def test_a_search_ends_with_the_process(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_for_writing(path).close()
    loop, begun = asyncio.get_running_loop(), asyncio.Event()

    def never_ending(db: Database, path: Path) -> None:
        loop.call_soon_threadsafe(begun.set)
        db.execute(ENDLESS)

    monkeypatch.setattr(damage, "require_health", never_ending)
    search = asyncio.create_task(find_damage(path))
    await begun.wait()
    search.cancel()
    with pytest.raises(asyncio.CancelledError):
        await search
