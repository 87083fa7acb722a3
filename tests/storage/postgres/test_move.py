"""Everything goes from a file to a server and back."""

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from click.testing import CliRunner
from sqlite_utils import Database

from bot.cli.move import move as move_command
from bot.domain.server_address import ServerAddress
from bot.errors import ConfigError, InUse
from storage.database import open_for_writing
from storage.lock import locked
from storage.migrations import migrations
from storage.opening import open_store
from storage.postgres import locks, move_ends, schema
from storage.postgres import move as moving
from storage.postgres.connection import Connection
from storage.postgres.lock_numbers import PROCESSES, RUNNING
from storage.postgres.move import move
from storage.postgres.move_tables import LEFT_OUT, tables, triggers
from tests.support import postgres
from tests.support.deep import rounds
from tests.support.memory_store import migrate_new
from tests.support.postgres import database, migrated, woken
from tests.support.store_helpers import HERE, THERE, answer, exchange, said

ROWS = 5

# What survives only if it is taken as it is.
HARD = "é\U0001f600\t\\N\n\0'\"{}"


@contextmanager
def connected(address: str) -> Iterator[Connection]:
    with closing(Connection(address)) as opened:
        yield opened


def fill(db: Database) -> None:
    """Insert rows in every table, with all that a value can have."""
    for name in triggers():
        db.execute(f"DROP TRIGGER {name}")
    for table in tables():
        refers = {each.column: each for each in db.table(table.name).foreign_keys}
        for number in range(1, ROWS + 1):
            row = []
            for column, kind in zip(table.columns, table.types, strict=True):
                of = refers.get(column)
                place = f"{of.other_table}.{of.other_column}" if of else column
                row.append(
                    value(place if of else f"{table.name}.{column}", kind, number)
                )
            places = ", ".join("?" * len(row))
            db.execute(f"INSERT INTO {table.name} VALUES ({places})", row)
    for statement in triggers().values():
        db.execute(statement)


def value(place: str, kind: str, number: int) -> object:
    values = {
        "int8": number if number < ROWS else 2**40 + number,
        "float8": number + 0.1,
        "text": f"{place} {number} {HARD}",
        "bytea": bytes(range(256)) * number,
    }
    return values[kind]


def rows_of(path: Path) -> dict[str, list[tuple[Any, ...]]]:
    with Database(path) as db:
        return {
            table.name: [
                tuple(row)
                for row in db.execute(
                    f"SELECT * FROM {table.name} ORDER BY {table.key_list}"
                )
            ]
            for table in tables()
        }


def problem(of: Callable[[], object], kind: type[ConfigError] = ConfigError) -> str:
    with pytest.raises(kind) as caught:
        of()
    text = str(caught.value)
    assert text.endswith(".")
    assert "\n" not in text
    return text


def moved(source: object, target: object) -> dict[str, int]:
    """Move, and return the rows by table."""
    told: dict[str, int] = {}
    move(uri(source), uri(target), told.__setitem__)
    return told


def uri(end: object) -> str:
    """Return a file, or the address of a database, as an operator writes it."""
    return str(end) if isinstance(end, Path) else postgres.uri(str(end))


@pytest.fixture(autouse=True)
def migrate_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what is read of a database with all tables be read of a copy, too."""
    monkeypatch.setattr("storage.postgres.move_tables.migrate", migrate_new)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file with rows in every table."""
    path = tmp_path / "full.db"
    path.write_bytes(full())
    return path


@cache
def full() -> bytes:
    with TemporaryDirectory() as folder:
        with open_for_writing(Path(folder, "full.db")) as db:
            fill(db)
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return Path(folder, "full.db").read_bytes()


@pytest.fixture
def made() -> Iterator[str]:
    """The address of a database in which a threadkeep has made the tables, and stored
    nothing."""
    with database(migrated) as found:
        yield found


