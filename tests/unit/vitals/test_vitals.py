"""The metrics of a process: connections, durations, the log, the loop."""

import asyncio
import json
import logging
import os
import stat
from pathlib import Path

import pytest

from bot.domain.vitals import BUCKETS, AnswerTimes, Connection, Vitals
from bot.errors import ConfigError
from bot.vitals import status_file
from bot.vitals.connections import MOST_ECHOES, Connections
from bot.vitals.durations import DurationCounter
from bot.vitals.log_counts import MOST_EVENTS, LogCounter
from bot.vitals.loop_lag import LoopLag
from tests.support.claude_harness import Waits


class Time:
    def __init__(self, now: float = 1_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


def only(connections: Connections, **failures: Exception) -> Connection:
    [found] = connections.all(failures)
    return found


def test_a_platform_is_connected_while_all_its_connections_are_open() -> None:
    time = Time()
    connections = Connections(["discord"], time)
    assert only(connections) == Connection("discord")
    connections.connected("discord", "0", of=2)
    assert only(connections).since is None
    connections.connected("discord", "1", of=2)
    assert only(connections).since == 1_000.0
    time.now = 1_010.0
    connections.lost("discord", "1")
    assert only(connections).since is None
    connections.connected("discord", "1", of=2)
    assert only(connections) == Connection("discord", since=1_010.0, reconnects=1)
    # Told twice, it is one connection.
    time.now = 1_020.0
    connections.connected("discord", "1", of=2)
    assert only(connections) == Connection("discord", since=1_010.0, reconnects=1)


def test_one_that_was_shut_down_is_not_connected_and_says_why() -> None:
    connections = Connections(["slack"])
    connections.connected("slack")
    found = only(connections, slack=ConfigError("The token was revoked."))
    assert (found.since, found.failure) == (None, "The token was revoked.")


def test_what_came_back_is_remembered_for_a_while() -> None:
    time, told = Time(), list[int]()
    connections = Connections(["slack"], time)
    connections.on_echo = lambda: told.append(1)
    connections.heard("slack")
    assert (only(connections).heard, only(connections).events, told) == (1_000.0, 1, [])
    for number in range(MOST_ECHOES + 1):
        connections.heard("slack", echo=str(number))
    assert connections.echoes[0] == "slack:1"
    assert connections.echoes[-1] == f"slack:{MOST_ECHOES}"
    assert len(told) == MOST_ECHOES + 1


def test_durations_are_counted_up_to_each_bound() -> None:
    counter = DurationCounter()
    for seconds in (0.1, BUCKETS[0], 0.3, 1_000.0, -5.0):
        counter.add(seconds)
    found = counter.read()
    assert found.upto[:3] == (3, 4, 4)
    assert (found.upto[-1], found.count) == (4, 5)
    assert found.total == pytest.approx(0.1 + BUCKETS[0] + 0.3 + 1_000.0)


def test_the_log_is_counted_by_event_without_its_words() -> None:
    time = Time(3_600.0 * 10)
    counter = LogCounter(time)
    log = logging.getLogger("bot.unheard")
    log.addHandler(counter)
    log.propagate = False
    try:
        log.info("turn.done thread=%s", "C1")
        log.error("turn.crashed thread=%s at=%s", "a secret", "there")
        logging.getLogger("bot.unheard.library").warning("What %s wrote", "somebody")
        time.now += 1_800.0
        log.error("turn.crashed thread=%s at=%s", "a secret", "there")
        crashed, library = counter.read()
        assert (crashed.event, crashed.level) == ("turn.crashed", "error")
        assert (crashed.hour, crashed.count, crashed.last) == (2, 2, time.now)
        assert (library.event, library.level, library.hour) == ("bot", "warning", 1)
        time.now += 2_400.0
        assert [each.hour for each in counter.read()] == [1, 0]
        assert "secret" not in repr(counter.read())
    finally:
        log.removeHandler(counter)


def test_no_number_of_kinds_of_events_makes_it_grow() -> None:
    counter = LogCounter()
    for number in range(MOST_EVENTS + 50):
        name = f"library{number}"
        counter.handle(logging.LogRecord(name, 40, "", 1, "No.", None, None))
    assert len(counter.read()) == MOST_EVENTS


async def test_a_late_loop_is_told() -> None:
    waits = Waits()
    lag = LoopLag(waits.clock, waits.sleep)
    blocked = iter([0.0, 0.7, 0.1])

    def block() -> None:
        late = next(blocked, None)
        if late is None:
            raise asyncio.CancelledError
        waits.now += late

    waits.meanwhile = block
    with pytest.raises(asyncio.CancelledError):
        await lag.watch()
    assert lag.last == pytest.approx(0.1)
    assert lag.worst == pytest.approx(0.7)


SEEN = Vitals(
    at=1_000.0,
    started=10.0,
    connections=(Connection("slack", since=20.0),),
    answers=(AnswerTimes("slack"),),
    echoes=("slack:1.0",),
)


async def test_another_process_reads_the_status_that_its_owner_alone_may_read(
    tmp_path: Path,
) -> None:
    database = tmp_path / "threadkeep.db"
    written, seen = asyncio.Event(), list[int]()

    def vitals() -> Vitals:
        seen.append(1)
        if len(seen) == 1:
            # What happens while the file is written is not forgotten.
            status.hurry()
        else:
            written.set()
        return SEEN

    status = status_file.StatusFile(database, vitals, Waits().sleep)
    keeping = asyncio.create_task(status.keep())
    await written.wait()
    path = status_file.beside(database)
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o600
    assert status_file.read(database, now=1_010.0) == SEEN
    # A process that was killed leaves its file.
    assert status_file.read(database, now=1_100.0) is None
    keeping.cancel()
    await asyncio.wait({keeping})
    assert status_file.read(database, now=1_010.0) is None
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": "x"}', json.dumps({"at": 1})])
def test_a_file_that_is_no_status_says_nothing(tmp_path: Path, text: str) -> None:
    database = tmp_path / "threadkeep.db"
    status_file.beside(database).write_text(text)
    assert status_file.read(database) is None


async def test_a_folder_that_takes_no_file_is_logged_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    tried = asyncio.Event()
    count = 0

    def vitals() -> Vitals:
        nonlocal count
        count += 1
        status.hurry()
        if count == 3:
            tried.set()
        return SEEN

    status = status_file.StatusFile(tmp_path / "gone" / "x.db", vitals, Waits().sleep)
    keeping = asyncio.create_task(status.keep())
    await tried.wait()
    keeping.cancel()
    await asyncio.wait({keeping})
    assert caplog.text.count("status.unwritable") == 1
