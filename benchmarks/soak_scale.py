"""`python -m benchmarks.soak_scale` lets people talk on both platforms while two
gateways and four workers that share a PostgreSQL database are killed, frozen and
replaced, the database is killed and cut off, and calls fail; in the end all must be as
if nothing had happened.

What must be true is what `tests.support.invariants` checks of every crash, and that no
process wrote in a thread after another one had taken it over (`tests.support.owners`).
The seed that is printed plays the same people, faults and harm again, though not in the
same instants.
"""

import asyncio
import contextlib
import os
import random
import re
import signal
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import psycopg
from rich.console import Console

from benchmarks import call_faults
from benchmarks.table import table
from bot.domain.server_address import ServerAddress
from storage.postgres import schema
from storage.postgres.connection import Connection
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.prompt import Body
from tests.emulators.claude.reply import Abort, End, Error, Fail, Pause, Step
from tests.emulators.discord import faults as discord_faults
from tests.emulators.discord import rates as discord_rates
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.support import invariants, owners, postgres
from tests.support.process import Nursery, Process
from tests.support.scale_harness import Cluster
from tests.support.witnesses import DiscordWitness, SlackWitness

GATEWAYS, WORKERS = 2, 4
ROLES = ("gateway",) * GATEWAYS + ("work",) * WORKERS

#: How long, in seconds, all that is left may take in the end.
DRAINING = 300.0

# Seconds between two faults of a platform, and between two kinds of harm, from and to.
FAULTS, HARM = (0.5, 2.5), (1.0, 5.0)

#: How long a process is frozen: longer than it may give no sign of life.
FROZEN = 20.0

#: How many questions wait for their answers at a time.
AT_ONCE = 40

#: How many threads are gone on with, as older ones only grow, and how soon, in seconds.
THREADS, TYPING = 60, 3.0
SLACK_CHANNELS, DISCORD_CHANNELS = 20, 5

#: What is done, and how often of a hundred times.
KINDS = {
    "kill": 44,
    "freeze": 10,
    "cut": 16,
    "kill the server": 8,
    "kill a backend": 8,
    "roll": 14,
}

