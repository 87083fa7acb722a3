"""No row in the database prevents a process from starting. Work that fails repeatedly
is given up, even across restarts, so that everything else continues."""

import ast
import asyncio
import contextlib
import itertools
import logging
import random
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from adapters.discord import ids
from bot.app import App
from bot.conversation.failures import MOST_FAILURES
from bot.conversation.outcomes import conclude
from bot.domain.message import Disposition, Message
from bot.domain.scope import Scope, ThreadKey
from bot.domain.triage_case import TriageCase
from bot.domain.turn import Turn
from bot.errors import DeliveryError, StorageRejected, ThreadGone
from bot.ports.store import Store
from bot.runtime import retry
from bot.runtime.retry import retry_until_success
from bot.triage.chat import auto
from bot.triage.chat.classifier import Classifier
from storage.opening import open_store
from storage.store import DatabaseStore
from tests.emulators.discord import faults as discord_faults
from tests.security.town import PLATFORMS, SECRET, Town, built, served
from tests.support import code
from tests.support.deep import DEEP, deep_only, rounds
from tests.support.fakes import FakeAdapter, FakeSurface
from tests.support.memory_store import MemoryStore
from tests.support.process import OPERATOR
from tests.support.scripted_model import ScriptedModel
from tests.support.store_helpers import answer

ANSWER = Disposition.ANSWER

# Rows that nobody of us wrote. For each column there is a group of rows about a thread
# in which that column holds something hostile.

#: The tables that a start, or the next answer, reads.
TABLES = (
    *("threads", "turns", "messages", "replies", "settings", "kept", "versions"),
    *("audit", "drafts", "charges", "accounts", "cases"),
)

#: Those without which there is no turn to answer.
TURNS = TABLES[:4]

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


#: A table, its column, and the column's type.
Column = tuple[str, str, str]


def columns(db: sqlite3.Connection) -> list[Column]:
    """Return every column of those tables, with its type."""
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
    """Rows about one thread, of which some are broken."""

    def __init__(self, number: int, platform: str) -> None:
        self.number = number
        #: The columns in which something hostile is.
        self.broken: list[Column] = []
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
        for number, broken in enumerate(together(columns(db)), FIRST):
            group = Group(number, choose.choice(PLATFORMS))
            group.write(db, state=choose.choice(STATES), now=time.time())
            for table, column, type in broken:
                values = list((*HOSTILE[type], *ALWAYS))
                choose.shuffle(values)
                for value in values:
                    if group.break_(db, table, column, value):
                        break
            group.broken = broken
            groups.append(group)
        db.execute("COMMIT")
    return groups


def together(columns: list[Column]) -> list[list[Column]]:
    """Return which columns are broken in the rows of one thread: each in one of its
    own, or, in the short form, one of each table that no turn stands or falls with."""
    if DEEP:
        return [[each] for each in columns]
    alone = [[each] for each in columns if each[0] in TURNS]
    others = [[c for c in columns if c[0] == table] for table in TABLES]
    rows = itertools.zip_longest(*(each for each in others if each[0][0] not in TURNS))
    return alone + [[each for each in row if each] for row in rows]


class ActiveReplies:
    """Threadkeep on two platforms in memory, on the database at `path` or, without one,
    on a store in memory that outlives each start."""

    def __init__(self, path: Path | None = None) -> None:
        self.path = path
        self.model = ScriptedModel()
        self.store: DatabaseStore = MemoryStore()

    @contextlib.asynccontextmanager
    async def serving(
        self, make: type[FakeAdapter] = FakeAdapter
    ) -> AsyncIterator[dict[str, FakeAdapter]]:
        """From its start to its end."""
        adapters = {name: make(name) for name in PLATFORMS}
        async with contextlib.AsyncExitStack() as stack:
            if self.path is not None:
                self.store = await stack.enter_async_context(open_store(self.path))
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
                    async with asyncio.timeout(60):
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
        async with asyncio.timeout(60):
            # A database tells nobody that it changed.
            while any(  # noqa: ASYNC110
                each.platform in PLATFORMS for each in await self.store.open_threads()
            ):
                await asyncio.sleep(0.01)


def asked(thread: ThreadKey, message: str, *, opens: bool = False) -> Message:
    """Return a question that Bob asks in `thread`."""
    return Message(thread, message, time.time(), "bob", "and now?", True, opens)


async def waiting(store: Store) -> list[tuple[int, Scope]]:
    """Return the cases that wait to be sorted."""
    return await store.waiting_cases(PLATFORMS, 9)


