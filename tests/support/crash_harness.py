"""A platform and Claude here, Threadkeep as a process, and a plot that ends it.

`Scene` is Slack's; what is the same on every platform stands above and below it.

Rule: the product has no switches for this. Where it is caught is chosen by what
the outside sees: a call that is held, a message that shows, an acknowledgement.
"""

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from bot.domain.reply import MORE, PLACEHOLDER
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.calls import Call
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.faults import Rule, hold
from tests.emulators.slack.world import Seen
from tests.support import invariants
from tests.support.process import Nursery, Process, claude_env, is_heard, slack_env

# How many seconds anything may take on a machine that is busy with other things.
PATIENCE = 60.0

# Slack waits 3 s for an acknowledgement and a minute before its second retry
# (platform facts A2, A4). Nothing here depends on how long.
ACK_TIMEOUT = 1.0
RETRIES = (0.0, *[0.5] * 40)

# How many scenarios are played beside each other. They mostly wait for each
# other's seconds to pass; more would wait for a processor.
AT_ONCE = 8

NEWEST = "SELECT state FROM turns ORDER BY id DESC LIMIT 1"


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
        self._nursery = nursery
        self._platforms = platforms

    async def begin(self) -> None:
        """Begin on the database that is there."""
        await self.process.start(nursery=self._nursery)

    async def start(self) -> None:
        """Begin, and wait until it listens."""
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
        """The same at each of `points`."""
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
        with contextlib.closing(self._database()) as db:
            async with asyncio.timeout(PATIENCE):
                # A database tells nobody that it changed.
                while db.execute(query).fetchone() != (value,):  # noqa: ASYNC110
                    await asyncio.sleep(0.01)

    async def printed(self, words: str) -> None:
        """Wait until the log has `words`."""
        async with asyncio.timeout(PATIENCE):
            # Nor does a file.
            while words not in self.process.output:  # noqa: ASYNC110
                await asyncio.sleep(0.01)

    def holding(self) -> asyncio.Event:
        """What a call waits for that is not answered before all is over."""
        self._held.append(asyncio.Event())
        return self._held[-1]

    def release(self) -> None:
        """Let go of every call that is held, now that nobody waits for it."""
        for event in self._held:
            event.set()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Keep the database from being written to."""
        with contextlib.closing(self._database()) as db:
            db.execute("BEGIN IMMEDIATE")
            yield
            db.execute("ROLLBACK")

    def age(self, seconds: float) -> None:
        """Let the last signs of life in the database be `seconds` older."""
        with contextlib.closing(self._database()) as db:
            db.execute("UPDATE turns SET touched = touched - ?", [seconds])

    async def _heard(self, wanted: bool) -> None:
        for each in self._platforms:
            await each.until(
                lambda each=each: is_heard(each) is wanted,  # type: ignore[misc]
                timeout=PATIENCE,
            )

    def _database(self) -> sqlite3.Connection:
        return sqlite3.connect(self.process.database, isolation_level=None)


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


class Scene:
    """Alice and Bob in #general, Claude, and a Threadkeep that gets killed."""

    def __init__(
        self, slack: SlackEmulator, claude: ClaudeEmulator, life: Life
    ) -> None:
        self.slack = slack
        self.claude = claude
        self.process = life.process
        self.witness = invariants.SlackWitness(slack)
        self.alice = slack.add_user("Alice")
        self.bob = slack.add_user("Bob")
        self.general = slack.add_channel("general")
        self._life = life

        # What becomes of the process.
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

    def another(self) -> Process:
        """A second Threadkeep on the same database, not started."""
        folder = self.process.database.parent / "another"
        folder.mkdir()
        env = {"THREADKEEP_DB": str(self.process.database)}
        return Process(
            folder, {**slack_env(self.slack), **claude_env(self.claude), **env}
        )

    async def opens_with(self, text: str) -> str:
        """Begin, and let Alice mention the bot in #general."""
        await self.start()
        return self.ask(text)

    async def end(self) -> None:
        """Let it finish what it does, and see whether all is as it must be."""
        await self.heard()
        await self.stop()
        self.check()

    async def ends_with(self, thread_ts: str, *texts: str) -> None:
        """The same, once the bot's messages in a thread read exactly `texts`."""
        await self.answered(thread_ts, *texts)
        await self.end()

    def check(self) -> None:
        """See `invariants.check`."""
        try:
            invariants.check(self.claude, self.process.database, self.witness)
        except AssertionError as error:
            error.add_note(self.slack.dump())
            raise

    # What people do, and what they see.

    def ask(self, text: str, *, thread_ts: str | None = None) -> str:
        """Let Alice mention the bot in #general."""
        said = f"{self.slack.mention} {text}"
        return self.slack.say(self.alice, self.general, said, thread_ts=thread_ts)

    def replies(self, thread_ts: str) -> list[Seen]:
        """The bot's messages in a thread of #general."""
        return [each for each in self.slack.thread(self.general, thread_ts) if each.bot]

    async def answered(self, thread_ts: str, *texts: str) -> None:
        """Wait until the bot's messages in a thread read exactly `texts`."""
        await self.until(lambda: [s.text for s in self.replies(thread_ts)] == [*texts])

    async def thinking(self, thread_ts: str) -> None:
        """Wait until a thread of #general shows that an answer comes."""
        await self.until(lambda: self.slack.status(self.general, thread_ts))

    async def settled(self, thread_ts: str, count: int = 1) -> list[str]:
        """Wait until a thread has `count` finished messages of the bot's."""
        await self.until(
            lambda: (
                len(now := self.replies(thread_ts)) == count
                and not any(is_unfinished(each.text) for each in now)
            )
        )
        return [each.text for each in self.replies(thread_ts)]

    async def until(self, predicate: Callable[[], object]) -> None:
        """Wait until `predicate()` is true of the workspace."""
        await self.slack.until(predicate, timeout=PATIENCE)

    async def heard(self) -> None:
        """Wait until everything that was said is acknowledged."""
        await self.until(lambda: not self.slack.socket.pending)

    async def asked(self, times: int) -> None:
        """Wait until Claude was asked so many times."""
        await self.claude.until(lambda: len(self.claude.questions) == times, PATIENCE)

    # Where it is caught.

    def hold(
        self,
        method: str,
        *,
        after: bool = False,
        nth: int = 1,
        when: Callable[[Call], bool] | None = None,
    ) -> Rule:
        """Never answer one call of `method`; with `after` it has had its effect."""
        fault = hold(self._life.holding(), after=after)
        return self.slack.faults.add(method, fault, nth=nth, when=when)


