"""Everything that grows with traffic has a bound, and excess messages are not lost."""

import asyncio
import logging
import re
import sqlite3
import threading
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from slack_sdk.socket_mode.aiohttp import SocketModeClient

from adapters.discord import backlog
from adapters.slack import intake, sockets
from adapters.slack.name_cache import MOST_NAMES
from bot.domain.scope import Scope
from bot.domain.triage_case import TriageCase
from bot.errors import StorageBusy, StorageFull
from bot.ports.store import Store
from bot.runtime import retry
from bot.runtime.allowance import Allowance
from bot.runtime.background import Background
from bot.runtime.lru import LruDict
from bot.triage.chat import auto as auto_triage
from bot.triage.chat.auto import AT_ONCE, AutoTriage
from bot.triage.chat.classifier import Classifier
from storage.database import WAL_BYTES, open_for_writing
from storage.reader import Reader
from storage.writer import Writer
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.command_harness import NOON, Office
from tests.support.deep import rounds
from tests.support.memory_store import MemoryStore
from tests.support.process import running
from tests.support.scripted_model import ScriptedModel
from tests.support.triage_requests import sorted_as
from tests.unit.triage.chat.test_commands import heard, put


async def until(condition: Callable[[], bool], timeout: float = 60.0) -> None:
    async with asyncio.timeout(timeout):
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.002)


# Maps and counters, which are pure.


@settings(max_examples=rounds(20, 3_000), deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("rwdi"), st.integers(0, 9)), max_size=80),
    st.integers(1, 6),
)
def test_a_bounded_map_forgets_the_least_recently_used(
    steps: list[tuple[str, int]], most: int
) -> None:
    known: LruDict[int, int] = LruDict(most)
    model: dict[int, int] = {}
    for number, (step, key) in enumerate(steps):
        if step == "w":
            model.pop(key, None)
            model[key] = number
            known[key] = number
            if len(model) > most:
                del model[next(iter(model))]
        elif step == "d":
            assert known.pop(key, None) == model.pop(key, None)
        elif step == "r":
            assert known.get(key) == model.get(key)
            if key in model:
                model[key] = model.pop(key)
        else:
            assert (key in known) == (key in model)
        assert list(known.items()) == list(model.items())
        assert len(known) <= most


def test_a_bounded_map_has_room_for_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        LruDict(0)


@given(st.lists(st.booleans()), st.integers(1, 5))
def test_there_is_never_more_under_way_than_allowed(
    steps: list[bool], most: int
) -> None:
    allowance = Allowance(most)
    under_way = refused = told = 0
    for take in steps:
        if take and allowance.take():
            under_way += 1
        elif take:
            refused += 1
        elif under_way:
            under_way -= 1
            told += allowance.give()
        assert under_way == allowance.used <= most
        assert told + allowance.refused == refused


# The database.


async def test_what_waits_to_be_written_is_bounded_and_the_rest_is_refused_at_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = threading.Event()
    db = open_for_writing(tmp_path / "t.db")
    with caplog.at_level(logging.INFO), closing(Writer(db, most=10)) as writer:
        written: list[int] = []

        def write(number: int) -> None:
            held.wait()
            if number not in written:
                written.append(number)

        waiting = [
            asyncio.create_task(writer.write(lambda db, n=n: write(n)))  # type: ignore[misc]
            for n in range(10)
        ]
        await asyncio.sleep(0)
        for _ in range(5):
            with pytest.raises(StorageBusy) as refused:
                await writer.write(lambda db: write(99))
        assert "try again" in refused.value.user_text
        assert writer._queue.qsize() <= 10
        held.set()
        await asyncio.gather(*waiting)
        await writer.write(lambda db: write(11))
    assert sorted(written) == [*range(10), 11]
    assert caplog.text.count("storage.writes_refused") == 1
    assert "storage.writes_taken_again refused=5" in caplog.text


