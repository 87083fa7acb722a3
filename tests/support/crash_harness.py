"""Plays plots in which Threadkeep, run as a process, is killed or stopped.

The emulators of the platform and of Claude run in the test process. This module holds
the code that all platforms share; `crash_scenes` holds the scene on each platform.

Rule: the product has no switches for these tests. The moment of a kill is chosen by an
event outside it: a held call, a visible message, an acknowledgement.
"""

import asyncio
import contextlib
import signal
import time
from abc import ABC, abstractmethod
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, Protocol, Self, TypeVar

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Asked
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import invariants, postgres, stored
from tests.support.deep import DEEP
from tests.support.process import Nursery, Process, is_heard

# Seconds that any step may take on a busy machine.
PATIENCE = 120.0

# How many scenarios are played at once. They mostly wait for time to pass; more of them
# would wait for a processor.
AT_ONCE = 8

# How many scenarios are played in a row in one scene. Each begins with the process that
# the previous one left running, which saves half of all starts. More of them would use
# up the edits that Slack allows in a minute.
IN_A_ROW = 6

# Seconds that running answers get when Threadkeep is told to stop.
GRACE = 30

NEWEST = "SELECT state FROM turns ORDER BY id DESC LIMIT 1"
UNDELIVERED = "SELECT count(*) FROM turns WHERE state <> 'delivered'"
THREADS = "SELECT coalesce(max(id), 0) FROM threads"


class Held(Protocol):
    """A rule that makes an emulator leave a call unanswered."""

    #: The number of calls that the rule has matched.
    struck: int


class Life:
    """One Threadkeep process, which can be started and ended again, and its
    database."""

    def __init__(
        self,
        process: Process,
        nursery: Nursery | None,
        *platforms: SlackEmulator | DiscordEmulator,
    ) -> None:
        self.process = process
        self._held: list[asyncio.Event] = []
        self.nursery = nursery
        self._platforms = platforms

    async def begin(self) -> None:
        """Start the process on the existing database."""
        await self.process.start(nursery=self.nursery)

    async def start(self) -> None:
        """Start the process unless it is running, and wait until it listens."""
        if not self.process.runs:
            await self.begin()
        await self._heard(True)

    async def crash(self) -> None:
        """Kill the process."""
        self.process.kill()
        assert await self.process.ended() == -signal.SIGKILL
        await self._heard(False)

    async def restart(self) -> None:
        """Kill the process and start it again."""
        await self.crash()
        await self.start()

    async def restart_at(self, *points: Held) -> None:
        """Kill the process at each of `points` in turn, and start it again each
        time."""
        for point in points:
            await self.caught(point)
            await self.restart()

    async def caught(self, point: Held) -> None:
        """Wait until the process makes the call that `point` holds."""
        await self._platforms[0].until(lambda: point.struck, timeout=PATIENCE)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Tell the process to end and check that it exits with 0. Return the seconds
        taken."""
        began = time.monotonic()
        self.process.kill(number)
        assert await self.process.ended(PATIENCE) == 0
        return time.monotonic() - began

    async def stored(self, state: str) -> None:
        """Wait until the newest turn in the database is in `state`."""
        await self.reads(NEWEST, state)

    async def reads(self, query: str, value: object) -> None:
        """Wait until the first column of the first row of `query` is `value`."""

        def told() -> object:
            row = db.execute(query).fetchone()
            return row and row[0]

        with stored.opened(self.process.at) as db:
            async with asyncio.timeout(PATIENCE):
                # A database does not announce its changes.
                while told() != value:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def printed(self, words: str, after: int = 0) -> None:
        """Wait until the log contains `words` after its first `after` characters."""
        async with asyncio.timeout(PATIENCE):
            # A file does not announce its changes either.
            while words not in self.process.output[after:]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def holding(self) -> asyncio.Event:
        """Return an event for a call to wait on. It is set when the scene is over."""
        self._held.append(asyncio.Event())
        return self._held[-1]

    def release(self) -> None:
        """Release every held call, when nobody waits for it any more."""
        for event in self._held:
            event.set()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Block writes to the database."""
        with stored.opened(self.process.at) as db, stored.locked(db):
            yield

    def age(self, seconds: float) -> None:
        """Make the heartbeats in the database `seconds` older."""
        with stored.opened(self.process.at) as db:
            db.execute("UPDATE turns SET touched = touched - ?", [seconds])

    async def _heard(self, wanted: bool) -> None:
        for each in self._platforms:
            await each.until(
                lambda each=each: is_heard(each) is wanted,  # type: ignore[misc]
                timeout=PATIENCE,
            )


