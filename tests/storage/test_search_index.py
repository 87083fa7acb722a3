"""The index of words: what was stored before it, and what leaves it."""

from functools import partial
from pathlib import Path

from sqlite_utils import Database

from bot.domain.retention import DAY, KEPT, Retention
from bot.domain.scope import Scope, ScopeLevel
from bot.text.words import terms
from storage.opening import open_store
from tests.security.remains import in_files, in_tables
from tests.support.store_helpers import HERE, exchange, said

CHANNEL = Scope.of(HERE).at(ScopeLevel.CHANNEL)


def _execute(statement: str, db: Database) -> None:
    db.conn.execute(statement)


async def test_older_messages_are_added_and_expired_ones_leave_no_word(
    tmp_path: Path,
) -> None:
    database = tmp_path / "threadkeep.db"
    async with open_store(database) as store:
        await exchange(store, said("1", text="kumquat?", opens=True), "Kumquats.")
        # As the migration leaves a database.
        for statement in (
            "DELETE FROM search_words",
            "INSERT INTO search_added SELECT id FROM messages",
        ):
            await store._write(partial(_execute, statement))
        await store.clean_up(KEPT, 100.0)
        hits = await store.search([CHANNEL], terms("kumquat"), most=5)
        assert [each.text for each in hits.found] == ["Kumquats.", "kumquat?"]
        assert in_tables(database, "kumquats")
        await store.clean_up(Retention(threads=DAY), 1e10)
        assert in_tables(database, "kumquat") == []
        assert in_files(database, "kumquat") == []
