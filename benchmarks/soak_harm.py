"""Random harm to the processes of a cluster, to its PostgreSQL server and to calls to
the platforms."""

import asyncio
import contextlib
import os
import random
import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg

from benchmarks import call_faults
from tests.emulators.discord import faults as discord_faults
from tests.emulators.discord.emulator import DiscordEmulator
from tests.support import postgres
from tests.support.process import Process
from tests.support.scale_harness import Cluster

GATEWAYS, WORKERS = 2, 4
ROLES = ("gateway",) * GATEWAYS + ("work",) * WORKERS

# The ranges of seconds between two faults of a platform, and between two kinds of harm.
FAULTS, HARM = (0.5, 2.5), (1.0, 5.0)

#: Seconds for which a process is frozen: longer than its heartbeat may be missing.
FROZEN = 20.0

#: The range of seconds for which a full disk stays full, and the size of the disk in
#: MB.
FULL, DISK = (2.0, 15.0), 600

#: The kinds of harm, and the percentage of each.
KINDS = {
    "kill": 44,
    "freeze": 10,
    "cut": 16,
    "kill the server": 8,
    "kill a backend": 8,
    "roll": 14,
}
#: The additional kind for a disk that may be filled.
FILL = "fill the disk"

BACKENDS = """
    SELECT pid FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
      AND backend_type = 'client backend'
"""

SLACK_CALLS = ("chat.postMessage", "chat.update", "conversations.replies")
DISCORD_CALLS = (
    ("POST", discord_faults.MESSAGES),
    ("PATCH", discord_faults.MESSAGE),
    ("GET", discord_faults.MESSAGES),
)


class Harm:
    """The harm of one run. With `fills`, the disk of the server is filled too."""

    def __init__(
        self,
        town: Cluster,
        discord: DiscordEmulator,
        server: postgres.Server,
        chance: random.Random,
        *,
        fills: bool,
    ) -> None:
        self._town, self._discord = town, discord
        self.server = server
        self._chance = chance
        self._frozen: set[Process] = set()
        self._kinds = {**KINDS, FILL: 6} if fills else KINDS
        #: How often each kind was done. `faults` counts the calls made to fail.
        self.done = Counter[str]()
        self.faults = 0

    async def break_calls(self) -> None:
        """Make calls to the platforms fail, until cancelled."""
        while True:
            await asyncio.sleep(self._chance.uniform(*FAULTS))
            self.faults += 1
            for_slack, fault = call_faults.draw(self._chance)
            if for_slack:
                self._town.slack.faults.add(self._chance.choice(SLACK_CALLS), fault)
            else:
                self._discord.faults.add(*self._chance.choice(DISCORD_CALLS), fault)

    async def do(self, ending: asyncio.Event) -> None:
        """Do one kind of harm after another, until `ending` is set. Then wait until all
        frozen processes are thawed."""
        thawing = set[asyncio.Task[None]]()
        while not ending.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._chance.uniform(*HARM)):
                    await ending.wait()
                break
            [kind] = self._chance.choices([*self._kinds], [*self._kinds.values()])
            print(f"{time.strftime('%X')} {kind}", flush=True)
            self.done[kind] += 1
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
                case "roll":
                    await self._roll()
                case _:
                    await self._fill()
        if thawing:
            await asyncio.wait(thawing)

    def _any(self) -> Process | None:
        """Return a process that may be harmed, or None. One gateway must remain to
        receive events."""
        free = [each for each in self._town.processes if each not in self._frozen]
        hear = [each for each in free if _role(each) == "gateway"]
        if len(hear) < GATEWAYS:
            free = [each for each in free if each not in hear]
        return self._chance.choice(free) if free else None

    async def _kill(self) -> None:
        if process := self._any():
            await self._town.crash(process)
            await self._town.start(_role(process))

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
            psycopg.connect(self._town.address, autocommit=True) as connection,
        ):
            for (pid,) in connection.execute(BACKENDS).fetchall():
                connection.execute("SELECT pg_terminate_backend(%s)", [pid])
                await asyncio.sleep(0.05)

    async def _kill_server(self) -> None:
        """Kill the server without a checkpoint, and start it again a little later."""
        await asyncio.to_thread(end, self.server)
        await asyncio.sleep(self._chance.uniform(0.0, 3.0))
        await self._start_server()

    async def _start_server(self) -> None:
        assert self.server.directory is not None
        self.server = await asyncio.to_thread(start_server, self.server.directory)

    def _kill_backend(self) -> None:
        """Kill the server process of one connection. The server then ends all
        connections, and recovers."""
        with contextlib.suppress(psycopg.Error):
            pids = [int(str(pid)) for (pid,) in self._town.ask(BACKENDS)]
            os.kill(self._chance.choice(pids), signal.SIGKILL)

    async def _roll(self) -> None:
        """Replace every process with a new one, one at a time."""
        for process in list(self._town.processes):
            if process not in self._frozen:
                await self._town.start(_role(process))
                await self._town.stop(process)

    async def _fill(self) -> None:
        """Fill the disk of the server, and free it a little later. A server that cannot
        write its log ends, and is then started again."""
        assert self.server.directory is not None
        assert self.server.process is not None
        filling = self.server.directory / "filling"
        with contextlib.suppress(OSError), filling.open("wb") as file:
            while True:
                file.write(bytes(1 << 20))
        await asyncio.sleep(self._chance.uniform(*FULL))
        filling.unlink()
        # It may be about to end.
        await asyncio.sleep(1.0)
        if self.server.process.poll() is not None:
            print(f"{time.strftime('%X')} the server had ended", flush=True)
            await self._start_server()


@contextlib.contextmanager
def disk(*, small: bool) -> Iterator[Path]:
    """Yield a directory for the data of a server. A `small` one is a separate disk in
    memory, which only root may mount."""
    with tempfile.TemporaryDirectory(prefix="threadkeep-pg-") as folder:
        if not small:
            yield Path(folder)
            return
        subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}m", "tmpfs", folder], check=True
        )
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def start_server(directory: Path) -> postgres.Server:
    """Start PostgreSQL, whose commits survive the death of its processes."""
    return postgres.start(
        directory, synchronous_commit="on", autovacuum="on", shared_buffers="64MB"
    )


def end(server: postgres.Server) -> None:
    """Kill `server` if it is running."""
    assert server.process is not None
    server.process.send_signal(signal.SIGQUIT)
    server.process.wait()


def _role(process: Process) -> str:
    return process.folder.name.partition("-")[0]
