"""Search finds the current text although another process fills the index meanwhile."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from typing import TypeVar

import pytest

from bot.text.words import index_words
from storage import message_edits, search_index
from storage.postgres.connection import Connection
from storage.store import DatabaseStore
from tests.support import postgres
from tests.support.store_helpers import ask, said

T = TypeVar("T")

WAITS = "SELECT 1 FROM pg_stat_activity WHERE pid = ? AND wait_event_type = 'Lock'"


@pytest.fixture
def address() -> Iterator[str]:
    """The address of a database with all tables."""
    with postgres.emptied(postgres.migrated) as found:
        yield found


async def hear(db: Connection, text: str) -> None:
    async def write(work: Callable[[Connection], T], *, waits: bool = True) -> T:
        with db.atomic():
            return work(db)

    await ask(DatabaseStore(write, write, clock=time.time), said("1", text=text))


def edit(db: Connection, text: str) -> None:
    message_edits.edit_message(db, said("1", text=text), text, 30.0)


def found(db: Connection, word: str) -> bool:
    query = "SELECT 1 FROM search_words WHERE word = ?"
    return db.execute(query, [*index_words(word)]).fetchone() is not None


@pytest.fixture
def processes(address: str) -> Iterator[tuple[Connection, Connection]]:
    """The connections of two processes, which carry nothing over by themselves."""
    with closing(Connection(address)) as one, closing(Connection(address)) as two:
        yield one, two


def check(db: Connection) -> None:
    with db.atomic():
        search_index.fill(db)
    assert (found(db, "apple"), found(db, "pear")) == (False, True)


async def test_an_edit_waits_until_the_old_text_is_carried_over(
    processes: tuple[Connection, Connection], address: str
) -> None:
    editing, filling = processes
    await hear(editing, "apple")

    def change() -> None:
        with editing.atomic():
            edit(editing, "pear")
            search_index.settle_removed(editing)

    with filling.atomic():
        assert search_index.fill(filling) == 1
        changing = asyncio.create_task(asyncio.to_thread(change))
        pid = editing.raw.info.backend_pid
        with closing(Connection(address)) as watching:
            while not watching.execute(WAITS, [pid]).fetchone():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
    await changing
    check(filling)


async def test_a_text_that_is_being_edited_is_carried_over_later(
    processes: tuple[Connection, Connection],
) -> None:
    editing, filling = processes
    await hear(editing, "apple")
    with editing.atomic():
        edit(editing, "pear")
        with filling.atomic():
            assert search_index.fill(filling) == 0
        search_index.settle_removed(editing)
    check(filling)
