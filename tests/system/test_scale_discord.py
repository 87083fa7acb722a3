"""Gateways with their own shards and workers without shards, as processes on one
PostgreSQL database."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
import pytest_asyncio

from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import CALLBACK, THREADS, hold
from tests.support import postgres
from tests.support.deep import deep_only
from tests.support.process import Nursery, Process, claude_env
from tests.support.scale_harness import PATIENCE

pytestmark = pytest.mark.asyncio(loop_scope="module")

LISTED = "SELECT count(*) FROM processes WHERE name <> ''"
OPEN = "SELECT count(*) FROM turns WHERE state <> 'delivered'"


class Town:
    """Processes of one bot in two servers, one of each shard."""

    def __init__(
        self,
        folder: Path,
        address: str,
        connection: psycopg.Connection[tuple[Any, ...]],
        discord: DiscordEmulator,
        claude: ClaudeEmulator,
        nursery: Nursery,
    ) -> None:
        self._folder, self._address, self._nursery = folder, address, nursery
        self._connection = connection
        self.discord, self._claude = discord, claude
        self.processes: list[Process] = []
        self.alice = discord.add_user("Alice")
        self.channels = [
            discord.add_channel("general", guild=discord.add_guild("G", shard=(n, 2)))
            for n in range(2)
        ]

    async def start(self, role: str, *options: str) -> Process:
        folder = self._folder / f"{role}-{len(self.processes)}"
        folder.mkdir()
        env = {
            **self.discord.env,
            "THREADKEEP_DB": postgres.uri(self._address),
            "THREADKEEP_GRACE": "1",
        }
        if role == "work":
            env |= claude_env(self._claude)
        process = Process(folder, env)
        await process.start(role, *options, nursery=self._nursery)
        self.processes.append(process)
        return process

    def ask(self, statement: str) -> int:
        """Return the number that the database answers."""
        row = self._connection.execute(statement.encode()).fetchone()
        return int(row[0]) if row else 0

    async def until_asked(self, statement: str, count: int) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.ask(statement) != count:  # noqa: ASYNC110
                await asyncio.sleep(0.05)

    def answers(self, place: str) -> list[str]:
        """Return the current texts of the bot's messages in a thread."""
        with contextlib.suppress(KeyError):
            return [
                e.text for e in self.discord.messages(place) if e.bot and not e.type
            ]
        return []


@pytest_asyncio.fixture(loop_scope="module")
async def town(tmp_path: Path, nursery: Nursery) -> AsyncIterator[Town]:
    with (
        postgres.emptied(postgres.woken) as address,
        psycopg.connect(address, autocommit=True) as connection,
    ):
        async with (
            # Discord wants five seconds between two sessions; whoever takes a turn on a
            # busy machine may be late.
            DiscordEmulator(identify_interval=4.0) as discord,
            ClaudeEmulator() as claude,
        ):
            claude.always("Paris.")
            made = Town(tmp_path, address, connection, discord, claude, nursery)
            try:
                yield made
            finally:
                for process in made.processes:
                    with contextlib.suppress(ProcessLookupError):
                        process.kill()
                        await process.ended(PATIENCE)


@pytest.mark.parametrize(
    ("method", "path", "after"),
    # The short form leaves out points at which a single process is killed, too, and
    # continues in the same way.
    [
        ("POST", CALLBACK, True),
        *deep_only(
            ("POST", CALLBACK, False),
            ("POST", THREADS, False),
            ("POST", THREADS, True),
        ),
    ],
)
async def test_a_command_is_answered_once_whenever_its_gateway_is_killed(
    town: Town, method: str, path: str, after: bool
) -> None:
    discord, channel = town.discord, town.channels[1]
    gateway = await town.start("gateway", "--shards", "1/2")
    await town.until_asked(LISTED, 1)
    await town.start("work")
    await town.until_asked(LISTED, 2)
    await discord.until(lambda: discord.gateway.connected == 1, timeout=PATIENCE)
    let_go = asyncio.Event()
    held = discord.faults.add(method, path, hold(let_go, after=after))
    discord.command(town.alice, channel, "ask", question="The capital?")
    await discord.until(lambda: held.struck, timeout=PATIENCE)
    # It is stored, and nobody has begun.
    assert town.ask(OPEN) == 1
    assert (
        town.ask("SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'drain'")
        == 0
    )
    gateway.kill()
    await town.until_asked(OPEN, 0)
    [question] = [e for e in discord.messages(channel) if "capital" in e.text]
    assert question.bot
    assert discord.threads(channel) == [question.id]
    assert town.answers(question.id) == ["Paris."]
    let_go.set()


async def test_shards_hear_in_two_processes_and_one_without_any_answers(
    town: Town,
) -> None:
    discord = town.discord
    await town.start("gateway", "--shards", "0/2")
    await town.until_asked(LISTED, 1)
    await town.start("gateway", "--shards", "1/2")
    worker = await town.start("work")
    await town.until_asked(LISTED, 3)
    await discord.until(lambda: discord.gateway.connected == 2, timeout=PATIENCE)
    # None came too soon, though neither process knows of the other's.
    assert sorted(discord.gateway.log) == [("IDENTIFY", 0), ("IDENTIFY", 1)]

    threads = [
        discord.say(town.alice, channel, f"{discord.mention} The capital?")
        for channel in town.channels
    ]
    for thread in threads:
        await discord.until(
            lambda thread=thread: town.answers(thread) == ["Paris."],  # type: ignore[misc]
            timeout=PATIENCE,
        )
    discord.command(town.alice, town.channels[1], "ask", question="And now?")

    def shown() -> list[str]:
        seen = discord.messages(town.channels[1])
        return [each.id for each in seen if each.bot and "And now?" in each.text]

    [question] = await discord.until(shown, timeout=PATIENCE)
    await discord.until(
        lambda: town.answers(question)[-1:] == ["Paris."], timeout=PATIENCE
    )
    await town.until_asked(OPEN, 0)
    # One message shows the question, and the worker opened no session.
    assert shown() == [question]
    assert len(discord.gateway.log) == 2
    # It is logged after it is stored.
    await discord.until(lambda: worker.output.count("turn.done") >= 3, timeout=PATIENCE)
    assert worker.output.count("turn.done") == 3

    overlapping = await town.start("gateway", "--shards", "0-1/2")
    assert await overlapping.ended(PATIENCE) != 0
    assert "The Discord shards 0-1/2 overlap 0-0/2" in overlapping.output
    assert len(discord.gateway.log) == 2
