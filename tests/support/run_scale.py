"""Runs several processes on one PostgreSQL database, to try by hand: `make run-scale`.

This process runs PostgreSQL, Slack and Claude. Two gateways and four workers run as
separate processes. Typed text becomes a question in Slack; commands kill, freeze and
start processes.
"""

import asyncio
import contextlib
import signal
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import click

from tests.emulators.claude.reply import Pause, Step
from tests.support.process import Nursery, Process
from tests.support.scale_harness import Cluster, cluster

HELP = """\
Type a question, and Slack shows the answer as it grows. Or:
  who          the processes, and in how many threads each answers
  kill N       end process N without a moment's notice (its answers go on elsewhere)
  freeze N     stop it where it is, as a machine that hangs; thaw N lets it go on
  stop N       tell it to end (it gives back what it cannot finish)
  start ROLE   one more gateway, work or serve
  many N       ask N questions at once
  quit"""

WORDS = "Each word of this answer takes a moment, so that there is time to do harm."
#: An answer of half a minute.
ANSWER: list[Step | Pause] = []
for word in WORDS.split():
    ANSWER += [f"{word} ", Pause(2.0)]


class Console:
    """Carries out typed commands, and prints what Slack shows."""

    def __init__(self, town: Cluster) -> None:
        self._town = town
        self._shown: dict[str, str] = {}

    async def start(self, *roles: str) -> None:
        for role in roles:
            process = await self._town.start(role)
            click.echo(f"{len(self._town.processes)}: {role}, process {process.pid}")

    async def watch(self) -> None:
        """Print the bot's messages whenever they change."""
        while True:
            for place in list(self._shown):
                now = " | ".join(self._town.replies(place))
                if now != self._shown[place]:
                    self._shown[place] = now
                    click.echo(f"  [{place[-6:]}] {now}")
            await asyncio.sleep(0.5)

    async def run(self) -> None:
        """Carry out each typed line, until the input ends."""
        while line := await asyncio.to_thread(sys.stdin.readline):
            word, _, rest = line.strip().partition(" ")
            if word == "quit":
                return
            try:
                await self._do(word, rest)
            except (LookupError, ValueError, ProcessLookupError) as error:
                click.echo(f"That is not possible: {error!r}")

    async def _do(self, word: str, rest: str) -> None:
        match word:
            case "":
                click.echo(HELP)
            case "who":
                self._list()
            case "kill":
                await self._town.crash(self._process(rest))
            case "stop":
                await self._town.stop(self._process(rest))
            case "freeze":
                self._process(rest).kill(signal.SIGSTOP)
            case "thaw":
                self._process(rest).kill(signal.SIGCONT)
            case "start":
                await self.start(rest or "work")
            case "many":
                for number in range(int(rest)):
                    self._ask(f"question {number}")
            case _:
                self._ask(f"{word} {rest}".strip())

    def _ask(self, text: str) -> None:
        self._shown[self._town.say(text)] = ""

    def _process(self, number: str) -> Process:
        return self._town.processes[int(number) - 1]

    def _list(self) -> None:
        query = """
            SELECT role, (SELECT count(*) FROM threads WHERE owner = processes.id)
            FROM processes WHERE name LIKE %s
        """
        for number, each in enumerate(self._town.processes, start=1):
            for role, threads in self._town.ask(query, f"%:{each.pid}"):
                click.echo(
                    f"{number}: {role}, process {each.pid}, answers in {threads}"
                )


@contextlib.asynccontextmanager
async def running() -> AsyncIterator[Console]:
    """Yield the console of running processes, and end the processes afterwards."""
    with tempfile.TemporaryDirectory(prefix="threadkeep-scale-") as folder:
        async with Nursery() as nursery, cluster(Path(folder), nursery) as town:
            town.claude.always(ANSWER)
            console = Console(town)
            click.echo(f"The logs are in {folder}.")
            await console.start("gateway", "gateway", "work", "work", "work", "work")
            click.echo(HELP)
            watching = asyncio.create_task(console.watch())
            try:
                yield console
            finally:
                watching.cancel()


async def main() -> None:
    async with running() as console:
        await console.run()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(main())
