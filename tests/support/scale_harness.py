"""Runs gateways and workers as processes on one PostgreSQL database, with Slack and
optionally Discord."""

import asyncio
import contextlib
import itertools
import signal
import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psycopg

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED, Rates
from tests.support import postgres
from tests.support.process import (
    Nursery,
    Process,
    claude_env,
    count_connections,
    slack_env,
)

# Seconds that any step may take on a busy machine.
PATIENCE = 90.0


class Cluster:
    """Any number of processes in any role."""

    def __init__(
        self,
        folder: Path,
        address: str,
        slack: SlackEmulator,
        claude: ClaudeEmulator,
        nursery: Nursery,
        discord: DiscordEmulator | None = None,
    ) -> None:
        self._folder = folder
        self.address = address
        self.slack = slack
        self.claude = claude
        self._nursery = nursery
        self.discord = discord
        self._numbers = itertools.count()
        self._observer = postgres.Observer(address)
        #: The name of each process in the database, by the name in its calls.
        self.names: dict[str, str] = {}
        self.processes: list[Process] = []
        #: Seconds that any step may take.
        self.patience = PATIENCE
        #: Additional variables for each process that is started.
        self.env: dict[str, str] = {}
        self.alice = slack.add_user("Alice")
        self.channel = slack.add_channel("general")

    async def start(self, role: str, *options: str) -> Process:
        """Start one more process in `role`, and wait until it is in the database."""
        folder = self._folder / f"{role}-{next(self._numbers)}"
        folder.mkdir()
        env = {
            **slack_env(self.slack),
            "SLACK_API_URL": self.slack.api_url_for(folder.name),
            "THREADKEEP_DB": postgres.uri(self.address),
            "THREADKEEP_GRACE": "1",
            **self.env,
        }
        if self.discord is not None:
            env |= self.discord.env
            env["DISCORD_API_URL"] = self.discord.api_url_for(folder.name)
        if role != "gateway":
            env |= claude_env(self.claude)
        if role == "work":
            # A worker does not receive events.
            del env["SLACK_APP_TOKEN"]
        process = Process(folder, env)
        sockets, sessions = self.slack.socket.opened, self._sessions()
        # A process that does not reach the server ends, and is started again, as by a
        # supervisor.
        async with asyncio.timeout(self.patience):
            while not (process.runs and self._knows(process)):
                if not process.runs:
                    await process.start(role, *options, nursery=self._nursery)
                    self.names[folder.name] = f"{socket.gethostname()}:{process.pid}"
                await asyncio.sleep(0.02)
        self.processes.append(process)
        if role != "work":
            await self.until(lambda: self.slack.socket.opened > sockets)
            if self.discord is not None:
                await self.until(lambda: self._sessions() > sessions)
        return process

    def running(self, role: str) -> list[Process]:
        """Return the running processes in `role`."""
        return [e for e in self.processes if e.folder.name.startswith(f"{role}-")]

    def listed(self) -> list[str]:
        """Return the roles of the processes that the database knows."""
        rows = self.ask("SELECT role FROM processes ORDER BY role")
        return [str(role) for (role,) in rows]

    def _sessions(self) -> int:
        """Return the number of Discord sessions that have ever been started."""
        return count_connections(self.discord) if self.discord is not None else 0

    def _knows(self, process: Process) -> bool:
        """Return whether the database knows `process`."""
        query = "SELECT 1 FROM processes WHERE name LIKE %s"
        # The server may be starting.
        with contextlib.suppress(psycopg.Error):
            return bool(self.ask(query, f"%:{process.pid}"))
        return False

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Return the rows that `statement` gives."""
        return self._observer.ask(statement, *values)

    def say(self, text: str, thread_ts: str | None = None) -> str:
        """Let Alice mention the bot. Return the ts of her message."""
        said = f"{self.slack.mention} {text}"
        return self.slack.say(self.alice, self.channel, said, thread_ts=thread_ts)

    def replies(self, ts: str) -> list[str]:
        """Return the current texts of the bot's messages in a thread."""
        return [each.text for each in self.slack.thread(self.channel, ts) if each.bot]

    async def until(
        self, condition: Callable[[], object], seconds: float | None = None
    ) -> None:
        """Wait until `condition()` is true. It may read the platforms or the
        database."""
        async with asyncio.timeout(seconds or self.patience):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def delivered(self) -> None:
        """Wait until no turn is open."""
        open_turns = "SELECT count(*) FROM turns WHERE state <> 'delivered'"
        await self.until(lambda: self.ask(open_turns) == [(0,)])

    async def stop(self, process: Process) -> None:
        """Tell `process` to end, and check that it exits with 0."""
        process.kill(signal.SIGTERM)
        assert await process.ended(self.patience) == 0
        self.processes.remove(process)

    async def crash(self, process: Process) -> None:
        """Kill `process`."""
        process.kill()
        await process.ended(self.patience)
        self.processes.remove(process)

    async def end(self) -> None:
        """Kill all running processes."""
        for process in list(self.processes):
            with contextlib.suppress(ProcessLookupError):
                process.kill(signal.SIGCONT)
                await self.crash(process)
        self._observer.close()


@contextlib.asynccontextmanager
async def cluster(
    folder: Path, nursery: Nursery, address: str = "", *, rates: Rates = UNLIMITED
) -> AsyncIterator[Cluster]:
    """Yield a cluster without processes, on the database at `address` or on an
    empty one."""
    retries = (0.0, *[0.5] * 60)
    given = contextlib.nullcontext(address) if address else None
    with given or postgres.emptied(postgres.woken) as address:
        async with (
            SlackEmulator(ack_timeout=2.0, retries=retries, rates=rates) as slack,
            ClaudeEmulator() as claude,
        ):
            made = Cluster(folder, address, slack, claude, nursery)
            try:
                yield made
            finally:
                await made.end()