def is_unfinished(text: str) -> bool:
    """Whether a reader can see that more is to come."""
    return text == PLACEHOLDER or text.endswith(MORE)


def is_final(call: Call) -> bool:
    """Whether a write shows a message as it is to stay."""
    return not is_unfinished(call.value("blocks")[0]["text"])


def is_look_up(call: Call) -> bool:
    """Whether a thread is read to find a post of our own in it."""
    return call.flag("include_all_metadata")


# How scenes are played.

S = TypeVar("S")

#: Sets a scene in a folder; running answers get so many seconds when it is told to
#: stop, and processes come from the nursery if there is one.
Stage = Callable[[Path, int, Nursery | None], AbstractAsyncContextManager[S]]
Play = Callable[[Scene], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A plot, and where it is set."""

    name: str
    #: Whether processes are started the way that operators start them.
    cold: bool
    #: Plays it in a folder, with processes that come from the nursery.
    play: Callable[[Path, Nursery | None], Awaitable[None]]

    def __str__(self) -> str:
        return self.name


class Repertoire(Generic[S]):
    """What there is to play on one kind of stage, by the module that adds to it."""

    def __init__(self, stage: Stage[S]) -> None:
        self.all: list[Scenario] = []
        self._stage = stage

    def add(
        self, *, cold: bool = False, grace: int = 30
    ) -> Callable[[Callable[[S], Awaitable[None]]], Callable[[S], Awaitable[None]]]:
        """Make the decorated function one of us. `grace` is what running answers
        get, in seconds, when it is told to stop."""

        def added(
            play: Callable[[S], Awaitable[None]],
        ) -> Callable[[S], Awaitable[None]]:
            async def played(folder: Path, nursery: Nursery | None) -> None:
                async with self._stage(folder, grace, nursery) as scene:
                    await play(scene)

            self.all.append(Scenario(play.__name__, cold, played))
            return play

        return added


@contextlib.asynccontextmanager
async def on_slack(
    folder: Path, grace: int, nursery: Nursery | None
) -> AsyncIterator[Scene]:
    """A scene whose platform is Slack."""
    async with (
        SlackEmulator(ack_timeout=ACK_TIMEOUT, retries=RETRIES) as slack,
        ClaudeEmulator() as claude,
    ):
        env = {
            "THREADKEEP_GRACE": str(grace),
            **slack_env(slack),
            **claude_env(claude),
        }
        async with living(Life(Process(folder, env), nursery, slack)) as life:
            yield Scene(slack, claude, life)


Scenarios = partial(Repertoire[Scene], on_slack)


@contextlib.asynccontextmanager
async def playing(
    scenarios: Sequence[Scenario],
    new_folder: Callable[[str], Path],
    at_once: int = AT_ONCE,
) -> AsyncIterator[dict[Scenario, asyncio.Task[None]]]:
    """Play `scenarios`, `at_once` beside each other; each has a task to be awaited."""
    free = asyncio.Semaphore(at_once)
    async with Nursery() as nursery:

        async def play(scenario: Scenario) -> None:
            async with free:
                folder = new_folder(str(scenario))
                await scenario.play(folder, None if scenario.cold else nursery)

        # Cold starts take longest, so they are not left for the end.
        tasks = {
            each: asyncio.create_task(play(each))
            for each in sorted(scenarios, key=lambda each: not each.cold)
        }
        try:
            yield tasks
        finally:
            for task in tasks.values():
                task.cancel()
            await asyncio.wait(tasks.values())