@contextlib.asynccontextmanager
async def living(life: Life) -> AsyncIterator[Life]:
    """Yield `life`, and end its process afterwards. Add its output to any error that
    the block raises."""
    try:
        yield life
    except BaseException as error:
        error.add_note(life.process.output)
        raise
    finally:
        with contextlib.suppress(ProcessLookupError):
            life.process.kill()
            await life.process.ended()
        life.release()


class Scene(ABC):
    """Alice and Bob in #general, Claude, and a Threadkeep process that gets killed.

    This class has what a plot needs on every platform. A plot that needs calls of one
    platform takes the scene of that platform, from `crash_scenes`.

    Several plots may be played in a row. Each has its own people and channel, and
    counts from the point where the previous one ended.
    """

    witness: invariants.Witness
    #: An answer that takes two messages.
    two_messages: str

    def __init__(
        self,
        platform: SlackEmulator | DiscordEmulator,
        claude: ClaudeEmulator,
        life: Life,
    ) -> None:
        self.claude = claude
        self._asked = len(claude.questions)
        self._printed = len(life.process.output)
        #: The id of the newest thread in the database that belongs to an earlier plot.
        self._threads = 0
        self.process = life.process
        self.nursery = life.nursery
        self.alice = platform.add_user("Alice")
        self.bob = platform.add_user("Bob")
        self.general = platform.add_channel("general")
        self._platform = platform
        self._life = life

        # Starting and ending the process.
        self.begin = life.begin
        self.start = life.start
        self.crash = life.crash
        self.restart = life.restart
        self.restart_at = life.restart_at
        self.caught = life.caught
        self.stop = life.stop
        self.stored = life.stored
        self.locked = life.locked
        self.age = life.age

    async def opens_with(self, text: str) -> str:
        """Start the process, let Alice mention the bot in #general, and return the
        thread."""
        await self.start()
        return self.ask(text)

    async def end(self) -> None:
        """Wait until all work is finished and the invariants hold."""
        try:
            await self.finished()
            # On a server, a process takes over work only when the previous one is known
            # to have ended.
            await self.reads(UNDELIVERED, 0)
        except TimeoutError as error:
            error.add_note(self.dump())
            raise
        deadline, wait = time.monotonic() + PATIENCE, 0.05
        # Signs are removed after the last write. A real fault does not go away.
        while self._faults():
            if time.monotonic() >= deadline:
                self.check()
            await asyncio.sleep(wait := min(1.0, 2 * wait))

    async def close(self) -> None:
        """Stop the process if it is running, and check the invariants of all plots."""
        if self.process.runs:
            await self.stop()
            self.check()

    def following(self) -> Self:
        """Return the scene of the next plot, with the same process in its current
        state."""
        self.claude.forget_scripts()
        self._platform.faults.clear()
        scene = self._again()
        with stored.opened(self.process.at) as db:
            scene._threads = db.execute(THREADS).fetchone()[0]
        return scene

    async def ends_with(self, thread: str, *texts: str) -> None:
        """Wait until the bot's messages in a thread read exactly `texts`; then do as
        `end`."""
        await self.answered(thread, *texts)
        await self.end()

    def check(self, *others: invariants.Witness) -> None:
        """Check the invariants, for the witnesses of other platforms too."""
        try:
            invariants.check(self.claude, self.process.at, self.witness, *others)
        except AssertionError as error:
            error.add_note(self.dump())
            raise

    def _faults(self) -> list[str]:
        return invariants.faults(self.claude, self.process.at, self.witness)

    async def reads(self, query: str, value: object) -> None:
        """Wait until the first column of the first row of `query` is `value`.
        "{before}" in `query` stands for the id of the newest thread of the earlier
        plots."""
        await self._life.reads(query.format(before=self._threads), value)

    async def printed(self, words: str) -> None:
        """Wait until the log of this scene contains `words`."""
        await self._life.printed(words, self._printed)

    @property
    def questions(self) -> list[Asked]:
        """The requests that Claude received in this scene."""
        return self.claude.questions[self._asked :]

    async def answered(self, thread: str, *texts: str) -> None:
        """Wait until the bot's messages in a thread read exactly `texts`."""
        await self.until(lambda: self.texts(thread) == [*texts])

    async def until(self, predicate: Callable[[], object]) -> None:
        """Wait until `predicate()` is true. It is tested when people's view changes."""
        await self._platform.until(predicate, timeout=PATIENCE)

    async def asked(self, times: int) -> None:
        """Wait until Claude was asked `times` times."""
        await self.claude.until(lambda: len(self.questions) == times, PATIENCE)

    async def remembered(self, count: int) -> None:
        """Wait until the database holds `count` messages of people."""
        query = "SELECT count(*) FROM messages WHERE thread_id > {before}"
        await self.reads(f"{query} AND role = 'user'", count)

    @abstractmethod
    def _again(self) -> Self:
        """Return the scene of the next plot."""

    @abstractmethod
    def ask(self, text: str) -> str:
        """Let Alice mention the bot in #general; return the thread of the answer."""

    @abstractmethod
    def go_on(self, thread: str, text: str) -> None:
        """Let Bob post a message in a thread."""

    @abstractmethod
    def texts(self, thread: str) -> list[str]:
        """Return the texts of the bot's messages in a thread."""

    @abstractmethod
    def ids(self, thread: str) -> list[str]:
        """Return the ids of the bot's messages in a thread."""

    @abstractmethod
    def signs(self, thread: str) -> int:
        """Return how many messages of a thread have a waiting sign."""

    @abstractmethod
    async def finished(self) -> None:
        """Wait until Threadkeep has nothing left to do."""

    @abstractmethod
    def dump(self) -> str:
        """Describe the calls that were made and the messages that people see."""

    @abstractmethod
    def hold_post(self, *, after: bool = False, nth: int = 1) -> Held:
        """Never answer one post. With `after`, it takes effect first."""

    @abstractmethod
    def hold_edit(
        self, *, after: bool = False, nth: int = 1, final: bool = False
    ) -> Held:
        """Never answer one edit; with `final`, one that shows the final text of a
        message."""

    @abstractmethod
    def hold_sign_in(self, nth: int) -> Held:
        """Never answer the first (`nth` is 0) or the second (1) call of a start."""

    @abstractmethod
    def count_last_edits(self, thread: str) -> int:
        """Return the number of edits in a thread that showed the final text of a
        message."""


