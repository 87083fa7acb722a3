"""Gateways and workers on one PostgreSQL database with durable commits, and many Slack
workspaces with the app."""

import asyncio
import base64
import contextlib
import itertools
import signal
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import psycopg

from adapters.slack.check import SCOPES
from benchmarks.machine import cpu, family_cpu
from benchmarks.platforms import clock
from benchmarks.watching import MORE
from bot.domain.installation import Installation, Place, Tokens
from bot.domain.reply import PLACEHOLDER
from bot.domain.server_address import ServerAddress
from storage.encryption import KeyRing
from storage.opening import open_store
from storage.reading import Where
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.support import postgres
from tests.support.process import Process, claude_env
from tests.support.slack_house import KEY, oauth_env

PATIENCE = 300.0
# Seconds between two queries whether something is done, and whether all is answered.
# The time of these queries counts as time of the answers.
LOOK, LOOK_AT_ALL = 0.05, 0.25

KNOWN = "SELECT count(*) FROM processes WHERE name LIKE %s"
OPEN_TURNS = "SELECT count(*) FROM turns WHERE state <> 'delivered'"


@dataclass(frozen=True, slots=True)
class Team:
    """A person in a channel of a workspace."""

    slack: SlackEmulator
    person: str
    channel: str

    def ask(self, text: str = "go on") -> str:
        """Ask the bot in a new thread. Return its ts."""
        said = f"{self.slack.mention} {text}"
        return self.slack.say(self.person, self.channel, said)

    def answer(self, ts: str) -> str:
        """Return the current text of the bot's first message below a question."""
        seen = self.slack.thread(self.channel, ts)
        return next((each.text for each in seen if each.bot), "")

    async def answered(self, ts: str) -> None:
        """Wait until the answer to a question is complete."""
        await self.slack.until(lambda: _is_complete(self.answer(ts)), PATIENCE)


def _is_complete(text: str) -> bool:
    """Return whether a message of the bot is a complete answer."""
    return bool(text) and PLACEHOLDER not in text and not text.endswith(MORE)


def installed_env(slack: SlackEmulator) -> dict[str, str]:
    """Return the environment of an app that workspaces install."""
    return {
        **oauth_env(slack),
        "THREADKEEP_KEYS": base64.urlsafe_b64encode(KEY).decode(),
    }


async def install(slack: SlackEmulator, count: int, at: Where) -> list[Team]:
    """Add `count` workspaces with the app, and store their installations in the
    database `at`. Return a person in each."""
    ring, teams = KeyRing((KEY,)), []
    async with open_store(at) as store:
        for number in range(count):
            team = slack.add_team(f"team {number}", installed=True)
            place = Place("slack", "", team.team)
            await store.store_installation(
                Installation(
                    place=place,
                    name=f"team {number}",
                    user=team.bot_user,
                    bot=team.bot_id,
                    scopes=SCOPES,
                    installed_by="U1",
                    installed_at=clock(),
                    tokens=Tokens(ring.seal(team.bot_token, place)),
                )
            )
            person, channel = team.add_user("Pat"), team.add_channel("general")
            teams.append(Team(team, person, channel))
    return teams


class Town:
    """The processes, and the people who ask."""

    def __init__(
        self, folder: Path, slack: SlackEmulator, claude: ClaudeEmulator
    ) -> None:
        #: The folder of the database and of the output of processes.
        self.folder = folder
        self._numbers = itertools.count()
        self.slack = slack
        self.claude = claude
        self.teams: list[Team] = []
        self.processes: dict[Process, str] = {}
        self.server = self.start_server()
        self.address = self.server.of(self.server.create())
        self._observer = postgres.Observer(self.address)

    def start_server(self) -> postgres.Server:
        """Start PostgreSQL with the settings of operators, on the existing data."""
        self.server = postgres.start(
            self.folder,
            fsync="on",
            full_page_writes="on",
            synchronous_commit="on",
            autovacuum="on",
            shared_buffers="128MB",
        )
        return self.server

    def stop_server(self) -> None:
        """Stop PostgreSQL at once, and cut its connections."""
        self._observer.close()
        assert self.server.process is not None
        self.server.process.send_signal(signal.SIGINT)
        self.server.process.wait()

    async def add_teams(self, count: int, at: Where | None = None) -> None:
        """Add `count` workspaces with the app, and store their installations in the
        database `at` (None for the own one)."""
        at = at or ServerAddress(self.address)
        self.teams += await install(self.slack, count, at)

    async def start(self, role: str, **env: str) -> Process:
        """Start one more process in `role`, with the additional variables `env`. Return
        it when it is working."""
        folder = self.folder / f"{role}-{next(self._numbers)}"
        folder.mkdir()
        process = Process(
            folder,
            {
                **installed_env(self.slack),
                **claude_env(self.claude),
                "THREADKEEP_DB": postgres.uri(self.address),
                "THREADKEEP_GRACE": "0",
                **env,
            },
        )
        sockets = self.slack.socket.opened
        await process.start(role)
        self.processes[process] = role
        ended = asyncio.create_task(process.ended(PATIENCE * 10))
        if "THREADKEEP_DB" not in env:
            await self.until(
                lambda: ended.done() or self.ask(KNOWN, f"%:{process.pid}") == [(1,)]
            )
        if role != "work":
            await self.until(lambda: ended.done() or self.slack.socket.opened > sockets)
        assert not ended.done(), process.output
        ended.cancel()
        return process

    def ask(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """Return the rows that `statement` gives, or none while tables are missing."""
        try:
            return self._observer.ask(statement, *values)
        except psycopg.errors.UndefinedTable:
            return []

    async def until(self, condition: Callable[[], object], each: float = LOOK) -> None:
        """Wait until `condition()` is true. It is tested every `each` seconds."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110 - a database tells nobody
                await asyncio.sleep(each)

    async def delivered(self) -> None:
        """Wait until every question is answered."""
        await self.slack.until(lambda: self.slack.settled, PATIENCE)
        await self.until(lambda: self.ask(OPEN_TURNS) == [(0,)], LOOK_AT_ALL)

    def used(self) -> dict[str, float]:
        """Return the CPU seconds used by each role, by PostgreSQL, and by this process
        with its emulators."""
        found = dict.fromkeys(("gateway", "work", "serve"), 0.0)
        for process, role in self.processes.items():
            found[role] += cpu(process.pid)
        assert self.server.process is not None
        postgresql = family_cpu(self.server.process.pid)
        return {**found, "PostgreSQL": postgresql, "emulators": time.process_time()}

    async def end(self) -> None:
        """Kill all processes and stop PostgreSQL."""
        for process in self.processes:
            with contextlib.suppress(ProcessLookupError):
                process.kill(signal.SIGCONT)
                process.kill()
            await process.ended(PATIENCE)
        self.stop_server()


@contextlib.asynccontextmanager
async def town(
    tokens_per_second: float | None = None, teams: int = 1
) -> AsyncIterator[Town]:
    """Yield a town with `teams` workspaces and without processes."""
    with tempfile.TemporaryDirectory(prefix="threadkeep-pg-") as name:
        folder = Path(name)
        async with (
            SlackEmulator(clock=clock, rates=UNLIMITED) as slack,
            ClaudeEmulator(clock=clock, tokens_per_second=tokens_per_second) as claude,
        ):
            # Its own workspace has not installed the app.
            slack.uninstall()
            made = Town(folder, slack, claude)
            try:
                await made.add_teams(teams)
                yield made
            finally:
                await made.end()
