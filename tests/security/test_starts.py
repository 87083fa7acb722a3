"""No row in the database keeps a process from starting, and what fails again and again
is given up, over restarts too, so that everything else goes on."""

import asyncio
import contextlib
import logging
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.app import App
from bot.values import Heard, ThreadKey
from storage.sqlite import SqliteStore, open_store
from tests.deep import rounds
from tests.fakes import FakeAdapter
from tests.product import OPERATOR
from tests.scripted import ScriptedModel
from tests.security.town import PLATFORMS, SECRET

# Rows that nobody of us wrote. For each column there is a group of rows about a thread
# of its own, in which that column holds something hostile.

#: The tables that a start, or the next answer, reads.
TABLES = (
    *("threads", "turns", "messages", "replies", "settings", "kept", "versions"),
    *("audit", "drafts", "charges", "accounts", "cases"),
)

#: What a column may hold by its type; as SQL, since not all of it can be bound.
HOSTILE = {
    "TEXT": (
        *("''", "'general'", "char(0)", "'{'", "'[1]'", "'null'", "'-1'", "'1e999'"),
        *("'asked-general'", "'+key'", "CAST(x'ff41' AS TEXT)", "'4' || x'0a'"),
        "printf('%.*c', 5000, '9')",
    ),
    "INTEGER": (
        *("0", "-1", "7", "9223372036854775807", "-9223372036854775808", "1000000"),
    ),
    "REAL": ("9e999", "-9e999", "1e308", "-1.0", "0.0"),
}
#: What no column of ours takes: STRICT tables keep out what is of another type.
ALWAYS = ("NULL", "x'00ff'", "'text'", "1.5")

#: The number of the first group; none of the hostile numbers is as large as a group's.
FIRST = 101

STATES = ("waiting", "answering", "undelivered", "delivered")


def columns(db: sqlite3.Connection) -> list[tuple[str, str, str]]:
    """Every column of those tables, with its type."""
    return [
        (table, row[1], row[2])
        for table in TABLES
        for row in db.execute(f"PRAGMA table_info({table})")
    ]


CHARGE = """
    INSERT INTO charges (id, turn, kind, platform, workspace, channel, thread, person,
        model, at, reserved)
    VALUES"""


class Group:
    """Rows about one thread, of which one is broken."""

    def __init__(self, number: int, platform: str) -> None:
        self.number = number
        self.thread = ThreadKey(platform, "W", f"C{number}", f"{number}.0")

    def write(self, db: sqlite3.Connection, *, state: str, now: float) -> None:
        """Write one row into each of the tables."""
        n, place = (
            self.number,
            dict(zip(("p", "w", "c", "t"), self._place, strict=True)),
        )
        given = {
            **place,
            "n": n,
            "key": f"key{n}",
            "state": state,
            "now": now,
            "words": SECRET,
            "ended": "done" if state in ("undelivered", "delivered") else None,
        }
        for statement in (
            "INSERT INTO threads (id, platform, workspace, channel, thread, follows, "
            "unread, created_at) VALUES (:n, :p, :w, :c, :t, 1, 0, :now)",
            "INSERT INTO turns (id, thread_id, key, state, touched, asked_at, "
            "created_at, text, ended, attempts) VALUES (:n, :n, :key, :state, :now, "
            ":now, :now, :words, :ended, :state <> 'waiting')",
            "INSERT INTO messages (id, thread_id, turn_id, message, role, author, at, "
            "addressed, opens, automated, asks, files, text, content, place) VALUES "
            "(:n, :n, :n, :t, 'user', 'alice', :now, 1, 1, 0, 1, '[]', :words, :words, "
            "1)",
            "INSERT INTO replies (turn_id, part, message, text) "
            "VALUES (:n, 0, 'm' || :n, :words)",
            "INSERT INTO settings VALUES "
            "(:p, :w, :c, '', 'max_tokens', '2000', 'olga', :now, :n)",
            "INSERT INTO settings VALUES "
            "(:p, :w, :c, '', 'prompt', :n, 'olga', :now, :n)",
            "INSERT INTO kept VALUES (:p, :w, :c, :t, 'model', 'claude-haiku-5-5', 0)",
            "INSERT INTO versions VALUES "
            "(1000 + :n, :p, :w, :c, '', 'prompt', 1, 'olga', :now, 'Be brief.')",
            "INSERT INTO audit VALUES (:n, :now, :p, :w, :c, '', 'olga', 'set', "
            "'max_tokens', NULL, '2000')",
            "INSERT INTO drafts VALUES "
            "(:n, :p, :w, :c, '', 'prompt', 'olga', :now, :words)",
            f"{CHARGE} (:n, NULL, 'try', :p, :w, :c, :t, 'alice', 'm', :now, 0.01)",
            f"{CHARGE} (100000 + :n, :key, 'answer', :p, :w, :c, :t, 'alice', 'm', "
            ":now, 0.01)",
            "INSERT INTO accounts (platform, workspace, channel, period, spent, "
            "reserved) VALUES (:p, :w, :c, date(:now, 'unixepoch'), 0.5, 0.02)",
            "INSERT INTO cases (id, platform, workspace, channel, thread, message, at, "
            "author, auto, text) "
            "VALUES (:n, :p, :w, :c, :t, :t, :now, 'alice', 1, :words)",
        ):
            db.execute(statement, given)

    def break_(
        self, db: sqlite3.Connection, table: str, column: str, value: str
    ) -> bool:
        """Let `column` of its row in `table` hold `value`, if SQLite takes that."""
        key = {"replies": "turn_id", **dict.fromkeys(("settings",), "revision")}.get(
            table, "id"
        )
        where = f"{key} = {self.number}"
        if table in ("kept", "accounts"):
            where = f"channel = 'C{self.number}'"
        if table == "versions":
            where = f"id = {1000 + self.number}"
        try:
            done = db.execute(
                f'UPDATE OR IGNORE {table} SET "{column}" = {value} WHERE {where}'
            )
        except sqlite3.Error:
            return False
        return done.rowcount > 0

    @property
    def _place(self) -> tuple[str, str, str, str]:
        key = self.thread
        return key.platform, key.workspace, key.channel, key.thread