# Playing scenes.


class Played(Protocol):
    """The part of a scene that is needed to play it."""

    async def close(self) -> None: ...


S = TypeVar("S", bound=Played)

#: Opens a scene. The arguments are its folder, the grace period of running answers in
#: seconds, the nursery that starts its processes (None for cold starts), and the
#: address of the database ("" for a file in the folder).
Stage = Callable[[Path, int, Nursery | None, str], AbstractAsyncContextManager[S]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A plot and the stage that it is played on."""

    name: str
    plot: Callable[[Any], Awaitable[None]]
    stage: Stage[Any]
    grace: int
    #: Whether processes are started as operators start them, without a nursery.
    cold: bool
    #: Whether the scenario needs a scene of its own.
    alone: bool
    on_server: bool

    def __str__(self) -> str:
        return self.name

    @contextlib.asynccontextmanager
    async def set_scene(
        self, folder: Path, nursery: Nursery | None
    ) -> AsyncIterator[Any]:
        """Open a scene in `folder`, whose processes are started by `nursery`."""
        with contextlib.ExitStack() as stack:
            at = ""
            if self.on_server:
                opened = stack.enter_context(postgres.emptied(postgres.migrated))
                at = postgres.uri(opened)
            source = None if self.cold else nursery
            async with self.stage(folder, self.grace, source, at) as scene:
                yield scene


class Repertoire(Generic[S]):
    """The scenarios for one kind of stage. Modules add theirs to it."""

    def __init__(self, stage: Stage[S]) -> None:
        self.all: list[Scenario] = []
        self._stage = stage

    def add(
        self,
        *,
        cold: bool = False,
        alone: bool = False,
        grace: int = GRACE,
        on_server: bool = DEEP,
        deep: bool = False,
    ) -> Callable[[Callable[[S], Awaitable[None]]], Callable[[S], Awaitable[None]]]:
        """Add the decorated function, on a database file and, if `on_server`, also on
        PostgreSQL.

        `grace` is the time in seconds that running answers get when Threadkeep is told
        to stop. `alone` means that the plot needs a scene in which nothing else was
        played. `deep` means that only the long form plays it, because another plot is
        caught at the same call in the same state.
        """
        alone = alone or cold or grace != GRACE

        def added(
            play: Callable[[S], Awaitable[None]],
        ) -> Callable[[S], Awaitable[None]]:
            for server in (False, True)[: (1 + on_server) * (DEEP or not deep)]:
                name = play.__name__ + "_on_postgresql" * server
                where = self._stage, grace, cold, alone or server, server
                self.all.append(Scenario(name, play, *where))
            return play

        return added


@contextlib.asynccontextmanager
async def playing(
    scenarios: Sequence[Scenario],
    new_folder: Callable[[str], Path],
    at_once: int = AT_ONCE,
) -> AsyncIterator[dict[Scenario, asyncio.Future[None]]]:
    """Play `scenarios`, `at_once` at a time. Yield a future for the end of each."""
    free = asyncio.Semaphore(at_once)
    loop = asyncio.get_running_loop()
    ends = {each: loop.create_future() for each in scenarios}
    async with Nursery() as nursery:

        async def play(row: Sequence[Scenario]) -> None:
            waiting = deque(row)
            async with free:
                # After a failure, the remaining scenarios get a new scene.
                while waiting:
                    folder = new_folder(str(waiting[0]))
                    await _play(waiting, folder, nursery, ends)

        tasks = [asyncio.create_task(play(row)) for row in _rows(scenarios)]
        try:
            yield ends
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)


def _rows(scenarios: Sequence[Scenario]) -> list[list[Scenario]]:
    """Group the scenarios that are played in a row in one scene. Cold starts take
    longest, so they come first."""
    rows = [[each] for each in scenarios if each.alone]
    together = defaultdict[object, list[Scenario]](list)
    for each in scenarios:
        if not each.alone:
            together[each.stage].append(each)
    for found in together.values():
        rows += [found[n : n + IN_A_ROW] for n in range(0, len(found), IN_A_ROW)]
    return sorted(rows, key=lambda row: not row[0].cold)


async def _play(
    waiting: deque[Scenario],
    folder: Path,
    nursery: Nursery,
    ends: dict[Scenario, asyncio.Future[None]],
) -> None:
    """Play the `waiting` scenarios in one scene, until one fails."""
    now = waiting.popleft()
    try:
        async with now.set_scene(folder, nursery) as scene:
            await now.plot(scene)
            while waiting:
                scene = scene.following()
                ends[now].set_result(None)
                now = waiting.popleft()
                await now.plot(scene)
            await scene.close()
    except Exception as error:
        ends[now].set_exception(error)
    else:
        ends[now].set_result(None)
