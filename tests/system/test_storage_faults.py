"""Faults of the database and of the clock. No event is acknowledged before it is
stored. Each stored question is answered once."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bot.domain.message import Message
from bot.domain.reply import PostedPart
from bot.domain.server_address import ServerAddress
from bot.domain.turn import Turn
from bot.errors import StorageBusy
from storage import database, migrations
from storage.connection import Connection
from storage.database import open_for_writing
from storage.reading import Where
from storage.store import DatabaseStore
from tests.emulators.claude.reply import Hold
from tests.support.fault_harness import SlackStage, Stage

# For what only a file meets.
on_file = pytest.mark.parametrize("database", ["file"], indirect=True)

# The tables that a question and its answer are stored in.
LOCK = "LOCK TABLE messages, threads, turns IN SHARE ROW EXCLUSIVE MODE"


@contextlib.contextmanager
def locked(at: Where) -> Iterator[None]:
    """Keep the database from being written to, as another process would."""
    if isinstance(at, ServerAddress):
        with psycopg.connect(at.url) as server:
            server.execute(LOCK)
            yield
        return
    with contextlib.closing(sqlite3.connect(at, isolation_level=None)) as db:
        db.execute("BEGIN IMMEDIATE")
        yield
        db.execute("ROLLBACK")


async def test_what_cannot_be_stored_for_a_while_is_not_lost(
    on_slack: SlackStage,
) -> None:
    stage = on_slack
    stage.claude.script("Paris.")
    async with stage.played():
        with locked(stage.database):
            thread = await stage.ask()
            await stage.until(
                lambda: any(len(each.attempts) > 1 for each in stage.slack.deliveries)
            )
            assert not any(each.acked for each in stage.slack.deliveries)
        await stage.reads(thread, "Paris.")


async def test_an_answer_that_cannot_be_stored_goes_on_being_written(
    on_slack: SlackStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = on_slack
    monkeypatch.setattr(database, "BUSY_SECONDS", 0.2)
    more, last = asyncio.Event(), asyncio.Event()
    half, third = "The capital of France", " is, as it happens,"
    stage.claude.script([half, Hold(more), third, Hold(last), " Paris."])
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        with locked(stage.database):
            more.set()
            await stage.until(lambda: third in stage.texts(thread)[0])
            last.set()
            await stage.until(lambda: " Paris." in stage.texts(thread)[0])
        await stage.reads(thread, f"{half}{third} Paris.")


@pytest.mark.parametrize("verb", ["receive", "store_part", "finish_turn"])
async def test_a_disk_that_is_full_for_a_while(
    on_slack: SlackStage, verb: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, full = on_slack, [True, True]
    real = getattr(DatabaseStore, verb)
    is_file = isinstance(stage.database, Path)

    def refuse(db: Connection) -> None:
        full.pop()
        if is_file:
            raise sqlite3.OperationalError("database or disk is full")
        raise psycopg.errors.DiskFull

    async def fails(store: DatabaseStore, *given: object, **named: object) -> object:
        if full:
            await store._write(refuse)
        return await real(store, *given, **named)

    stage.claude.script("Paris.")
    async with stage.played():
        monkeypatch.setattr(DatabaseStore, verb, fails)
        thread = await stage.ask()
        await stage.reads(thread, "Paris.")
    assert not full


async def test_a_message_that_was_posted_while_the_store_was_away_is_known(
    on_slack: SlackStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = on_slack
    real, failed = DatabaseStore.store_part, list[str]()

    async def fails(
        store: DatabaseStore, turn: Turn, shown: PostedPart, *given: Any
    ) -> object:
        if shown.message and not failed:
            failed.append(shown.message)
            raise StorageBusy("away")
        return await real(store, turn, shown, *given)

    stage.claude.script("Paris.")
    async with stage.played():
        monkeypatch.setattr(DatabaseStore, "store_part", fails)
        await stage.reads(await stage.ask(), "Paris.")
    assert failed


async def test_a_last_edit_that_was_made_while_the_store_was_away_is_known(
    on_slack: SlackStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = on_slack
    real, failed, gate = DatabaseStore.store_part, list[str](), asyncio.Event()

    async def fails(
        store: DatabaseStore, turn: Turn, shown: PostedPart | None, *given: Any
    ) -> object:
        if shown and shown.message and shown.text and not failed:
            failed.append(shown.message)
            raise StorageBusy("away")
        return await real(store, turn, shown, *given)

    stage.claude.script(["It is", Hold(gate), " Paris."])
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        monkeypatch.setattr(DatabaseStore, "store_part", fails)
        gate.set()
        await stage.reads(thread, "It is Paris.")
    assert failed


async def test_what_is_said_below_a_question_that_is_heard_late_is_answered(
    on_slack: SlackStage, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage, went_on = on_slack, asyncio.Event()
    real = DatabaseStore.receive

    async def refuse(
        store: DatabaseStore, message: Message, *given: Any, **named: Any
    ) -> Any:
        # People go on below the question before that is stored.
        if message.addressed and not went_on.is_set():
            raise StorageBusy("away")
        return await real(store, message, *given, **named)

    stage.claude.always("Paris.")
    async with stage.played():
        monkeypatch.setattr(DatabaseStore, "receive", refuse)
        thread = await stage.ask()
        stage.say("and of Italy?", thread)
        told = stage.slack.deliveries
        await stage.until(lambda: told[-1].acked)
        assert not any(each.acked for each in told[:-1])
        went_on.set()
        await stage.reads(thread, "Paris.", "Paris.")
    read = str(stage.claude.questions[-1].body["messages"])
    assert "and of Italy?" in read


@on_file
async def test_a_log_that_was_left_behind_is_taken_in(on_slack: SlackStage) -> None:
    stage = on_slack
    stage.claude.script("One.", "Two.")
    async with stage.running():
        thread = await stage.ask("first")
        await stage.reads(thread, "One.")
        await stage.quiet()
    # As after a kill: what was written last is in the log alone.
    with contextlib.closing(sqlite3.connect(stage.file)) as db:
        db.execute("PRAGMA wal_autocheckpoint = 0")
        db.execute("UPDATE turns SET touched = touched + 1")
        db.commit()
        assert stage.file.with_name("threadkeep.db-wal").stat().st_size > 0
        copies = [
            (path, path.read_bytes())
            for path in stage.file.parent.glob("threadkeep.db*")
        ]
    for path, content in copies:
        path.write_bytes(content)
    async with stage.played():
        stage.say("second", thread)
        await stage.reads(thread, "One.", "Two.")


def test_a_migration_that_was_interrupted_is_made_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "threadkeep.db"
    real = migrations.migrations.apply
    # Not as a copy of a database that is migrated already.
    monkeypatch.setattr("storage.database.migrate", migrations.migrate)

    def interrupted(db: object, *given: object, **named: object) -> None:
        real(db, *given, **named)  # type: ignore[arg-type]
        raise KeyboardInterrupt

    # Step by step, not as a copy of what was migrated before.
    monkeypatch.setattr("storage.database.migrate", migrations.migrate)
    monkeypatch.setattr(migrations.migrations, "apply", interrupted)
    with pytest.raises(KeyboardInterrupt):
        open_for_writing(path)
    monkeypatch.undo()
    db = open_for_writing(path)
    names = {row[0] for row in db.execute("SELECT name FROM sqlite_master")}
    assert {"threads", "turns", "messages", "settings", "charges"} <= names
    db.close()


@pytest.mark.parametrize(
    ("stage", "hours"), [("slack", -1), ("discord", 1)], indirect=["stage"]
)
async def test_a_clock_that_is_set_by_an_hour(
    stage: Stage, hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, real = asyncio.Event(), time.time
    stage.claude.script(["It is", Hold(gate), " Paris."], "Two.")
    async with stage.played():
        thread = await stage.ask()
        await stage.begins(thread)
        monkeypatch.setattr(time, "time", lambda: real() + hours * 3600)
        stage.say(f"{stage.platform.mention} and then?", thread)
        gate.set()
        await stage.reads(thread, "It is Paris.", "Two.")
    monkeypatch.undo()