ANSWERED = """
    SELECT count(*) FROM messages JOIN turns ON turns.id = turn_id
    WHERE role = 'user' AND asks = 1 AND state = 'delivered'
"""
BACKENDS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
"""
ENDED = "SELECT ended, count(*) FROM turns GROUP BY 1 ORDER BY 2 DESC"

_NUMBER = re.compile(r"question (\d+)\?")


@dataclass(slots=True)
class Soaked:
    """The events of a run, and its result."""

    asked: Counter[str] = field(default_factory=Counter)
    harm: Counter[str] = field(default_factory=Counter)
    faults: int = 0
    seconds: float = 0.0
    drained: float = 0.0
    #: How the turns ended.
    ended: Counter[str] = field(default_factory=Counter)
    #: Everything that is not as it must be.
    wrong: list[str] = field(default_factory=list)


class Soak:
    """People on both platforms, and processes that have a hard time."""

    def __init__(
        self, town: Cluster, server: postgres.Server, chance: random.Random
    ) -> None:
        assert town.discord is not None
        self.town, self.discord = town, town.discord
        self.server = server
        self.soaked = Soaked()
        self._chance = chance
        self._frozen: set[Process] = set()
        self._number = 0
        self._threads: list[tuple[float, str, str, str]] = []
        self._rooms = [
            town.slack.add_channel(f"room-{n}") for n in range(SLACK_CHANNELS)
        ]
        self.halls = [
            self.discord.add_channel(f"hall-{n}") for n in range(DISCORD_CHANNELS)
        ]
        self._bob = self.discord.add_user("Bob")

    async def run(self, turns: int, seconds: float) -> None:
        """Let it all happen until so many questions were asked, or for so long."""
        for role in ROLES:
            await self.town.start(role)
        began = time.monotonic()
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._harm(ending))
            breaking = tasks.create_task(self._break())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._talk(turns)
            breaking.cancel()
            # Bring to its end what was begun: processes come back, and thaw.
            ending.set()
        self.soaked.seconds = time.monotonic() - began
        await self._end()

    async def _end(self) -> None:
        """Let nothing go wrong any more, and wait until nothing is left to do."""
        began = time.monotonic()
        self.town.slack.faults.clear()
        self.discord.faults.clear()
        total = self.soaked.asked.total()
        try:
            await self.town.until(lambda: self._answered() >= total, DRAINING)
            await self.town.delivered()
        except TimeoutError:
            left = total - (self._answered() or 0)
            self.soaked.wrong.append(f"{left} questions are not answered in the end")
        self.soaked.drained = time.monotonic() - began
        for process in list(self.town.processes):
            await self.town.stop(process)
        self.soaked.ended = Counter(
            {str(ended): int(str(count)) for ended, count in self.town.ask(ENDED)}
        )

    # People.

    async def _talk(self, turns: int) -> None:
        while (total := self.soaked.asked.total()) < turns:
            answered = self._answered()
            if answered is None or total - answered >= AT_ONCE:
                await asyncio.sleep(0.2)
                continue
            for _ in range(min(turns - total, AT_ONCE - (total - answered))):
                self._ask()
                await asyncio.sleep(self._chance.uniform(0.0, 0.05))

    def _ask(self) -> None:
        self._number += 1
        text = f"question {self._number}?"
        # A person reads what was said before going on.
        old = [each for at, *each in self._threads if at < time.monotonic() - TYPING]
        if old and self._chance.random() < 0.4:
            name, channel, thread = self._chance.choice(old[-THREADS:])
        else:
            name = self._chance.choice(("slack", "discord"))
            rooms = self._rooms if name == "slack" else self.halls
            channel, thread = self._chance.choice(rooms), ""
        if name == "slack":
            said = text if thread else f"{self.town.slack.mention} {text}"
            found = self.town.slack.say(
                self.town.alice, channel, said, thread_ts=thread or None
            )
        elif thread and self._is_open(channel, thread):
            found = self.discord.say(self._bob, thread, text)
        else:
            said = f"{self.discord.mention} {text}"
            found, thread = self.discord.say(self._bob, channel, said), ""
        if not thread:
            self._threads.append((time.monotonic(), name, channel, found))
            del self._threads[: -10 * THREADS]
        self.soaked.asked[name] += 1

    def _is_open(self, hall: str, thread: str) -> bool:
        """Return whether a thread is made below a message in Discord."""
        return thread in self.discord.threads(hall)

    def _answered(self) -> int:
        """Return the number of answered questions; 0 while the database is away."""
        with contextlib.suppress(psycopg.Error):
            [(count,)] = self.town.ask(ANSWERED)
            return int(str(count))
        return 0

    # Faults.

    async def _break(self) -> None:
        """Let calls of the platforms fail."""
        slack_calls = ("chat.postMessage", "chat.update", "conversations.replies")
        discord_calls = (
            ("POST", discord_faults.MESSAGES),
            ("PATCH", discord_faults.MESSAGE),
            ("GET", discord_faults.MESSAGES),
        )
        while True:
            await asyncio.sleep(self._chance.uniform(*FAULTS))
            self.soaked.faults += 1
            for_slack, fault = call_faults.draw(self._chance)
            if for_slack:
                self.town.slack.faults.add(self._chance.choice(slack_calls), fault)
            else:
                self.discord.faults.add(*self._chance.choice(discord_calls), fault)

    async def _harm(self, ending: asyncio.Event) -> None:
        """Do one kind of harm after the other, until the `ending`."""
        thawing = set[asyncio.Task[None]]()
        while not ending.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._chance.uniform(*HARM)):
                    await ending.wait()
                break
            [kind] = self._chance.choices([*KINDS], [*KINDS.values()])
            print(f"{time.strftime('%X')} {kind}", flush=True)
            self.soaked.harm[kind] += 1
            match kind:
                case "kill":
                    await self._kill()
                case "freeze":
                    if process := self._any():
                        thawing.add(asyncio.create_task(self._freeze(process)))
                case "cut":
                    await self._cut()
                case "kill the server":
                    await self._kill_server()
                case "kill a backend":
                    self._kill_backend()
                case _:
                    await self._roll()
        if thawing:
            await asyncio.wait(thawing)

    def _any(self) -> Process | None:
        """A process that may be harmed; None if nobody would be left who hears."""
        free = [each for each in self.town.processes if each not in self._frozen]
        hear = [each for each in free if _role(each) == "gateway"]
        if len(hear) < GATEWAYS:
            free = [each for each in free if each not in hear]
        return self._chance.choice(free) if free else None

    async def _kill(self) -> None:
        if process := self._any():
            await self.town.crash(process)
            await self.town.start(_role(process))

    async def _freeze(self, process: Process) -> None:
        self._frozen.add(process)
        process.kill(signal.SIGSTOP)
        await asyncio.sleep(FROZEN)
        process.kill(signal.SIGCONT)
        self._frozen.discard(process)

    async def _cut(self) -> None:
        """Cut all connections, one by one."""
        with (
            contextlib.suppress(psycopg.Error),
            psycopg.connect(self.town.address, autocommit=True) as connection,
        ):
            for (pid,) in connection.execute(BACKENDS).fetchall():
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
                await asyncio.sleep(0.05)

    async def _kill_server(self) -> None:
        """End it at once, without a checkpoint, and start it again a little later."""
        assert self.server.process is not None
        assert self.server.directory is not None
        self.server.process.send_signal(signal.SIGQUIT)
        await asyncio.to_thread(self.server.process.wait)
        await asyncio.sleep(self._chance.uniform(0.0, 3.0))
        self.server = await asyncio.to_thread(start_server, self.server.directory)

    def _kill_backend(self) -> None:
        """Kill what serves one connection: the server ends all, and recovers."""
        with contextlib.suppress(psycopg.Error):
            pids = [int(str(pid)) for (pid,) in self.town.ask(BACKENDS)]
            os.kill(self._chance.choice(pids), signal.SIGKILL)

    async def _roll(self) -> None:
        """Replace every process by a new one, one after the other."""
        for process in list(self.town.processes):
            if process not in self._frozen:
                await self.town.start(_role(process))
                await self.town.stop(process)


def start_server(directory: Path) -> postgres.Server:
    """Start PostgreSQL, which keeps what it says is kept when its processes end."""
    return postgres.start(
        directory, synchronous_commit="on", autovacuum="on", shared_buffers="64MB"
    )


def answer(chance: random.Random, body: Body) -> Sequence[Step]:
    """Return the steps of an answer that names its question, mostly whole, at once."""
    said = str(body["messages"][-1]["content"])
    text = f"Answer to {_NUMBER.findall(said)[-1]}: restore the newest snapshot."
    half, rest = text[: len(text) // 2], text[len(text) // 2 :]
    answers: tuple[Sequence[Step], ...] = (
        [Fail(529)],
        [half, End()],
        [half, Error()],
        [half, Abort()],
        [half, Pause(0.2), rest],
        [half, Pause(1.0), rest],
        [half, Pause(3.0), rest],
    )
    nth = chance.randrange(60)
    return answers[nth] if nth < len(answers) else [text]


def _role(process: Process) -> str:
    return process.folder.name.partition("-")[0]


async def soak(turns: int, seconds: float, folder: Path, seed: int) -> Soaked:
    """Soak it; what is wrong in the end is in what is returned."""
    chance = random.Random(seed)
    async with _staged(folder, chance) as soak:
        await soak.run(turns, seconds)
        soak.soaked.wrong += _check(soak)
        return soak.soaked


def _check(soak: Soak) -> Iterator[str]:
    town, discord = soak.town, soak.discord
    in_slack, in_discord = SlackWitness(town.slack), DiscordWitness(discord)
    in_discord.channels += soak.halls
    # A process that does not know of the thread asks for it once more.
    in_discord.may_be_late = True
    in_discord.most_invalid = 10 + 2 * soak.soaked.harm.total()
    at = ServerAddress(postgres.uri(town.address))
    yield from invariants.faults(town.claude, at, in_slack, in_discord)
    writes = [
        *owners.slack_writes(town.slack, time.time() - time.monotonic()),
        *owners.discord_writes(discord, soak.halls),
    ]
    # Notices of a gateway are no answers.
    answers = [each for each in writes if not each.by.startswith("gateway")]
    with contextlib.closing(Connection(town.address)) as db:
        yield from owners.faults(db, answers, town.names)


@contextlib.asynccontextmanager
async def _staged(folder: Path, chance: random.Random) -> AsyncIterator[Soak]:
    # Slack repeats what is not acknowledged for as long as the soak may last.
    retries = (0.0, *[1.0] * 2_000)
    with tempfile.TemporaryDirectory(prefix="threadkeep-pg-") as data:
        server = start_server(Path(data))
        address = server.of(server.create())
        with contextlib.closing(Connection(address)) as db:
            schema.apply(db)
        owners.record(address)
        async with (
            SlackEmulator(ack_timeout=2.0, retries=retries, rates=UNLIMITED) as slack,
            DiscordEmulator(rates=discord_rates.UNLIMITED) as discord,
            ClaudeEmulator() as claude,
            Nursery() as nursery,
        ):
            claude.always(lambda body: answer(chance, body))
            town = Cluster(folder, address, slack, claude, nursery, discord)
            town.env["THREADKEEP_GRACE"] = "5"
            soak = Soak(town, server, chance)
            try:
                yield soak
            finally:
                await town.end()
                if process := soak.server.process:
                    process.send_signal(signal.SIGQUIT)
                    process.wait()


@click.command()
@click.option("--turns", default=2_000, help="Ends after so many questions.")
@click.option("--seconds", default=600.0, help="Ends after so long, at the latest.")
@click.option("--seed", default=0, help="Which people, faults and harm.")
@click.option("--keep", type=click.Path(path_type=Path), help="Where the logs go.")
def main(turns: int, seconds: float, seed: int, keep: Path | None) -> None:
    """Soak Threadkeep, and say what became of it."""
    with contextlib.ExitStack() as stack:
        if keep is None:
            keep = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keep.mkdir(exist_ok=True)
        soaked = asyncio.run(soak(turns, seconds, keep, seed))
    Console().print(
        table(
            f"Two gateways and four workers on PostgreSQL, seed {seed}",
            ("what", "times"),
            [
                *((f"questions on {name}", str(n)) for name, n in soaked.asked.items()),
                *((f"turns that ended: {e}", str(n)) for e, n in soaked.ended.items()),
                *((kind, str(n)) for kind, n in soaked.harm.items()),
                ("calls of the platforms that failed", str(soaked.faults)),
                ("seconds", f"{soaked.seconds:.0f}"),
                ("seconds until all was written", f"{soaked.drained:.0f}"),
                ("what is wrong in the end", str(len(soaked.wrong))),
            ],
            caption="""In the end nothing is left to do, and everything is compared:
            what people see, what Claude was asked and said, what is stored and booked,
            and who had a thread when it was written in.""",
        )
    )
    for sentence in soaked.wrong:
        print(sentence)
    raise SystemExit(bool(soaked.wrong))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak_scale")
