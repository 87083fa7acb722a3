"""Runs Threadkeep in a test: in this process, or as a process that can be killed."""

import asyncio
import contextlib
import itertools
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from adapters.discord.adapter import DiscordAdapter
from adapters.discord.adapter import connect as connect_discord
from adapters.slack.adapter import SlackAdapter
from adapters.slack.adapter import connect as connect_slack
from adapters.slack.http_events import PATH
from bot.app import App
from bot.domain.platform import EditInterval, WriteKind
from bot.domain.server_address import ServerAddress
from bot.ports.model import Model
from bot.ports.store import Store
from bot.ports.wakeups import Wakeups
from bot.settings.effective import Operator
from storage.reading import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.app import IDENTIFIES
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import processor_time

ROOT = Path(__file__).parents[2]

#: The variable with the socket path of the nursery that all test processes share.
SHARED_NURSERY = "TEST_NURSERY"

NURSERY_GONE = "The nursery has ended; why is printed above."

OPERATOR = Operator({"max_tokens": "32000", "prompt": "Be brief."})


def slack_env(slack: SlackEmulator) -> dict[str, str]:
    """Return the environment of a process that connects to `slack`."""
    return {
        "SLACK_API_URL": slack.api_url,
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_APP_TOKEN": slack.app_token,
    }


def slack_http_env(slack: SlackEmulator) -> dict[str, str]:
    """Return the environment of a process without Socket Mode, with a request URL at
    any free port."""
    return {
        **slack_env(slack),
        "SLACK_APP_TOKEN": "",
        "SLACK_SIGNING_SECRET": slack.http.signing_secret,
        "THREADKEEP_SLACK_HTTP": "127.0.0.1:0",
    }


def claude_env(claude: ClaudeEmulator) -> dict[str, str]:
    """Return the environment of a process that asks `claude`."""
    return {"ANTHROPIC_API_KEY": claude.api_key, "ANTHROPIC_BASE_URL": claude.base_url}


@contextlib.asynccontextmanager
async def running(
    platform: SlackEmulator | DiscordEmulator,
    store: Store,
    model: Model,
    *,
    grace: float = 5.0,
    interval: float = 0.05,
    env: Mapping[str, str] | None = None,
    operator: Operator = OPERATOR,
    wakeups: Wakeups | None = None,
    unlimited: bool = False,
) -> AsyncIterator[App]:
    """Run Threadkeep in this process, connected to `platform`, until the block ends.

    `interval` replaces the platform's time between two edits, in seconds. `env` adds to
    the environment of the connection. `wakeups` are needed if other processes share the
    database. `unlimited` is for an emulator without rate limits.
    """
    stopping = asyncio.Event()
    async with contextlib.AsyncExitStack() as stack:
        adapter: SlackAdapter | DiscordAdapter
        has_sockets = True
        if isinstance(platform, SlackEmulator):
            reaches = {**slack_env(platform), **(env or {})}
            has_sockets = bool(reaches["SLACK_APP_TOKEN"])
            slack = connect_slack(reaches)
            adapter = await stack.enter_async_context(slack)
        else:
            discord = connect_discord({**platform.env, **(env or {})})
            adapter = await stack.enter_async_context(discord)
        pace = EditInterval(first=interval, last=interval)
        adapter.limits = replace(
            adapter.limits, paces=dict.fromkeys(WriteKind, pace), settle=interval
        )
        if unlimited:
            adapter.limits = replace(adapter.limits, rates={})
        app = App(
            store=store,
            model=model,
            adapters=[adapter],
            operator=operator,
            grace=grace,
            wakeups=wakeups,
        )
        before = count_connections(platform)
        task = asyncio.create_task(app.run(stopping))

        def is_listening() -> bool:
            # A connection of an earlier run may seem open for a while.
            return is_heard(platform) and count_connections(platform) > before

        try:
            if not has_sockets:
                await app.vitals.connections.complete.wait()
                assert isinstance(platform, SlackEmulator)
                assert isinstance(adapter, SlackAdapter)
                await platform.use_http(adapter.address + PATH)
            else:
                await platform.until(lambda: is_listening() or task.done())
            yield app
        finally:
            stopping.set()
            await task


def is_heard(platform: SlackEmulator | DiscordEmulator) -> bool:
    """Return whether messages on `platform` reach the bot now."""
    if isinstance(platform, SlackEmulator):
        return bool(platform.connections or platform.http.url)
    return bool(platform.gateway.connected)


def count_connections(platform: SlackEmulator | DiscordEmulator) -> int:
    """Return the number of connections to `platform` that have ever been opened."""
    if isinstance(platform, SlackEmulator):
        return platform.socket.opened
    return IDENTIFIES - platform.identifies_left


class _Started(Protocol):
    """The part of a started process that tests need."""

    @property
    def pid(self) -> int: ...

    @property
    def returncode(self) -> int | None: ...

    async def wait(self) -> int: ...


