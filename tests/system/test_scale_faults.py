"""Questions while processes on one PostgreSQL database are killed, frozen and replaced,
and the database is disconnected or restarted.

No question is lost, answered twice or left unfinished."""

import asyncio
import contextlib
import random
import signal
import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest

from tests.emulators.claude.reply import Pause
from tests.support import postgres
from tests.support.deep import DEEP, rounds
from tests.support.process import Nursery, Process
from tests.support.scale_harness import Cluster, cluster

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUT = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
ASKED = "SELECT message FROM messages WHERE role = 'user' AND asks = 1"
COUNTS = """
    SELECT threads.thread, count(*) FROM turns JOIN threads ON threads.id = thread_id
    GROUP BY threads.thread
"""
# What is held back of budgets once nothing runs any more.
HELD = "SELECT reserved FROM accounts WHERE abs(reserved) > 0.0000001"

# Longer than a process may give no sign of life.
FROZEN_SECONDS = 12.0

# The pause between questions, in seconds: more would wait for Slack's budgets.
GAP = rounds(0.7, 1.4)


class Harm:
    """Faults of processes and of the database, one after the other."""

    def __init__(self, town: Cluster, server: postgres.Server | None) -> None:
        self._town = town
        self._server = server
        self._chance = random.Random(5)

    async def do(self, kind: str) -> None:
        await getattr(self, f"_{kind}")()

    async def _kill(self) -> None:
        process = self._any()
        await self._town.crash(process)
        await self._town.start(_role(process))

    async def _replace(self) -> None:
        process = self._any()
        await self._town.start(_role(process))
        await self._town.stop(process)

    async def _cut(self) -> None:
        self._town.ask(CUT)

    async def _freeze(self) -> None:
        process = self._any("work")
        process.kill(signal.SIGSTOP)
        await asyncio.sleep(FROZEN_SECONDS)
        process.kill(signal.SIGCONT)

    async def _restart(self) -> None:
        assert self._server is not None
        assert self._server.process is not None
        assert self._server.directory is not None
        self._server.process.send_signal(signal.SIGINT)
        await asyncio.to_thread(self._server.process.wait)
        self._server = await asyncio.to_thread(postgres.start, self._server.directory)

    def _any(self, role: str = "") -> Process:
        processes = self._town.processes
        return self._chance.choice([p for p in processes if role in _role(p)])

    def end(self) -> None:
        if self._server is not None and self._server.process is not None:
            self._server.process.send_signal(signal.SIGQUIT)
            self._server.process.wait()


def _role(process: Process) -> str:
    return process.folder.name.partition("-")[0]


@contextlib.contextmanager
def database() -> Iterator[tuple[str, postgres.Server | None]]:
    """A database, and the server that is its own where that is to start again."""
    if not DEEP:
        with postgres.database(postgres.woken) as address:
            yield address, None
        return
    with tempfile.TemporaryDirectory(prefix="threadkeep-pg-") as folder:
        server = postgres.start(Path(folder))
        yield server.of(server.create()), server


async def ask(town: Cluster, count: int) -> list[str]:
    """Have so many questions asked, some of them in threads that there are already;
    return their ids."""
    chance, roots, asked = random.Random(7), list[str](), list[str]()
    for number in range(count):
        root = chance.choice(roots) if roots and chance.random() < 0.3 else None
        asked.append(town.say(f"question {number}", thread_ts=root))
        if root is None:
            roots.append(asked[-1])
        await asyncio.sleep(GAP)
    return asked


@pytest.mark.parametrize(
    "kinds",
    [
        pytest.param(
            rounds(("cut", "kill"), ("kill", "replace", "cut") * 6),
            id="ended",
        ),
        pytest.param(rounds((), ("freeze", "restart", "kill") * 4), id="frozen"),
    ],
)
async def test_no_question_is_lost_or_answered_twice(
    tmp_path: Path, nursery: Nursery, kinds: Sequence[str]
) -> None:
    if not kinds:
        pytest.skip("only under `make deep`")
    with database() as (address, server):
        async with cluster(tmp_path, nursery, address) as town:
            harm = Harm(town, server)
            try:
                await _play(town, harm, kinds)
            finally:
                await town.end()
                harm.end()


async def _play(town: Cluster, harm: Harm, kinds: Sequence[str]) -> None:
    town.claude.always(["Paris ", Pause(0.4), "is the ", Pause(0.4), "capital."])
    for role in ("gateway",) * rounds(1, 2) + ("work",) * rounds(2, 4):
        await town.start(role)
    asking = asyncio.create_task(ask(town, rounds(6, 80)))
    for kind in kinds:
        await asyncio.sleep(1.0)
        await harm.do(kind)
    asked = set(await asking)
    await town.until(lambda: {each for (each,) in _told(town, ASKED)} >= asked)
    await town.delivered()
    for thread, count in _told(town, COUNTS):
        replies = town.replies(str(thread))
        assert Counter(replies) == {"Paris is the capital.": count}, thread
    assert town.ask(HELD) == []


def _told(town: Cluster, statement: str) -> list[tuple[object, ...]]:
    """Return the rows of a statement; none while the database starts."""
    with contextlib.suppress(psycopg.Error):
        return town.ask(statement)
    return []
