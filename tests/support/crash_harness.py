"""A platform and Claude here, Threadkeep as a process, and a plot that ends it.

What is the same on every platform is here; the scene on each is in `crash_scenes`.

Rule: the product has no switches for this. Where it is caught is chosen by what
the outside sees: a call that is held, a message that shows, an acknowledgement.
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

# How many seconds anything may take on a machine that is busy with other things.
PATIENCE = 120.0

# How many scenarios are played beside each other. They mostly wait for each
# other's seconds to pass; more would wait for a processor.
AT_ONCE = 8

# How many scenarios are played one after the other in one scene. Each begins with the
# process that the one before left running, which saves half of all starts; more would
# use up the edits that Slack allows in a minute.
IN_A_ROW = 6

# Seconds that running answers get when it is told to stop.
GRACE = 30

NEWEST = "SELECT state FROM turns ORDER BY id DESC LIMIT 1"
UNDELIVERED = "SELECT count(*) FROM turns WHERE state <> 'delivered'"
THREADS = "SELECT coalesce(max(id), 0) FROM threads"


class Held(Protocol):
    """A rule by which an emulator does not answer a call."""

    #: How many calls it has met.
    struck: int


class Life:
    """One Threadkeep as a process, begun and ended again, and what it remembers."""

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
        """Begin on the database that is there."""
        await self.process.start(nursery=self.nursery)

    async def start(self) -> None:
        """Begin, unless it runs already, and wait until it listens."""
        if not self.process.runs:
            await self.begin()
        await self._heard(True)

    async def crash(self) -> None:
        """End it without a moment's notice."""
        self.process.kill()
        assert await self.process.ended() == -signal.SIGKILL
        await self._heard(False)

    async def restart(self) -> None:
        """End it without a moment's notice, and begin again."""
        await self.crash()
        await self.start()

    async def restart_at(self, *points: Held) -> None:
        """End it without notice at each of `points`, and begin again."""
        for point in points:
            await self.caught(point)
            await self.restart()

    async def caught(self, point: Held) -> None:
        """Wait until it makes the call that `point` holds."""
        await self._platforms[0].until(lambda: point.struck, timeout=PATIENCE)

    async def stop(self, number: signal.Signals = signal.SIGTERM) -> float:
        """Tell it to end, which must go well; return how many seconds it took."""
        began = time.monotonic()
        self.process.kill(number)
        assert await self.process.ended(PATIENCE) == 0
        return time.monotonic() - began

    async def stored(self, state: str) -> None:
        """Wait until the database says that the newest turn is in `state`."""
        await self.reads(NEWEST, state)

    async def reads(self, query: str, value: object) -> None:
        """Wait until the database answers `query` with `value` alone."""

        def told() -> object:
            row = db.execute(query).fetchone()
            return row and row[0]

        with stored.opened(self.process.at) as db:
            async with asyncio.timeout(PATIENCE):
                # A database tells nobody that it changed.
                while told() != value:  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def printed(self, words: str, after: int = 0) -> None:
        """Wait until the log has `words`, behind its first `after` characters."""
        async with asyncio.timeout(PATIENCE):
            # Nor does a file.
            while words not in self.process.output[after:]:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def holding(self) -> asyncio.Event:
        """Return an event for a call to wait on; it is set when the scene is over."""
        self._held.append(asyncio.Event())
        return self._held[-1]

    def release(self) -> None:
        """Let go of every call that is held, now that nobody waits for it."""
        for event in self._held:
            event.set()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the database from being written to."""
        with stored.opened(self.process.at) as db, stored.locked(db):
            yield

    def age(self, seconds: float) -> None:
        """Let the last signs of life in the database be `seconds` older."""
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
    """See to it that nothing of `life` is left over, and say what it printed if
    something was wrong with it."""
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
    """Alice and Bob in #general, Claude, and a Threadkeep that gets killed.

    What a plot needs on every platform is here; a plot that needs one platform's own
    calls takes that platform's scene, from `crash_scenes`.

    Several plots may be played in a row: each has people and a channel of its own, and
    counts from where the one before had ended.
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
        #: The newest thread in the database that an earlier plot had left there.
        self._threads = 0
        self.process = life.process
        self.nursery = life.nursery
        self.alice = platform.add_user("Alice")
        self.bob = platform.add_user("Bob")
        self.general = platform.add_channel("general")
        self._platform = platform
        self._life = life

        # Starts and ends of the process.
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
        """Begin, and let Alice mention the bot in #general; return the thread."""
        await self.start()
        return self.ask(text)

    async def end(self) -> None:
        """Let it finish what it does, until the invariants hold."""
        try:
            await self.finished()
            # On a server, another process goes on only once the one before is known to
            # have ended.
            await self.reads(UNDELIVERED, 0)
        except TimeoutError as error:
            error.add_note(self.dump())
            raise
        deadline, wait = time.monotonic() + PATIENCE, 0.05
        # Signs are taken off after the last word. What is wrong for good stays wrong.
        while self._faults():
            if time.monotonic() >= deadline:
                self.check()
            await asyncio.sleep(wait := min(1.0, 2 * wait))

    async def close(self) -> None:
        """Stop it, if it runs, and check the invariants of all that was played."""
        if self.process.runs:
            await self.stop()
            self.check()

    def following(self) -> Self:
        """Return the scene of the next plot, with the process as it is now."""
        self.claude.forget_scripts()
        self._platform.faults.clear()
        scene = self._again()
        with stored.opened(self.process.at) as db:
            scene._threads = db.execute(THREADS).fetchone()[0]
        return scene

    async def ends_with(self, thread: str, *texts: str) -> None:
        """Do the same once the bot's messages in a thread read exactly `texts`."""
        await self.answered(thread, *texts)
        await self.end()

    def check(self, *others: invariants.Witness) -> None:
        """Check the invariants, with those who saw another platform as well."""
        try:
            invariants.check(self.claude, self.process.at, self.witness, *others)
        except AssertionError as error:
            error.add_note(self.dump())
            raise

    def _faults(self) -> list[str]:
        return invariants.faults(self.claude, self.process.at, self.witness)

    async def reads(self, query: str, value: object) -> None:
        """Wait until the database answers `query` with `value` alone. "{before}" stands
        in it for the newest thread of the plots before."""
        await self._life.reads(query.format(before=self._threads), value)

    async def printed(self, words: str) -> None:
        """Wait until the log has `words`."""
        await self._life.printed(words, self._printed)

    @property
    def questions(self) -> list[Asked]:
        """The requests that Claude was sent in this scene."""
        return self.claude.questions[self._asked :]

    async def answered(self, thread: str, *texts: str) -> None:
        """Wait until the bot's messages in a thread read exactly `texts`."""
        await self.until(lambda: self.texts(thread) == [*texts])

    async def until(self, predicate: Callable[[], object]) -> None:
        """Wait until `predicate()` is true of what people see."""
        await self._platform.until(predicate, timeout=PATIENCE)

    async def asked(self, times: int) -> None:
        """Wait until Claude was asked so many times."""
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
        """Let Bob say something in a thread."""

    @abstractmethod
    def texts(self, thread: str) -> list[str]:
        """Return what the bot's messages in a thread read."""

    @abstractmethod
    def ids(self, thread: str) -> list[str]:
        """Return the ids of the bot's messages in a thread."""

    @abstractmethod
    def signs(self, thread: str) -> int:
        """Return how many messages of a thread show that they wait."""

    @abstractmethod
    async def finished(self) -> None:
        """Wait until it has nothing left to do."""

    @abstractmethod
    def dump(self) -> str:
        """Describe what was written and what people see."""

    @abstractmethod
    def hold_post(self, *, after: bool = False, nth: int = 1) -> Held:
        """Never answer one post; with `after` it has had its effect."""

    @abstractmethod
    def hold_edit(
        self, *, after: bool = False, nth: int = 1, final: bool = False
    ) -> Held:
        """Never answer one edit, or one that shows a message as it is to stay."""

    @abstractmethod
    def hold_sign_in(self, nth: int) -> Held:
        """Never answer the first (0) or the second (1) call of a start."""

    @abstractmethod
    def count_last_edits(self, thread: str) -> int:
        """Return how many edits in a thread were to show a message as it is to stay."""


