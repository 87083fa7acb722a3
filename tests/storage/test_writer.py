"""The thread that writes: groups, failures in them, and callers who leave."""

import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest
from sqlite_utils import Database

from bot.errors import StorageError, StorageRejected
from storage.database import open_for_reading, open_for_writing
from storage.writer import GROUP, Writer

#: What SQLite calls a commit that waits for the disk.
FULL = 2


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "threadkeep.db"


@pytest.fixture
async def writer(path: Path) -> AsyncIterator[Writer]:
    db = open_for_writing(path)
    db.execute("CREATE TABLE words (word TEXT UNIQUE) STRICT")
    writer = Writer(db)
    yield writer
    writer.close()


@contextmanager
def reading(path: Path) -> Iterator[Database]:
    db = open_for_reading(path)
    yield db
    db.close()


def words(path: Path) -> list[str]:
    with reading(path) as db:
        return [word for (word,) in db.execute("SELECT word FROM words ORDER BY rowid")]


async def add(writer: Writer, word: str) -> str:
    def change(db: Database) -> str:
        db.execute("INSERT INTO words VALUES (?)", [word])
        return word

    return await writer.write(change)


@asynccontextmanager
async def held(writer: Writer) -> AsyncIterator[list[str]]:
    """Keep the writer busy, so that what is asked meanwhile becomes one group.

    Yields the statements that it executes once it is let go.
    """
    entered, left, statements = threading.Event(), threading.Event(), list[str]()

    def wait(db: Database) -> None:
        entered.set()
        assert left.wait(10)
        db.conn.set_trace_callback(statements.append)

    holding = asyncio.create_task(writer.write(wait))
    assert await asyncio.to_thread(entered.wait, 10)
    try:
        yield statements
        # One round of the loop, for tasks made in here to ask what they ask.
        await asyncio.sleep(0)
    finally:
        left.set()
        await holding


async def test_a_change_returns_what_it_returned(writer: Writer, path: Path) -> None:
    assert await add(writer, "hello") == "hello"
    assert words(path) == ["hello"]


@pytest.mark.parametrize(("changes", "commits"), [(GROUP, 1), (GROUP + 1, 2)])
async def test_what_waits_is_committed_together_in_order(
    writer: Writer, path: Path, changes: int, commits: int
) -> None:
    async with held(writer) as statements:
        asked = [asyncio.create_task(add(writer, f"{n}")) for n in range(changes)]
    await asyncio.gather(*asked)
    assert words(path) == [f"{n}" for n in range(changes)]
    # Not a plain BEGIN: a change that reads first could then fail to write at once.
    assert statements.count("BEGIN IMMEDIATE") == commits
    # One more for the change that kept the writer busy.
    assert statements.count("COMMIT") == commits + 1


async def test_nobody_hears_of_success_before_it_is_durable(
    writer: Writer, path: Path
) -> None:
    async def checked(word: str) -> None:
        await add(writer, word)
        assert word in words(path)

    async with held(writer):
        asked = [asyncio.create_task(checked(word)) for word in "abc"]
    await asyncio.gather(*asked)


async def test_a_change_that_need_not_wait_for_the_disk_waits_with_others(
    writer: Writer, path: Path
) -> None:
    found = []

    def change(db: Database) -> None:
        [(waiting,)] = db.execute("PRAGMA synchronous")
        found.append("waits" if waiting == FULL else "does not")

    await writer.write(change, waits=False)
    await writer.write(change)
    async with held(writer):
        both = [
            asyncio.create_task(writer.write(change, waits=waits))
            for waits in (False, True)
        ]
    await asyncio.gather(*both)
    assert found == ["does not", "waits", "waits", "waits"]


async def test_a_failure_takes_no_neighbour_with_it(writer: Writer, path: Path) -> None:
    async def fail(error: Exception) -> None:
        def change(db: Database) -> None:
            db.execute("INSERT INTO words VALUES ('never')")
            raise error

        await writer.write(change)

    async with held(writer) as statements:
        asked = [
            asyncio.create_task(each)
            for each in (
                add(writer, "one"),
                add(writer, "one"),
                fail(LookupError("ours")),
                fail(sqlite3.OperationalError("theirs")),
                add(writer, "\ud800"),
                add(writer, "two"),
            )
        ]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [
        *(str, StorageRejected, LookupError, StorageError, StorageRejected, str)
    ]
    assert words(path) == ["one", "two"]
    assert statements.count("COMMIT") == 2