@pytest.fixture
def started() -> Iterator[str]:
    """The address of a database on which a threadkeep has started before."""
    with database(woken) as made:
        yield made


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Batches of two rows."""
    monkeypatch.setattr(moving, "BATCH_ROWS", 2)


def test_everything_goes_to_a_server_and_back(
    path: Path, address: str, tmp_path: Path
) -> None:
    back = tmp_path / "back.db"
    told = moved(path, address)
    assert told == {table.name: ROWS for table in tables()}
    assert moved(address, back) == told
    assert rows_of(back) == rows_of(path)
    with open_for_writing(back) as db:
        assert {each.name: each.sql for each in db.triggers} == triggers()
        assert "threadkeep_move" not in db.table_names()
        assert db.execute("PRAGMA foreign_key_check").fetchall() == []
    assert not list(tmp_path.glob("*.moving*"))
    assert back.stat().st_mode & 0o077 == 0


def test_the_command_tells_what_it_moves_and_leaves_alone_what_has_rows(
    path: Path, made: str
) -> None:
    ran = CliRunner().invoke(move_command, [str(path), uri(made)])
    assert ran.exit_code == 0
    assert f"messages: {ROWS} rows" in ran.stderr
    assert f"{ROWS * len(tables())} rows moved in" in ran.stderr
    before = path.read_bytes()
    for ends in ([str(path), uri(made)], [uri(made), str(path)]):
        ran = CliRunner().invoke(move_command, ends)
        assert ran.exit_code == 2
        assert "is not empty" in ran.stderr
    assert path.read_bytes() == before


def test_no_table_is_left_out() -> None:
    with Database(memory=True) as db:
        migrations.apply(db)
        assert {table.name for table in tables()} == {*db.table_names()} - LEFT_OUT


def test_a_number_and_what_follows_a_change_follow_after_a_move(
    path: Path, made: str
) -> None:
    moved(path, made)
    with connected(made) as db:
        row = db.execute(
            "INSERT INTO threads (platform, workspace, channel, thread, follows, "
            "unread, created_at) VALUES ('slack', 'T', 'C', '1', 1, 0, 1.0) "
            "RETURNING id"
        ).fetchone()
        assert row is not None
        assert row["id"] == 2**40 + ROWS + 1
        db.execute("UPDATE messages SET deleted_at = 1, text = 'x' WHERE id = 1")
        db.execute("UPDATE messages SET deleted_at = NULL WHERE id = 2")
        db.execute("UPDATE messages SET deleted_at = 1.0 WHERE id = 2")
        found = db.execute("SELECT block FROM search_removed WHERE text LIKE 'mess%'")
        assert found.fetchall()
        left = db.execute("SELECT message_id FROM message_files ORDER BY 1").fetchall()
        assert [number for (number,) in left] == [3, 4, 2**40 + ROWS]


def test_the_first_row_after_a_move_of_nothing_has_the_first_number(
    tmp_path: Path, made: str
) -> None:
    open_for_writing(tmp_path / "new.db").close()
    assert set(moved(tmp_path / "new.db", made).values()) == {0}
    with connected(made) as db:
        row = db.execute(
            "INSERT INTO search_places (platform, workspace, channel) "
            "VALUES ('slack', 'T', 'C') RETURNING id"
        ).fetchone()
        assert row is not None
        assert row["id"] == 1


def killed(source: str, target: str, after: int) -> bool:
    """Move in another process, which is killed after so many batches; return whether it
    was."""

    def run() -> None:
        for end in (move_ends.Server, move_ends.File):
            kill_after(end, after)
        move(source, target, lambda table, rows: None)
        os._exit(0)

    process = multiprocessing.get_context("fork").Process(target=run)
    process.start()
    process.join()
    assert process.exitcode in (0, -signal.SIGKILL)
    return process.exitcode != 0


def kill_after(end: Any, after: int) -> None:
    add, left = end.add, iter(range(after))

    def counted(*args: Any, **kwargs: Any) -> None:
        if next(left, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)
        add(*args, **kwargs)

    end.add = counted


@pytest.mark.usefixtures("small")
def test_a_move_that_is_killed_goes_on_where_it_was(
    path: Path, made: str, tmp_path: Path
) -> None:
    back = tmp_path / "back.db"
    for source, target in ((uri(path), uri(made)), (uri(made), uri(back))):
        # Each moves so many more batches, from where the one before was killed.
        more, kills = rounds(100, 30), 0
        while killed(source, target, more):
            kills += 1
        assert kills == (len(tables()) * 3 - 1) // more > 0
    assert rows_of(back) == rows_of(path)


@pytest.mark.usefixtures("small")
def test_nobody_starts_on_half_a_move(path: Path, made: str, tmp_path: Path) -> None:
    assert killed(uri(path), uri(made), 20)
    with connected(made) as db:
        assert "run threadkeep move again" in problem(lambda: schema.apply(db))
        assert "run threadkeep move again" in problem(lambda: schema.pending(db))
    # Nor is it completed from another source.
    other = tmp_path / "other.db"
    open_for_writing(other).close()
    assert "has a part of" in problem(lambda: moved(other, made))
    moved(path, made)
    with connected(made) as db:
        schema.apply(db)
    assert killed(uri(made), uri(tmp_path / "back.db"), 20)
    assert not (tmp_path / "back.db").exists()


@pytest.mark.usefixtures("small")
def test_a_source_that_changes_meanwhile_is_noticed(path: Path, made: str) -> None:
    assert killed(uri(path), uri(made), 90)
    with open_for_writing(path) as db:
        db.execute("UPDATE threads SET epoch = 77 WHERE id = 1")
    assert "in threads differ" in problem(lambda: moved(path, made))
    assert moved(path, made)["threads"] == ROWS
    with connected(made) as db:
        [row] = db.execute("SELECT epoch FROM threads WHERE id = 1").fetchall()
        assert row["epoch"] == 77


async def test_a_target_on_which_a_process_only_started_is_empty(
    path: Path, started: str
) -> None:
    async with open_store(ServerAddress(uri(started))) as store:
        await store.take_slot("identify", 5.0)
    assert moved(path, started)["messages"] == ROWS


def test_a_source_of_an_older_version_is_brought_up_to_date_first(
    made: str, tmp_path: Path
) -> None:
    with Database(tmp_path / "first.db") as db:
        migrations.apply(db, stop_before="m002_corrections")
    assert "older threadkeep" in problem(lambda: moved(tmp_path / "first.db", made))
    with connected(made) as server:
        last = schema.STEPS[-1].name
        server.execute("DELETE FROM threadkeep_steps WHERE name = ?", [last])
    assert "older threadkeep" in problem(lambda: moved(made, tmp_path / "new.db"))
    assert not list(tmp_path.glob("new.db*"))


def test_what_a_newer_version_added_is_not_lost(
    path: Path, made: str, tmp_path: Path
) -> None:
    with open_for_writing(path) as db:
        db.table("_sqlite_migrations").insert(
            {"migration_set": "threadkeep", "name": "m999_more", "applied_at": "soon"}
        )
    assert "newer threadkeep (m999_more)" in problem(lambda: moved(path, made))
    more = schema.Step("s999_more", "CREATE TABLE more (id bigint PRIMARY KEY)")
    with connected(made) as server:
        schema.apply(server, [*schema.STEPS, more])
    assert "newer threadkeep (s999_more)" in problem(
        lambda: moved(made, tmp_path / "new.db")
    )


async def test_nobody_runs_or_starts_meanwhile(
    path: Path, started: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "_WAIT", 0.01)
    with locked(path):
        problem(lambda: moved(path, started), InUse)
    async with open_store(ServerAddress(uri(started))) as store:
        await store.receive(said("1"), answer)
        assert "A threadkeep is using" in problem(lambda: moved(path, started))
    with connected(started) as process:
        # One that lost its connections runs all the same.
        process.execute(f"SELECT pg_advisory_lock({PROCESSES}, 1)")
        assert "A threadkeep is using" in problem(lambda: moved(path, started))
    with (
        connected(started) as mover,
        locks.locked(mover, RUNNING, 1),
        pytest.raises(ConfigError, match="move"),
    ):
        async with open_store(ServerAddress(uri(started))):
            pass


async def test_what_a_process_on_postgresql_stored_comes_to_a_file(
    started: str, tmp_path: Path
) -> None:
    """The tables of the engine stay, and no turn is lost with its job."""
    async with open_store(ServerAddress(uri(started))) as store:
        await store.receive(said("1"), answer)
        await exchange(store, said("2", thread=THERE), "Yes.")
    file = tmp_path / "back.db"
    assert moved(started, file)["turns"] == 2
    async with open_store(file) as store:
        assert await store.open_threads() == [HERE]
        assert [each.content for each in await store.conversation(THERE)][-1] == "Yes."
        assert await store.take_turn(HERE) is not None


def test_ends_that_cannot_be_moved_between_are_named(
    path: Path, address: str, tmp_path: Path
) -> None:
    for ends in ((path, tmp_path / "x.db"), (address, address)):
        assert "Name one SQLite file and one address" in problem(
            lambda ends=ends: moved(*ends)  # type: ignore[misc]
        )
    nowhere = f"postgresql://nobody@/nothing?host={tmp_path}"
    problem(lambda: move(str(path), nowhere, lambda table, rows: None))
    missing = tmp_path / "missing.db"
    assert "does not exist" in problem(lambda: moved(missing, address))
    with connected(address) as db:
        db.execute("CREATE TABLE invoices (id bigint)")
    assert "another program" in problem(lambda: moved(path, address))
