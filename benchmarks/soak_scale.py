"""`python -m benchmarks.soak_scale` is a soak test of several processes.

People talk on both platforms while two gateways and four workers that share a
PostgreSQL database are killed, frozen and replaced, the database is killed and
disconnected, and calls fail. In the end, everything must be as if nothing had happened.

`tests.support.invariants` checks the result, as after every crash.
`tests.support.owners` checks that no process wrote in a thread after another one had
taken it over. Late writes that were corrected are counted separately. The same seed
repeats the same people, faults and harm, but not at the same instants.

`--turns 10000 --result FILE` is the long run. It ends when that many questions are
answered, prints its progress every minute, and writes the result to FILE even if it is
interrupted.
"""

import asyncio
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import click
from rich.console import Console

from benchmarks import soak_harm
from benchmarks.soak_harm import ROLES, Harm
from benchmarks.soak_people import People, answer
from benchmarks.table import table
from bot.domain.server_address import ServerAddress
from storage.postgres import schema
from storage.postgres.connection import Connection
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord import rates as discord_rates
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.rates import UNLIMITED
from tests.support import invariants, owners, postgres
from tests.support.process import Nursery
from tests.support.scale_harness import Cluster
from tests.support.witnesses import DiscordWitness, SlackWitness

#: Seconds without progress in the end after which the rest counts as unanswered, and
#: seconds that any step may take on a slow machine.
STUCK, PATIENCE = 180.0, 300.0

# Seconds between two progress lines.
PROGRESS = 60.0

ENDED = "SELECT ended, count(*) FROM turns GROUP BY 1 ORDER BY 2 DESC"
OPEN = "SELECT count(*) FROM turns WHERE state <> 'delivered'"

# The counts that have to be 0 in the end.
LEFT = "questions without an answer, open turns, and events that Slack repeats"


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
    #: The late writes that were corrected.
    corrected: list[str] = field(default_factory=list)
    #: Every violation that was found.
    wrong: list[str] = field(default_factory=list)


class Soak:
    """People on both platforms, and processes under harm."""

    def __init__(
        self, town: Cluster, discord: DiscordEmulator, people: People, harm: Harm
    ) -> None:
        self._town, self._discord = town, discord
        self._people, self.harm = people, harm
        self.soaked = Soaked(asked=people.asked, harm=harm.done)

    async def run(self, turns: int, seconds: float) -> None:
        """Let people talk under harm until `turns` questions were asked, or for
        `seconds`."""
        for role in ROLES:
            await self._town.start(role)
        began = time.monotonic()
        ending = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.harm.do(ending))
            breaking = tasks.create_task(self.harm.break_calls())
            telling = tasks.create_task(self._tell(began))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._people.talk(turns)
            breaking.cancel()
            # Finish the harm in progress: processes are restarted and thawed.
            ending.set()
            telling.cancel()
        self.soaked.seconds = time.monotonic() - began
        await self._drain()
        for process in list(self._town.processes):
            await self._town.stop(process)
        self.soaked.faults = self.harm.faults
        self.soaked.ended = Counter(
            {str(ended): int(str(count)) for ended, count in self._town.ask(ENDED)}
        )

    async def _tell(self, began: float) -> None:
        """Print the progress at intervals."""
        while True:
            await asyncio.sleep(PROGRESS)
            minutes = (time.monotonic() - began) / 60
            answered = self._people.answered()
            known = "the database is away" if answered is None else f"{answered:,}"
            print(
                f"{time.strftime('%X')} {minutes:.0f} min: asked "
                f"{self.soaked.asked.total():,}, answered {known}; "
                + ", ".join(f"{n} {kind}" for kind, n in self.harm.done.items()),
                flush=True,
            )

    async def _drain(self) -> None:
        """End all faults, and wait until all work is done, as long as there is
        progress."""
        began = moved = time.monotonic()
        self._town.slack.faults.clear()
        self._discord.faults.clear()
        least = self._left()
        while (left := self._left()) is None or any(left):
            if left is not None and (least is None or left < least):
                least, moved = left, time.monotonic()
            if time.monotonic() - moved >= STUCK:
                self.soaked.wrong.append(f"{left} of {LEFT} are left in the end")
                break
            await asyncio.sleep(0.2)
        self.soaked.drained = time.monotonic() - began

    def _left(self) -> tuple[int, int, int] | None:
        """Return the counts of LEFT, or None while the database is unavailable."""
        answered = self._people.answered()
        if answered is None:
            return None
        [(open_turns,)] = self._town.ask(OPEN)
        return (
            self.soaked.asked.total() - answered,
            int(str(open_turns)),
            # Slack may still retry the second event of a mention whose question is
            # answered.
            self._town.slack.socket.pending,
        )

    def check(self) -> None:
        """Check all invariants at the end."""
        town, discord = self._town, self._discord
        in_slack, in_discord = SlackWitness(town.slack), DiscordWitness(discord)
        in_discord.channels += self._people.halls
        # A process that does not know of a thread requests it again.
        in_discord.may_be_late = True
        in_discord.most_invalid = 10 + 2 * self.soaked.harm.total()
        late = [*self._late()]
        self.soaked.corrected += [str(each) for each in late if each.corrected]
        self.soaked.wrong += [str(each) for each in late if not each.corrected]
        at = ServerAddress(postgres.uri(town.address))
        edited = {each.write.message for each in late if each.corrected}
        self.soaked.wrong += invariants.faults(
            town.claude, at, in_slack, in_discord, late=edited
        )

    def _late(self) -> Iterator[owners.Late]:
        town = self._town
        epoch = time.time() - time.monotonic()
        writes = [
            *owners.slack_writes(town.slack, epoch),
            *owners.discord_writes(self._discord, self._people.halls),
        ]
        # A gateway writes notices, not answers.
        answers = [each for each in writes if not each.by.startswith("gateway")]
        with contextlib.closing(Connection(town.address)) as db:
            deleted = owners.slack_deletions(town.slack, epoch)
            yield from owners.late(db, answers, deleted, town.names)