async def test_a_failure_that_undoes_the_group_takes_no_neighbour_either(
    writer: Writer, path: Path
) -> None:
    async def ruin() -> None:
        def change(db: Database) -> None:
            # What SQLite may do by itself when a disk is full.
            db.execute("ROLLBACK")
            raise sqlite3.OperationalError("database or disk is full")

        await writer.write(change)

    async with held(writer):
        asked = [
            asyncio.create_task(each)
            for each in (add(writer, "one"), ruin(), add(writer, "two"))
        ]
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(result) for result in results] == [str, StorageError, str]
    assert words(path) == ["one", "two"]


async def test_a_caller_who_leaves_leaves_the_change_to_be_made(
    writer: Writer, path: Path
) -> None:
    async with held(writer):
        leaving = asyncio.create_task(add(writer, "one"))
        staying = asyncio.create_task(add(writer, "two"))
        await asyncio.sleep(0)
        leaving.cancel()
    await staying
    assert leaving.cancelled()
    assert words(path) == ["one", "two"]


async def test_a_failure_that_nobody_hears_of_is_logged(
    writer: Writer, caplog: pytest.LogCaptureFixture
) -> None:
    await add(writer, "one")
    async with held(writer):
        leaving = asyncio.create_task(add(writer, "one"))
        staying = asyncio.create_task(add(writer, "two"))
        await asyncio.sleep(0)
        leaving.cancel()
    await staying
    assert caplog.messages == ["storage.unheard error=StorageRejected"]


async def test_closing_waits_for_what_was_asked(path: Path) -> None:
    db = open_for_writing(path)
    db.execute("CREATE TABLE words (word TEXT UNIQUE) STRICT")
    writer = Writer(db)
    asked = [asyncio.create_task(add(writer, f"{n}")) for n in range(GROUP * 2)]
    await asyncio.sleep(0)
    writer.close()
    assert len(words(path)) == GROUP * 2
    assert len(await asyncio.gather(*asked)) == GROUP * 2


async def test_a_closed_writer_says_so(path: Path) -> None:
    writer = Writer(open_for_writing(path))
    writer.close()
    with pytest.raises(StorageError, match="closed"):
        await add(writer, "late")


async def test_a_lock_held_by_another_program_is_an_error_that_passes(
    writer: Writer, path: Path
) -> None:
    await writer.write(lambda db: db.execute("PRAGMA busy_timeout = 0"))
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    asked = (add(writer, word) for word in "ab")
    results = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(result) for result in results] == [
        "the database refused (SQLITE_BUSY: database is locked)"
    ] * 2
    other.execute("ROLLBACK")
    other.close()
    await add(writer, "c")
    assert words(path) == ["c"]


async def test_a_read_sees_the_writes_before_it_and_begins_none(writer: Writer) -> None:
    def count(db: Database) -> int:
        return int(db.execute("SELECT count(*) FROM words").fetchone()[0])

    async with held(writer) as statements:
        added, found = add(writer, "a"), writer.read(count)
        both = asyncio.gather(added, found)
        await asyncio.sleep(0)
    assert list(await both) == ["a", 1]
    assert statements.count("BEGIN IMMEDIATE") == 1
    begun = len(statements)
    assert await writer.read(count) == 1
    alone = [each for each in statements[begun:] if not each.startswith("SELECT")]
    assert alone == ["BEGIN", "COMMIT"]


async def test_a_read_that_fails_takes_back_no_write_beside_it(writer: Writer) -> None:
    async with held(writer):
        wrong = writer.read(lambda db: db.execute("SELECT 1 FROM nowhere"))
        both = asyncio.gather(wrong, add(writer, "a"), return_exceptions=True)
        await asyncio.sleep(0)
    error, added = await both
    assert (type(error), added) == (StorageError, "a")