async def test_what_waits_to_be_read_is_bounded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    held = threading.Event()
    db = open_for_writing(tmp_path / "t.db")
    with caplog.at_level(logging.INFO), closing(Reader(db, most=10)) as reader:
        waiting = [
            asyncio.create_task(reader.read(lambda db: held.wait())) for _ in range(10)
        ]
        await asyncio.sleep(0)
        for _ in range(5):
            with pytest.raises(StorageBusy):
                await reader.read(lambda db: None)
        held.set()
        assert await asyncio.gather(*waiting) == [True] * 10
        assert await reader.read(lambda db: 7) == 7
    assert caplog.text.count("storage.reads_refused") == 1
    assert "storage.reads_taken_again refused=5" in caplog.text


async def test_the_log_shrinks_after_a_long_reader(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    wal = path.with_name("t.db-wal")
    with closing(Writer(open_for_writing(path))) as writer:

        async def write(count: int) -> None:
            for _ in range(count):
                await writer.write(
                    lambda db: db.execute("INSERT INTO junk SELECT randomblob(500000)")
                )

        await writer.write(lambda db: db.execute("CREATE TABLE junk (bytes)"))
        with closing(sqlite3.connect(path)) as other:
            other.execute("BEGIN")
            other.execute("SELECT count(*) FROM junk").fetchone()
            await write(20)
            grown = wal.stat().st_size
            assert grown > WAL_BYTES
            other.rollback()
        await write(2)
        assert wal.stat().st_size <= WAL_BYTES


async def test_what_was_deleted_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "t.db"
    with closing(Writer(open_for_writing(path))) as writer:
        await writer.write(lambda db: db.execute("CREATE TABLE notes (text)"))
        secret = "what nobody may read " * 50
        await writer.write(
            lambda db: db.execute("INSERT INTO notes VALUES (?)", [secret])
        )
        await writer.write(lambda db: db.execute("DELETE FROM notes"))
    # Closed, so all of the log is in the file.
    assert b"what nobody may read" not in path.read_bytes()


# Slack.


class Slow:
    """A store that takes nothing in until it is let."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.gate = asyncio.Event()
        self.hearing = self.most = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def receive(self, *arguments: Any, **named: Any) -> Any:
        self.hearing += 1
        self.most = max(self.most, self.hearing)
        try:
            await self.gate.wait()
            return await self._store.receive(*arguments, **named)
        finally:
            self.hearing -= 1


async def test_what_slack_sends_beyond_the_bound_is_not_acknowledged_and_comes_again(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    monkeypatch.setattr(intake, "MOST_EVENTS", 5)
    caplog.set_level(logging.INFO)
    async with (
        # Slack repeats for minutes; here it has to be often in a second.
        SlackEmulator(ack_timeout=0.3, retries=[0.05] * 1_000) as slack,
    ):
        channel, alice = slack.add_channel("general"), slack.add_user("Alice")
        root = slack.say(alice, channel, "it fails")
        slow = Slow(store)
        async with running(slack, slow, ScriptedModel()):
            said = [
                slack.say(alice, channel, f"{slack.mention} {n}", thread_ts=root)
                for n in range(12)
            ]
            await until(lambda: "slack.events_refused" in caplog.text)
            slow.gate.set()
            texts: list[str] = []

            async def kept() -> bool:
                thread = [t for t in await store.list_threads("slack", channel)][:1]
                if thread:
                    texts[:] = [x for _, x in await store.transcript(thread[0].thread)]
                return all(any(f" {n}" in t for t in texts) for n in range(12))

            async with asyncio.timeout(60):
                while not await kept():  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            assert len(said) == 12
    assert slow.most <= 5
    # Once for each spell, and not for each event.
    spells = re.findall(r"slack\.events_taken_again refused=(\d+)", caplog.text)
    assert caplog.text.count("slack.events_refused") <= len(spells) + 1
    assert sum(map(int, spells)) > len(spells)


async def test_the_queue_of_the_sdk_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    store = MemoryStore()
    queues: list[asyncio.Queue[Any]] = []

    class Socket(SocketModeClient):
        async def connect(self) -> None:
            queues.append(self.message_queue)
            await super().connect()  # type: ignore[no-untyped-call]

    monkeypatch.setattr(sockets, "SocketModeClient", Socket)
    async with (
        SlackEmulator() as slack,
        running(slack, store, ScriptedModel()),
    ):
        assert [each.maxsize for each in queues] == [intake.MOST_EVENTS]


async def test_a_message_of_2000_mentions_on_slack_is_fifty_names_and_no_storm() -> (
    None
):
    store = MemoryStore()
    async with SlackEmulator() as slack:
        channel, alice = slack.add_channel("general"), slack.add_user("Alice")
        bob = slack.add_user("Bob")
        model = ScriptedModel()
        async with running(slack, store, model):
            flood = " ".join(f"<@U{n:08}>" for n in range(10**7, 10**7 + 2_000))
            ts = slack.say(alice, channel, f"{slack.mention} <@{bob}> {flood}")
            other = slack.say(bob, channel, f"{slack.mention} hello")
            for each in (ts, other):
                await slack.until(
                    lambda each=each: (  # type: ignore[misc]
                        [s.text for s in slack.thread(channel, each) if s.bot]
                        == ["Understood."]
                    ),
                )
            calls = slack.calls_of("users.info")
            assert len(calls) <= MOST_NAMES + 2
            assert Counter(call.outcome for call in calls)["ratelimited"] <= 4
            # Nor are names asked for again while Slack refuses.
            for number in range(2):
                flood = " ".join(f"<@U{number}{n:07}>" for n in range(500))
                ts = slack.say(alice, channel, f"{slack.mention} {flood}")
                await slack.until(
                    lambda ts=ts: any(  # type: ignore[misc]
                        s.text == "Understood." for s in slack.thread(channel, ts)
                    ),
                )
            outcomes = Counter(call.outcome for call in slack.calls_of("users.info"))
            assert sum(outcomes.values()) <= 80
            assert outcomes["ratelimited"] <= 10
    asked = "".join(r.messages[0].content for r in model.requests)
    assert "@Bob" in asked
    assert 'author="Alice"' in asked
    # What is not looked up stays as it was said.
    assert "@U10001999" in asked


# Discord.


class Full:
    """A store whose disk is full until there is room."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.full = False
        self.refused = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def _need_room(self) -> None:
        if self.full:
            self.refused += 1
            raise StorageFull("the disk is full")

    async def receive(self, *arguments: Any, **named: Any) -> Any:
        self._need_room()
        return await self._store.receive(*arguments, **named)

    async def delete_messages(self, *arguments: Any) -> Any:
        self._need_room()
        return await self._store.delete_messages(*arguments)

    async def edit_message(self, *arguments: Any) -> Any:
        self._need_room()
        return await self._store.edit_message(*arguments)


async def test_on_discord_so_much_is_held_while_the_disk_is_full_and_none_is_lost(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    store = MemoryStore()
    caplog.set_level(logging.INFO)
    monkeypatch.setattr(backlog.Backlog.keep, "__defaults__", (5,))
    monkeypatch.setattr(retry, "BACKOFF", retry.Backoff(0.05, 30.0))
    async with DiscordEmulator() as discord:
        general, alice = discord.add_channel("general"), discord.add_user("Alice")
        full = Full(store)
        async with running(discord, full, ScriptedModel()):
            first = discord.say(alice, general, f"{discord.mention} first")
            thread = str(await discord.until(lambda: discord.thread_of(first)))
            await until_quiet(store)
            full.full = True
            early = discord.say(alice, thread, "early 0.")
            await until(lambda: full.refused > 0)
            before = len(asyncio.all_tasks())
            for number in range(1, 16):
                discord.say(alice, thread, f"more {number}.")
            late = discord.say(alice, general, f"{discord.mention} elsewhere")
            discord.delete(early)
            await until(lambda: "discord.backlog_full" in caplog.text)
            # Who waits is held, and no task.
            await until(lambda: len(asyncio.all_tasks()) <= before + 12)
            full.full = False
            spoken: list[str] = []

            async def kept() -> bool:
                key = [
                    each.thread
                    for each in await store.list_threads("discord", general)
                    if each.thread.thread == thread
                ]
                spoken[:] = [t for who, t in await store.transcript(key[0]) if who]
                return all(f"more {n}." in spoken for n in range(1, 16))

            async with asyncio.timeout(60):
                while not await kept():  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            await discord.until(lambda: discord.thread_of(late))
            await until_quiet(store)
            await kept()
            assert Counter(spoken)["more 7."] == 1
            assert "early 0." not in spoken
    assert caplog.text.count("discord.backlog_full") == 1
    # One task tries again, and writes a line for each try.
    assert caplog.text.count("store.refused") <= 12


async def until_quiet(store: Store) -> None:
    async with asyncio.timeout(60):
        while await store.open_threads():  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_a_burst_beyond_what_begins_at_once_waits_in_order() -> None:
    held = backlog.Backlog(at_once=2)
    gate = asyncio.Event()
    done: list[int] = []

    async def attempt(number: int) -> None:
        await gate.wait()
        done.append(number)

    keeping = [
        asyncio.create_task(held.keep(lambda n=n: attempt(n), 3))  # type: ignore[misc]
        for n in range(8)
    ]
    await asyncio.sleep(0)
    gate.set()
    kept = await asyncio.gather(*keeping)
    assert kept == [True] * 5 + [False] * 3
    assert sorted(done) == [0, 1, 2, 3, 4]
    assert held.idle


async def test_what_nobody_foresaw_does_not_hold_up_those_behind(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held = backlog.Backlog()
    tries: list[str] = []

    async def broken() -> None:
        tries.append("broken")
        if len(tries) == 1:
            raise StorageFull("full")
        raise RuntimeError("what Alice said")

    async def fine() -> None:
        tries.append("fine")

    first = asyncio.create_task(held.keep(broken))
    await asyncio.sleep(0)
    await asyncio.gather(first, held.keep(fine))
    assert tries[0] == "broken"
    assert tries[-1] == "fine"
    assert "Alice" not in caplog.text


async def test_140_mentions_of_nobody_on_discord_are_at_most_fifty_calls() -> None:
    store = MemoryStore()
    async with DiscordEmulator() as discord:
        general, alice = discord.add_channel("general"), discord.add_user("Alice")
        model = ScriptedModel()
        async with running(discord, store, model):
            flood = "".join(f"<@{n}>" for n in range(10**7, 10**7 + 140))
            asked = discord.say(alice, general, f"{discord.mention} {flood}")
            thread = str(await discord.until(lambda: discord.thread_of(asked)))
            await discord.until(
                lambda: [m.text for m in discord.messages(thread) if m.bot],
            )
            await until_quiet(store)
            names = [
                call
                for call in discord.calls
                if "/members/" in call.path or call.path.startswith("/users/1")
            ]
    assert len(names) <= 50
    assert "@10000139" in model.requests[0].messages[0].content


# Triage by itself.


@asynccontextmanager
async def sorting(office: Office) -> AsyncIterator[AutoTriage]:
    async def sleep(seconds: float) -> None:
        await asyncio.sleep(0)

    sorter = Classifier(office.store, office.model, office.operator, office.clock)
    async with Background() as tasks:
        yield AutoTriage(
            *(office.store, sorter, office.authority, {"fake": office.adapter}),
            *(tasks, office.clock, sleep),
        )


class Gated(ScriptedModel):
    """Sorts when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()
        self.running = self.most = 0
        self.order: list[str] = []

    async def answer(self, request: Any) -> AsyncIterator[Any]:  # type: ignore[override]
        self.running += 1
        self.most = max(self.most, self.running)
        self.order.append(request.messages[-1].content)
        try:
            await self.gate.wait()
            self.script(sorted_as())
            async for piece in super().answer(request):
                yield piece
        finally:
            self.running -= 1


def busy_office() -> tuple[Office, Gated]:
    office = Office()
    office.model = model = Gated()
    return office, model


async def test_what_waits_to_be_sorted_is_in_the_store_and_no_task() -> None:
    office, model = busy_office()
    await put(office, "auto_triage", "on")
    count = 10
    async with sorting(office) as auto:
        before = len(asyncio.all_tasks())
        for number in range(count):
            await auto.receive(heard(f"It broke {number}", f"m{number}"))
        # All of one channel: one at a time.
        await until(lambda: model.running == 1)
        assert len(asyncio.all_tasks()) <= before + AT_ONCE + 2
        model.gate.set()
    assert len(office.adapter.marks) == count
    assert model.most == 1
    assert await office.store.waiting_cases(["fake"], 99) == []


async def waiting(office: Office, channel: str, count: int) -> None:
    for number in range(count):
        place = Scope("fake", "w", channel, f"{channel}-{number}")
        message = f"{channel}-{number}"
        text = f"It broke in {message}."
        await office.store.open_case(
            TriageCase(0, place, message, NOON, "max", text, auto=True)
        )


async def test_channels_take_turns_and_at_most_so_many_are_sorted_at_once() -> None:
    office, model = busy_office()
    for number in range(6):
        await waiting(office, f"flood{number}", 3)
    await waiting(office, "quiet", 1)
    async with sorting(office) as auto:
        await auto.take_up()
        await until(lambda: model.running == AT_ONCE)
        model.gate.set()
    assert model.most <= AT_ONCE
    assert len(office.adapter.marks) == 19
    first = next(n for n, text in enumerate(model.order) if "quiet-0" in text)
    assert first <= 2 * 7


async def test_what_does_not_fit_is_fetched_as_places_free_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(auto_triage, "MOST_WAITING", 3)
    office, model = busy_office()
    await waiting(office, "one", 9)
    await waiting(office, "two", 2)
    model.gate.set()
    async with sorting(office) as auto:
        await auto.take_up()
        assert len(auto._waiting) <= 3
    assert len(office.adapter.marks) == 11
    assert await office.store.waiting_cases(["fake"], 99) == []


async def test_a_case_that_was_left_is_for_the_next_process(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    office, model = busy_office()
    model.gate.set()
    await waiting(office, "one", 3)

    async with sorting(office) as auto:
        tried: list[int] = []

        async def work(case: TriageCase) -> None:
            tried.append(case.id)
            if case.message == "one-1":
                raise RuntimeError("what Max said")

        monkeypatch.setattr(auto, "_work", work)
        await auto.take_up()
        await until(lambda: len(tried) == 3)
        await auto.take_up()
        await asyncio.sleep(0)
    assert sorted(tried) == sorted(set(tried))
    assert len(await office.store.waiting_cases(["fake"], 9)) == 3


async def test_a_case_that_was_deleted_while_it_waited_is_passed_over() -> None:
    office, model = busy_office()
    await waiting(office, "one", 3)
    async with sorting(office) as auto:
        await auto.take_up()
        await until(lambda: model.running == 1)
        await office.store.delete_messages("fake", "w", ["one-1"], "one", NOON)
        model.gate.set()
    assert sorted(office.adapter.marks) == ["one-0", "one-2"]


async def test_closing_leaves_what_waits_to_the_next_process() -> None:
    office, model = busy_office()
    await waiting(office, "one", 5)
    async with sorting(office) as auto:
        await auto.take_up()
        await until(lambda: model.running == 1)
        auto.close()
    assert len(await office.store.waiting_cases(["fake"], 9)) == 5