async def answered(adapter: FakeAdapter, thread: ThreadKey, message: str) -> bool:
    """Ask in `thread`, and say whether that is answered."""
    before = len(adapter.writes)
    await adapter.receive(asked(thread, message, opens=not adapter.texts(thread)))
    with contextlib.suppress(AssertionError):
        await adapter.until(
            lambda: any(
                part.text.startswith("Understood.") and part.final
                for _, _, part in adapter.writes[before:]
            ),
        )
        return True
    return False


@pytest.mark.parametrize("seed", range(rounds(1, 60)))
async def test_no_row_keeps_a_process_from_starting_or_answering(
    seed: int, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    choose = random.Random(seed)
    crowd = ActiveReplies(path := tmp_path / "t.db")
    async with open_store(path):
        pass
    groups = broken_database(path, choose)
    for start in range(rounds(1, 2)):
        async with crowd.serving() as adapters:
            await crowd.quiet()
            for name, adapter in adapters.items():
                new = ThreadKey(name, "W", f"new{start}", f"new{start}")
                assert await answered(adapter, new, f"new{start}")
            # Their threads go on, too.
            for group in groups[:: rounds(16, 1)]:
                adapter = adapters[group.thread.platform]
                assert await answered(adapter, group.thread, f"again{start}"), (
                    group.broken
                )
            await crowd.quiet()
    told = [line for line in caplog.messages if line.startswith("row.broken")]
    assert len(told) == len(set(told))
    assert SECRET not in caplog.text
    assert "Traceback" not in caplog.text


# What fails at each start.


class Failing(FakeAdapter):
    """Cannot open the reply to questions in one thread."""

    broken = ThreadKey("slack", "W", "C", "broken")
    error: type[Exception] = RuntimeError
    #: How often it was to be opened.
    tries = 0
    #: The turn that cannot be answered; the others can.
    turn = ""

    @contextlib.asynccontextmanager
    async def surface(self, turn: Turn) -> AsyncIterator[FakeSurface]:
        if turn.thread == self.broken:
            Failing.turn = Failing.turn or turn.key
            if turn.key == Failing.turn:
                Failing.tries += 1
                raise self.error(SECRET)
        async with super().surface(turn) as surface:
            yield surface


@pytest.mark.parametrize("error", [MemoryError, *deep_only(RuntimeError, ValueError)])
async def test_a_turn_that_fails_at_each_start_is_given_up_and_its_thread_goes_on(
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(Failing, "error", error)
    monkeypatch.setattr(Failing, "tries", 0)
    monkeypatch.setattr(Failing, "turn", "")
    crowd = ActiveReplies()
    await crowd.store.receive(asked(Failing.broken, "m1", opens=True), answer)
    for start in range(2 * MOST_FAILURES):
        async with crowd.serving(Failing) as adapters:
            there = ThreadKey("discord", "W", "C", f"t{start}")
            assert await answered(adapters["discord"], there, f"d{start}")
            if not await crowd.store.open_threads():
                break
    assert 0 < Failing.tries <= 2 * MOST_FAILURES
    async with crowd.serving(Failing) as adapters:
        before = Failing.tries
        assert await answered(adapters["slack"], Failing.broken, "m2")
        assert Failing.tries == before
    assert "turn.given_up" in caplog.text
    assert SECRET not in caplog.text


async def test_what_says_nothing_of_a_turn_is_not_counted(tmp_path: Path) -> None:
    """A platform that is down, for one."""
    crowd = ActiveReplies(path := tmp_path / "t.db")
    here = ThreadKey("slack", "W", "C", "t")
    async with open_store(path) as store:
        await store.receive(asked(here, "m1", opens=True), answer)
    async with crowd.serving() as adapters:
        await crowd.quiet()
        adapters["slack"].troubles = [DeliveryError("HTTP 503")]
        assert await answered(adapters["slack"], here, "m2")
    with contextlib.closing(sqlite3.connect(path)) as db:
        assert {row[0] for row in db.execute("SELECT failures FROM turns")} == {0}


async def test_shutting_down_while_an_answer_is_written_out_is_no_failure() -> None:
    store = MemoryStore()
    thread = ThreadKey("slack", "W", "C", "t")
    await store.receive(asked(thread, "m1", opens=True), answer)
    turn = await store.next_turn(thread)
    assert turn is not None
    await store.begin_turn(turn, time.time())
    await store.finish_turn(turn, conclude("Done.", None), time.time())
    for _ in range(3 * MOST_FAILURES):
        assert await store.record_failure(turn) == 1
        await store.release_turn(turn)


@pytest.mark.parametrize("error", [RecursionError, *deep_only(RuntimeError)])
async def test_a_ticket_that_fails_at_each_start_is_given_up(
    error: type[Exception],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    tries = []

    async def sort(self: Classifier, case: TriageCase, *_: object) -> None:
        tries.append(case.id)
        raise error(SECRET)

    monkeypatch.setattr(Classifier, "classify", sort)
    crowd = ActiveReplies()
    place = Scope("slack", "W", "C", "m1")
    case = TriageCase(0, place, "m1", time.time(), "alice", SECRET, auto=True)
    case = await crowd.store.open_case(case)
    for start in range(auto.MOST_TRIES + 2):
        async with crowd.serving() as adapters:
            thread = ThreadKey("discord", "W", "C", f"t{start}")
            assert await answered(adapters["discord"], thread, f"q{start}")
            async with asyncio.timeout(60):
                # Neither a list nor a database tells anybody that it changed.
                while len(tries) < min(start + 1, auto.MOST_TRIES) or (  # noqa: ASYNC110
                    start >= auto.MOST_TRIES and await waiting(crowd.store)
                ):
                    await asyncio.sleep(0.005)
    assert tries == [case.id] * auto.MOST_TRIES
    given_up = await crowd.store.case(case.id)
    assert await waiting(crowd.store) == []
    assert given_up is not None
    assert (given_up.reason, given_up.shown) == (auto.GIVEN_UP, True)
    assert SECRET not in caplog.text


# Ids that are none of Discord's.


def test_what_is_no_id_is_nowhere() -> None:
    for text in (
        "",
        "general",
        "-1",
        "1.5",
        "٣",
        "0",
        "9" * 21,
        "9" * 5_000,
        "\0",
        " 1",
    ):
        assert not ids.is_id(text), text
        with pytest.raises(ThreadGone) as caught:
            ids.number(text, "channel")
        assert str(caught.value) == "channel: no id of Discord's", text


@code.WALKS
def test_no_text_is_read_as_a_number_anywhere_else() -> None:
    """In Discord's adapter; what is read there was looked at with `ids.is_id`."""
    looked_at = {
        ("ask_command.py", "target"),
        ("modals.py", "field.required"),
        ("content.py", "total"),
        # Numbers of seconds.
        ("live.py", "patience"),
        ("global_rate_limit.py", "(now - self._refused_at) / WIDER_FOR"),
        # At most 13 digits.
        ("markup.py", "match['time']"),
        ("catching_up.py", "thread.thread"),
        ("ids.py", "text"),
        ("name_cache.py", "message.author"),
        ("name_cache.py", "user"),
        ("members.py", "user"),
        ("missed_deletions.py", "message.message"),
        ("surface.py", "part.calls"),
        ("surface.py", "s.message or 0"),
        ("uploads.py", "message"),
        ("threads.py", "turn.asker"),
    }
    folder = Path(ids.__file__).parent
    found = {
        (path.name, ast.unparse(node.args[0]))
        for path in folder.glob("*.py")
        for node in code.of_kind(code.tree(path), ast.Call)
        if getattr(node.func, "id", "") == "int"
    }
    assert found == looked_at


async def test_a_thread_that_cannot_be_caught_up_with_holds_up_no_other(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(retry, "BACKOFF", retry.Backoff(0.001, 0.001))
    store = MemoryStore()
    async with built() as town:
        async with on_discord(town, store):
            await town.answers("discord")
            first = town.thread
            await town.answers("discord")
            second = town.thread
            await town.quiet(store)
        town.ask("discord", "one more", thread=first)
        town.ask("discord", "one more", thread=second)
        broken = discord_faults.MESSAGES.replace(r"\d+", first, 1)
        fault = discord_faults.status(500)
        town.discord.faults.add("GET", broken, fault, times=discord_faults.ALWAYS)
        # discord.py has pauses of its own between the tries of one call.
        monkeypatch.setattr("asyncio.sleep", hastened(asyncio.sleep))
        async with on_discord(town, store):
            await town.until(
                lambda: town.replies("discord", second) == ["Understood."] * 2
            )
            await town.until(lambda: "discord.not_caught_up" in caplog.text)
            assert town.replies("discord", first) == ["Understood."]


def on_discord(town: Town, store: Store) -> AbstractAsyncContextManager[Town]:
    """Serve Discord alone."""
    elsewhere = {"slack": FakeAdapter("slack")}
    return served(town, store, listening=["discord"], instead=elsewhere)


def hastened(sleep: Any) -> Any:
    """Return `sleep`, in which no pause is longer than a moment."""

    async def hasty(seconds: float, result: Any = None) -> Any:
        return await sleep(min(seconds, 0.01), result)

    return hasty


async def test_what_the_database_never_takes_is_not_repeated() -> None:
    tries = []

    async def attempt() -> None:
        tries.append(1)
        raise StorageRejected("SQLITE_CONSTRAINT")

    with pytest.raises(StorageRejected):
        await retry_until_success(attempt)
    assert len(tries) == 1