# How scenes are played.


class Played(Protocol):
    """A scene, as far as it takes to play in it."""

    async def close(self) -> None: ...


S = TypeVar("S", bound=Played)

#: Sets a scene in a folder; running answers get so many seconds when it is told to
#: stop, and processes come from the nursery if there is one. The last is the address of
#: the database; "" for a file in the folder.
Stage = Callable[[Path, int, Nursery | None, str], AbstractAsyncContextManager[S]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A plot, and where it is set."""

    name: str
    plot: Callable[[Any], Awaitable[None]]
    stage: Stage[Any]
    grace: int
    #: Whether processes are started the way that operators start them.
    cold: bool
    #: Whether it needs a scene of its own.
    alone: bool
    on_server: bool

    def __str__(self) -> str:
        return self.name

    @contextlib.asynccontextmanager
    async def set_scene(
        self, folder: Path, nursery: Nursery | None
    ) -> AsyncIterator[Any]:
        """Open a scene for it in `folder`, with processes that come from `nursery`."""
        with contextlib.ExitStack() as stack:
            at = ""
            if self.on_server:
                opened = stack.enter_context(postgres.database(postgres.migrated))
                at = postgres.uri(opened)
            source = None if self.cold else nursery
            async with self.stage(folder, self.grace, source, at) as scene:
                yield scene


class Repertoire(Generic[S]):
    """The scenarios for one kind of stage; modules add to it."""

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
        """Make the decorated function one of us, on a file and, if `on_server`, also on
        PostgreSQL. `grace` is what running answers get, in seconds, when it is told to
        stop; `alone`, it needs a scene in which nothing else was played; `deep`, it is
        for the long form: another one is caught at the same call in the same state."""
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
    """Play `scenarios`, `at_once` beside each other; each has a future to await."""
    free = asyncio.Semaphore(at_once)
    loop = asyncio.get_running_loop()
    ends = {each: loop.create_future() for each in scenarios}
    async with Nursery() as nursery:

        async def play(row: Sequence[Scenario]) -> None:
            waiting = deque(row)
            async with free:
                # One that fails leaves the others a scene of their own.
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
    """Return those that are played one after the other in one scene. Cold starts take
    longest, so they are not left for the end."""
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
    """Play what is `waiting` in one scene, until one fails."""
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