async def soak(
    turns: int,
    seconds: float,
    folder: Path,
    seed: int,
    *,
    at_once: int = 40,
    fills: bool = False,
) -> Soaked:
    """Run the soak. The result has all violations, even if the run broke off."""
    chance = random.Random(seed)
    task = asyncio.current_task()
    assert task is not None
    # SIGTERM ends the run like Ctrl-C.
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    async with _staged(folder, chance, at_once, seconds, fills=fills) as soak:
        try:
            await soak.run(turns, seconds)
        except (Exception, asyncio.CancelledError) as error:
            soak.soaked.wrong.append(f"broke off: {error!r}")
        soak.check()
        return soak.soaked


@contextlib.asynccontextmanager
async def _staged(
    folder: Path, chance: random.Random, at_once: int, seconds: float, *, fills: bool
) -> AsyncIterator[Soak]:
    # Slack retries unacknowledged events for as long as the soak may last.
    retries = (0.0, *[1.0] * int(seconds + STUCK))
    with soak_harm.disk(small=fills) as data:
        server = soak_harm.start_server(data)
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
            town.patience = PATIENCE
            people = People(town, discord, chance, at_once)
            harm = Harm(town, discord, server, chance, fills=fills)
            try:
                yield Soak(town, discord, people, harm)
            finally:
                await town.end()
                soak_harm.end(harm.server)


def _rows(soaked: Soaked) -> list[tuple[str, str]]:
    return [
        *((f"questions on {name}", str(n)) for name, n in soaked.asked.items()),
        *((f"turns that ended: {e}", str(n)) for e, n in soaked.ended.items()),
        *((kind, str(n)) for kind, n in soaked.harm.items()),
        ("calls of the platforms that failed", str(soaked.faults)),
        ("seconds", f"{soaked.seconds:.0f}"),
        ("seconds until all was written", f"{soaked.drained:.0f}"),
        ("late writes that were corrected", str(len(soaked.corrected))),
        ("what is wrong in the end", str(len(soaked.wrong))),
    ]


@click.command()
@click.option("--turns", default=2_000, help="Ends after so many questions.")
@click.option("--seconds", default=14_400.0, help="Ends after so long, at the latest.")
@click.option("--at-once", default=40, help="How many questions wait at a time.")
@click.option("--seed", default=0, help="Which people, faults and harm.")
@click.option("--fill-disk", is_flag=True, help="Fills the disk, too; needs root.")
@click.option("--keep", type=click.Path(path_type=Path), help="Where the logs go.")
@click.option(
    "--result", type=click.Path(path_type=Path), help="Where the result goes."
)
def main(
    turns: int,
    seconds: float,
    at_once: int,
    seed: int,
    fill_disk: bool,
    keep: Path | None,
    result: Path | None,
) -> None:
    """Soak Threadkeep, and print the result."""
    with contextlib.ExitStack() as stack:
        if keep is None:
            keep = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        keep.mkdir(exist_ok=True)
        soaked = asyncio.run(
            soak(turns, seconds, keep, seed, at_once=at_once, fills=fill_disk)
        )
    found = table(
        f"Two gateways and four workers on PostgreSQL, seed {seed}",
        ("what", "times"),
        _rows(soaked),
        caption="""In the end nothing is left to do, and everything is compared:
        what people see, what Claude was asked and said, what is stored and booked,
        and who had a thread when it was written in.""",
    )
    with contextlib.ExitStack() as stack:
        files = [sys.stdout]
        if result is not None:
            files.append(stack.enter_context(result.open("w", encoding="utf-8")))
        for file in files:
            Console(file=file).print(found)
            for sentence in soaked.corrected:
                print("corrected:", sentence, file=file)
            for sentence in soaked.wrong:
                print("wrong:", sentence, file=file)
    raise SystemExit(bool(soaked.wrong))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak_scale")