class Process:
    """`threadkeep serve` as operators run it. `module` is the module that runs it."""

    def __init__(
        self, folder: Path, env: Mapping[str, str], module: str = "bot"
    ) -> None:
        self._module = module
        #: The folder of its output and its database.
        self.folder = folder
        self._log = folder / "output.log"
        self._env = {"THREADKEEP_DB": str(folder / "threadkeep.db"), **env}
        self._started: _Started | None = None

    @property
    def database(self) -> Path:
        return Path(self._env["THREADKEEP_DB"])

    @property
    def at(self) -> Where:
        """The database: a file, or one on a server."""
        address = self._env["THREADKEEP_DB"]
        return ServerAddress(address) if "://" in address else self.database

    @property
    def output(self) -> str:
        """The output so far, including that of earlier runs in the folder."""
        return self._log.read_text() if self._log.exists() else ""

    async def start(
        self,
        *arguments: str,
        nursery: "Nursery | None" = None,
        folder: Path = ROOT,
        typed: str | bytes = "",
    ) -> None:
        """Start the process. Files of an earlier run in the folder are kept. A nursery
        starts it in `folder`, with `typed` on standard input."""
        arguments = arguments or ("serve",)
        env = {"PATH": os.environ["PATH"], **self._env}
        if nursery is not None:
            given = self._log.with_name("input.txt")
            given.write_bytes(typed.encode() if isinstance(typed, str) else typed)
            self._started = await nursery.fork(
                arguments, env, self._log, folder=folder, given=given
            )
            return
        # Output goes to a file. A pipe that nobody reads would fill up.
        with self._log.open("ab") as log:
            self._started = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", self._module, *arguments),
                cwd=ROOT,
                env=env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    @property
    def runs(self) -> bool:
        """Whether the process was started and has not ended."""
        return self._started is not None and self._started.returncode is None

    @property
    def pid(self) -> int:
        """The id of the process that was started last."""
        assert self._started is not None
        return self._started.pid

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        """Send a signal, by default SIGKILL.

        Raises ProcessLookupError if the process is not running.
        """
        if self._started is None or self._started.returncode is not None:
            raise ProcessLookupError
        os.kill(self._started.pid, number)

    async def ended(self, timeout: float = 60.0) -> int:
        """Wait for the process to end. Return the exit status."""
        assert self._started is not None
        async with asyncio.timeout(timeout):
            return await self._started.wait()


@dataclass(frozen=True, slots=True)
class Fork:
    """A process that a nursery started."""

    born: asyncio.Future[int]
    ended: asyncio.Future[int]

    @property
    def pid(self) -> int:
        return self.born.result()

    @property
    def returncode(self) -> int | None:
        return self.ended.result() if self.ended.done() else None

    async def wait(self) -> int:
        return await asyncio.shield(self.ended)


@contextlib.contextmanager
def shared_nursery() -> Iterator[None]:
    """Run a nursery for the test processes that are started in the block."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as door:
        door.bind(path := f"{folder}/nursery")
        door.listen(128)
        # Connections wait in the socket's queue until everything is imported.
        nurse = subprocess.Popen(
            [sys.executable, "-m", "tests.support.fork_server", str(door.fileno())],
            cwd=ROOT,
            pass_fds=[door.fileno()],
        )
        # If the nursery dies, connections are then refused instead of left waiting.
        door.close()
        os.environ[SHARED_NURSERY] = path
        try:
            yield
        finally:
            del os.environ[SHARED_NURSERY]
            nurse.kill()
            nurse.wait()


class Nursery:
    """Starts Threadkeep in a tenth of the usual time, for tests that start it often.

    A start takes three seconds on a small machine, nearly all of it to import the SDKs.
    So a process imports them once, and each start is a fork of it, which shares no
    state with other forks. `SHARED_NURSERY` is the variable with the socket of a
    nursery that all test processes share.
    """

    def __init__(self) -> None:
        self._numbers = itertools.count()
        self._forks: dict[int, Fork] = {}
        self._nurse: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        if path := os.environ.get(SHARED_NURSERY):
            self._events, self._orders = await asyncio.open_unix_connection(path)
        else:
            self._nurse = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.support.fork_server"),
                cwd=ROOT,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
            )
            assert self._nurse.stdin is not None
            assert self._nurse.stdout is not None
            self._events, self._orders = self._nurse.stdout, self._nurse.stdin
        self._hearing = asyncio.create_task(self._hear())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for fork in self._forks.values():
            if not fork.ended.done():
                os.kill(await fork.born, signal.SIGKILL)
        if self._orders.can_write_eof():
            self._orders.write_eof()
        else:
            self._orders.close()
        await self._hearing
        self._orders.close()
        if self._nurse is not None:
            await self._nurse.wait()

    async def fork(
        self,
        arguments: tuple[str, ...],
        env: Mapping[str, str],
        log: Path,
        *,
        folder: Path = ROOT,
        given: Path = Path(os.devnull),
        errors: Path | None = None,
    ) -> Fork:
        """Start `threadkeep` with `arguments` and the environment `env` alone, in
        `folder`. It reads `given` and prints to `log`, and prints errors to `errors` if
        that is set."""
        if self._hearing.done():
            raise EOFError(NURSERY_GONE)
        number = next(self._numbers)
        loop = asyncio.get_running_loop()
        fork = self._forks[number] = Fork(loop.create_future(), loop.create_future())
        order = {"number": number, "env": dict(env), "log": str(log)}
        order |= {"errors": str(errors or log)}
        order |= {"folder": str(folder), "input": str(given), "arguments": arguments}
        self._orders.write(f"{json.dumps(order)}\n".encode())
        # Without the shield, cancelling the caller cancels the future, and `_hear` ends
        # when it sets the result.
        await asyncio.shield(fork.born)
        return fork

    async def _hear(self) -> None:
        async for line in self._events:
            number, event, value = json.loads(line)
            if event == "used":
                processor_time.add(value)
            else:
                getattr(self._forks[number], event).set_result(value)
        for fork in self._forks.values():
            for future in (fork.born, fork.ended):
                if not future.done():
                    future.set_exception(EOFError(NURSERY_GONE))
