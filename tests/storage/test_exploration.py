"""The copy for looking into the database: numbers and ids, and no word of anybody."""

import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest

from bot.cli.explore import QUERIES
from bot.domain.budget import NO_LIMITS
from bot.domain.completion import Usage
from bot.domain.scope import Scope
from bot.domain.setting import Change, Draft
from bot.domain.turn import Ended, Outcome
from bot.errors import ConfigError
from storage.exploration import COLUMNS, copy_numbers
from storage.opening import open_store
from tests.support.store_helpers import HERE, ask, said

WORD = "zanzibar"
#: 26 November 2026, noon.
NOON = 1_795_694_400.0


async def told(database: Path) -> None:
    """Have the word said in every way that is stored."""
    async with open_store(database, clock=lambda: NOON) as store:
        for number, cached in enumerate((0, 5_000, 0)):
            heard = said(f"m{number}", at=NOON, text=f"{WORD}?", files=())
            turn = await ask(store, heard, preface=WORD)
            await store.reserve(turn, "U1", 1.0, NO_LIMITS, NOON)
            usage = Usage(input=10, cache_read=cached, output=5)
            ended = Outcome(
                *(Ended.DONE, WORD, WORD, WORD),
                model="m",
                usage=usage,
                cost=0.5,
                first_text=NOON,
            )
            await store.finish_turn(turn, ended, NOON + number)
            await store.mark_delivered(turn, NOON + number)
        refused = await ask(store, said("m9", at=NOON + 10, text=WORD))
        outcome = Outcome(Ended.REFUSED, "", reason="refusal", model="m", cost=0.1)
        await store.finish_turn(refused, outcome, NOON + 10)
        await store.mark_delivered(refused, NOON + 10)
        place = Scope.of(HERE)
        changes = [
            Change(place, "prompt", WORD, versioned=True),
            Change(place, "stop_sequences", WORD),
        ]
        await store.change_settings(changes, who="U1", now=NOON)
        await store.save_draft(Draft(0, place, "prompt", WORD, "U1", NOON))


async def test_nothing_that_people_wrote_is_in_the_copy(tmp_path: Path) -> None:
    database, copy = tmp_path / "threadkeep.db", tmp_path / "copy" / "threadkeep.db"
    await told(database)
    copy.parent.mkdir()
    copy_numbers(database, copy)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o600
    assert WORD.encode() not in copy.read_bytes()
    assert [each.name for each in copy.parent.iterdir()] == [copy.name]
    with closing(sqlite3.connect(copy)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM pragma_table_list")}
        assert COLUMNS.keys() <= tables
        assert db.execute("SELECT count(*) FROM turns").fetchone() == (4,)
    with pytest.raises(FileExistsError):
        copy_numbers(database, copy)


async def test_every_ready_made_query_finds_something(tmp_path: Path) -> None:
    database, copy = tmp_path / "threadkeep.db", tmp_path / "numbers.db"
    await told(database)
    copy_numbers(database, copy)
    for path in (copy, database):
        with closing(sqlite3.connect(path)) as db:
            for _, _, query in QUERIES.values():
                assert db.execute(query).fetchall(), query


def test_without_a_database_nothing_is_made(tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    with pytest.raises(ConfigError):
        copy_numbers(tmp_path / "none.db", copy)
    assert not copy.exists()
