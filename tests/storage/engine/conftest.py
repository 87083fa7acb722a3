"""Several processes on one PostgreSQL database, each with an engine and a store."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack

import pytest

from bot.domain.scope import Scope, ThreadKey
from bot.ports.wakeups import WORK, PeriodicTask
from storage.engine.engine import Engine
from storage.postgres.connection import Connection
from storage.postgres.pool import Pool
from storage.store import DatabaseStore
from tests.support import postgres


class Process:
    """One process: what it is woken for, and what it does then."""

    def __init__(
        self,
        address: str,
        owner: str,
        role: str = WORK,
        queues: Sequence[int] = (),
        at_once: int = 8,
    ) -> None:
        self.owner = owner
        self.address = address
        self.engine = Engine(
            *(address, owner, role),
            at_once=at_once,
            reaped=self._note_reaping,
            queues=queues,
        )
        self._pool = Pool(lambda: Connection(address), writers=2, readers=1)
        self.store = DatabaseStore(
            self._pool.read, self._pool.write, clock=time.time, owner=owner, shared=True
        )
        self.drained: list[ThreadKey] = []
        #: The threads that it is said to answer in when it is listed.
        self.released: list[ThreadKey] = []
        #: The threads for which there was no place.
        self.sent_away: list[ThreadKey] = []
        self.sorted: list[tuple[int, Scope]] = []
        self.stopped: list[tuple[str, str]] = []
        self.reapings = 0
        #: What it does besides from time to time, and how often it began that.
        self.has_to_do = [PeriodicTask("often", "* * * * * *", self._do_chore)]
        self.periodic_tasks = 0
        #: What a periodic task waits for; nothing at first.
        self.chore_gate = asyncio.Event()
        self.chore_gate.set()
        #: What a drained thread waits for; nothing at first.
        self.gates: dict[ThreadKey, asyncio.Event] = {}
        self.has_place = True
        self.closing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def drain(self, thread: ThreadKey) -> bool:
        if not self.has_place:
            self.sent_away.append(thread)
            return False
        self.drained.append(thread)
        if gate := self.gates.get(thread):
            await gate.wait()
        while (turn := await self.store.take_turn(thread)) is not None:
            await self.store.abandon_turn(turn, "answered", time.time())
        await self.store.leave_thread(thread)
        return True

    async def sort(self, case: int, channel: Scope) -> bool:
        self.sorted.append((case, channel))
        if self.has_place:
            await self.store.mark_case_shown(case)
        return self.has_place

    def release(self, threads: Sequence[ThreadKey]) -> None:
        self.released += threads

    def stop(self, turn: str) -> None:
        self.stopped.append(("stop", turn))

    def withdraw(self, turn: str) -> None:
        self.stopped.append(("withdraw", turn))

    async def _note_reaping(self) -> None:
        self.reapings += 1

    async def _do_chore(self) -> None:
        self.periodic_tasks += 1
        await self.chore_gate.wait()

    async def start(self, *, works: bool = True) -> None:
        self._tasks.append(asyncio.create_task(self.engine.attend(self)))
        await self.engine.entered()
        if works:
            self.begin_work()

    def begin_work(self) -> None:
        work = self.engine.work(self, self.has_to_do, self.closing)
        self._tasks.append(asyncio.create_task(work))

    async def kill(self) -> None:
        """End as a process does that is killed: nobody is told."""
        while running := [task for task in self._tasks if not task.done()]:
            # The engine may be taking one cancellation for a wish to end in peace.
            for task in running:
                task.cancel()
            await asyncio.wait(running, timeout=1.0)
        self._tasks.clear()

    async def close(self) -> None:
        for gate in (*self.gates.values(), self.chore_gate):
            gate.set()
        await self.kill()
        self._pool.close()


class Processes:
    """All processes on one database."""

    def __init__(self, address: str, stack: AsyncExitStack) -> None:
        self.address = address
        self._stack = stack
        self._observer = postgres.Observer(address)
        stack.callback(self._observer.close)

    async def one(
        self,
        owner: str,
        *,
        starts: bool = True,
        queues: Sequence[int] = (),
        role: str = WORK,
        at_once: int = 8,
    ) -> Process:
        """Return a new process called `owner`, which runs if it `starts`, and takes the
        jobs of `queues`, or all."""
        process = Process(self.address, owner, role, queues, at_once)
        self._stack.push_async_callback(process.close)
        if starts:
            await process.start()
        return process

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Return what the database answers to `statement`."""
        return self._observer.ask(statement, *values)

    async def until(self, condition: Callable[[], object], seconds: float = 30) -> None:
        """Wait until `condition` holds."""
        async with asyncio.timeout(seconds):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)


@pytest.fixture
def address() -> Iterator[str]:
    with postgres.emptied(postgres.woken) as found:
        yield found


@pytest.fixture
async def processes(address: str) -> AsyncIterator[Processes]:
    async with contextlib.AsyncExitStack() as stack:
        yield Processes(address, stack)