def broken_database(path: Path, choose: random.Random) -> list[Group]:
    """Break one row for each column of the database at `path`, each in a way that is
    chosen; return the groups."""
    groups = []
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as db:
        db.execute("BEGIN")
        for number, (table, column, type) in enumerate(columns(db), FIRST):
            group = Group(number, choose.choice(PLATFORMS))
            group.write(db, state=choose.choice(STATES), now=time.time())
            values = list((*HOSTILE[type], *ALWAYS))
            choose.shuffle(values)
            for value in values:
                if group.break_(db, table, column, value):
                    break
            groups.append(group)
        db.execute("COMMIT")
    return groups


class Crowd:
    """Threadkeep on two platforms in memory, on the database at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.model = ScriptedModel()
        self.store: SqliteStore

    @contextlib.asynccontextmanager
    async def serving(
        self, make: type[FakeAdapter] = FakeAdapter
    ) -> AsyncIterator[dict[str, FakeAdapter]]:
        """From its start to its end."""
        adapters = {name: make(name) for name in PLATFORMS}
        async with open_store(self.path) as self.store:
            app = App(
                store=self.store,
                model=self.model,
                adapters=list(adapters.values()),
                operator=OPERATOR,
                grace=1.0,
            )
            stopping = asyncio.Event()
            task = asyncio.create_task(app.run(stopping))
            try:
                for adapter in adapters.values():
                    async with asyncio.timeout(20):
                        while not (task.done() or adapter.listening.done()):  # noqa: ASYNC110
                            await asyncio.sleep(0.001)
                assert not task.done(), task.exception()
                yield adapters
                assert not task.done(), task.exception()
            finally:
                stopping.set()
                await asyncio.wait({task})
            assert task.exception() is None

    async def quiet(self) -> None:
        """Wait until all open turns of these platforms have ended."""
        async with asyncio.timeout(30):
            # A database tells nobody that it changed.
            while any(  # noqa: ASYNC110
                each.platform in PLATFORMS for each in await self.store.open_threads()
            ):
                await asyncio.sleep(0.01)


def asked(thread: ThreadKey, message: str, *, opens: bool = False) -> Heard:
    """A question that Bob asks in `thread`."""
    return Heard(thread, message, time.time(), "bob", "and now?", True, opens)


async def answered(adapter: FakeAdapter, thread: ThreadKey, message: str) -> bool:
    """Ask in `thread`, and say whether that is answered."""
    before = len(adapter.writes)
    await adapter.hear(asked(thread, message, opens=not adapter.texts(thread)))
    with contextlib.suppress(TimeoutError):
        await adapter.until(
            lambda: any(
                part.text.startswith("Understood.") and part.final
                for _, _, part in adapter.writes[before:]
            ),
            timeout=5,
        )
        return True
    return False


@pytest.mark.parametrize("seed", range(rounds(4, 60)))
async def test_no_row_keeps_a_process_from_starting_or_answering(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    choose = random.Random(seed)
    crowd = Crowd(tmp_path / "t.db")
    async with open_store(crowd.path):
        pass
    groups = broken_database(crowd.path, choose)
    for start in range(2):
        async with crowd.serving() as adapters:
            await crowd.quiet()
            for name, adapter in adapters.items():
                new = ThreadKey(name, "W", f"new{start}", f"new{start}")
                assert await answered(adapter, new, f"new{start}")
            # Their threads go on, too.
            for group in groups:
                adapter = adapters[group.thread.platform]
                assert await answered(adapter, group.thread, f"again{start}"), (
                    columns_of(crowd.path)[group.number - FIRST]
                )
            await crowd.quiet()
    told = [line for line in caplog.messages if line.startswith("row.broken")]
    assert len(told) == len(set(told))
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text


def columns_of(path: Path) -> list[tuple[str, str, str]]:
    with contextlib.closing(sqlite3.connect(path)) as db:
        return columns(db)
