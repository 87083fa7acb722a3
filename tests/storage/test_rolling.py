"""A process of this version on a database to which a newer one has added."""

import random
from contextlib import closing
from pathlib import Path

from bot.domain.scope import Scope, ThreadKey
from bot.domain.server_address import ServerAddress
from bot.domain.triage_case import TriageCase
from storage.database import open_for_writing
from storage.opening import open_store
from storage.postgres import schema
from storage.postgres.connection import Connection
from storage.postgres.move_tables import tables
from storage.reading import Where
from tests.contracts.test_store_together import NOON, writes
from tests.support import postgres
from tests.support.store_helpers import HERE, answer, exchange, said

MORE = "later text NOT NULL DEFAULT 'x'"


async def use(database: Where) -> None:
    """Write and read what a process does."""
    dice = random.Random(7)
    async with open_store(database) as store:
        await store.receive(said("0"), answer)
        place = Scope.of(HERE)
        case = await store.open_case(TriageCase(0, place, "0", NOON, "U1", "Broken."))
        for number, write in enumerate(writes(case.id)):
            await write(store, dice, number)
        there = ThreadKey("slack", "T1", "C2", "7.5")
        await exchange(store, said("7", thread=there), "Yes.")
        assert (await store.conversation(there))[-1].content == "Yes."


async def test_a_file_with_more_columns_is_used(tmp_path: Path) -> None:
    path = tmp_path / "threadkeep.db"
    with closing(open_for_writing(path)) as db:
        for table in tables():
            # Triggers, which a newer version would make anew, fill it by position.
            if table.name != "search_added":
                db.execute(f"ALTER TABLE {table.name} ADD COLUMN {MORE}")
        db.execute("CREATE TABLE more (id INTEGER PRIMARY KEY) STRICT")
        db.table("_sqlite_migrations").insert(
            {"migration_set": "threadkeep", "name": "m999_more", "applied_at": "soon"}
        )
    await use(path)


async def test_a_database_on_postgresql_with_more_columns_is_used() -> None:
    adds = [f"ALTER TABLE {table.name} ADD COLUMN {MORE};" for table in tables()]
    more = schema.Step("s999_more", "\n".join([*adds, "CREATE TABLE more (id int);"]))
    with postgres.database(postgres.migrated) as address:
        with closing(Connection(address)) as db:
            schema.apply(db, [*schema.STEPS, more])
        await use(ServerAddress(postgres.uri(address)))
