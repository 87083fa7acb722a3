"""`python -m benchmarks.soak` is a soak test of one process.

People talk on both platforms while calls fail at random and Threadkeep is killed every
few seconds. In the end, everything must be as if nothing had happened.

`tests.support.invariants` checks the result, as after every crash: each acknowledged
message is answered, no reply is doubled or unfinished, messages have the text that
Claude sent, and the database is intact. The same seed repeats the same people, faults
and kills, but not at the same instants.
"""

import asyncio
import contextlib
import random
import sqlite3
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from benchmarks import call_faults
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.prompt import Body
from tests.emulators.claude.reply import Abort, End, Error, Fail, Step
from tests.emulators.discord import faults as discord_faults
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import invariants
from tests.support.crash_harness import Life, living
from tests.support.crash_scenes import ACK_TIMEOUT, DiscordScene, SlackScene
from tests.support.process import Nursery, Process, claude_env, slack_env

# Seconds that the remaining work may take in the end. Slack allows 50 edits a minute,
# and a kill leaves at most one for each answer.
DRAINING = 240.0

# The ranges of seconds between two questions, two faults and two kills.
QUESTIONS, FAULTS, KILLS = (0.2, 1.2), (0.5, 2.5), (3.0, 8.0)

# A Sonnet's pace.
TOKENS_PER_SECOND = 60.0
SENTENCE = "Restore the newest snapshot first, and only then start the workers. "

SLACK_CALLS = (
    *("chat.postMessage", "chat.update", "conversations.replies"),
    # Not the status line, which disappears by itself if it cannot be cleared.
    "users.info",
    *("chat.startStream", "chat.appendStream", "chat.stopStream"),
)
DISCORD_CALLS = (
    ("POST", discord_faults.MESSAGES),
    ("PATCH", discord_faults.MESSAGE),
    ("GET", discord_faults.MESSAGES),
)


@dataclass(frozen=True, slots=True)
class Soaked:
    """The events of a run, and its result."""

    seconds: float
    asked: Counter[str]
    kills: int
    faults: int
    #: How the turns ended.
    ended: Counter[str]
    drained: float

    def __str__(self) -> str:
        asked = ", ".join(f"{count} on {name}" for name, count in self.asked.items())
        ended = ", ".join(f"{count} {name}" for name, count in self.ended.items())
        return (
            f"{self.seconds:.0f} s, {self.kills} kills, {self.faults} faults; "
            f"messages: {asked}; turns: {ended}; "
            f"all written out {self.drained:.0f} s after the last fault; "
            "nothing lost, doubled or unfinished"
        )


class Soak:
    """People on both platforms, and a Threadkeep process under faults and kills."""

    def __init__(
        self,
        slack: SlackScene,
        discord: DiscordScene,
        life: Life,
        chance: random.Random,
    ) -> None:
        self.slack = slack
        self.discord = discord
        self.asked = Counter[str]()
        self.kills = self.faults = 0
        self._life = life
        self._chance = chance
        self._number = 0
        self._threads: list[tuple[str, str, str]] = []

    async def begin(self, threads: int) -> None:
        """Open `threads` threads on each platform."""
        await self._life.start()
        workspace = self.slack.slack
        rooms = [workspace.add_channel(f"room-{n}") for n in range(5)]
        for nth in range(threads):
            if nth % 5 == 4:
                room = workspace.open_dm(workspace.add_user(f"Person {nth}"))
            else:
                room = rooms[nth % 5]
            said = f"{workspace.mention} {self._question()}"
            ts = workspace.say(self.slack.alice, room, said)
            self._threads.append(("slack", room, ts))
            self.asked["slack"] += 1
        guild = self.discord.discord
        for _ in range(threads):
            said = f"{guild.mention} {self._question()}"
            message = guild.say(self.discord.alice, self.discord.general, said)
            self._threads.append(("discord", self.discord.general, message))
            self.asked["discord"] += 1
        # Discord does not repeat events, so these must have arrived before the first
        # kill.
        await guild.until(
            lambda: all(
                guild.thread_of(message)
                for name, _, message in self._threads
                if name == "discord"
            ),
            timeout=60,
        )

    async def run(self, seconds: float) -> None:
        """Let people talk under faults and kills for `seconds`."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds), asyncio.TaskGroup() as tasks:
                tasks.create_task(self._talk())
                tasks.create_task(self._break())
                tasks.create_task(self._kill())

    async def end(self) -> float:
        """End all faults, and wait until all work is done. Return the seconds that this
        took."""
        began = time.monotonic()
        self.slack.slack.faults.clear()
        self.discord.discord.faults.clear()
        with contextlib.suppress(ProcessLookupError):
            self._life.process.kill()
            await self._life.process.ended()
        await self._life.start()
        database = self._life.process.database
        async with asyncio.timeout(DRAINING):
            # A database does not announce its changes.
            while self._left(database):  # noqa: ASYNC110
                await asyncio.sleep(0.1)
        return time.monotonic() - began

    async def _talk(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*QUESTIONS))
            name, channel, thread = self._chance.choice(self._threads)
            self.asked[name] += 1
            text = self._question()
            if name == "slack":
                workspace = self.slack.slack
                workspace.say(self.slack.bob, channel, text, thread_ts=thread)
            else:
                self.discord.discord.say(self.discord.bob, thread, text)

    async def _break(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*FAULTS))
            self.faults += 1
            for_slack, fault = call_faults.draw(self._chance)
            if for_slack:
                method = self._chance.choice(SLACK_CALLS)
                self.slack.slack.faults.add(method, fault)
            else:
                call = self._chance.choice(DISCORD_CALLS)
                self.discord.discord.faults.add(*call, fault)

    async def _kill(self) -> None:
        while True:
            await asyncio.sleep(self._chance.uniform(*KILLS))
            self.kills += 1
            restarting = asyncio.create_task(self._life.restart())
            try:
                await asyncio.shield(restarting)
            finally:
                # A start that is cancelled would leave a process that nobody ends.
                await restarting

    def _question(self) -> str:
        self._number += 1
        return f"question {self._number}?"

    def _left(self, database: Path) -> int:
        """Return the number of messages that are not stored or not acknowledged, plus
        the number of undelivered turns. The acknowledgement of a message that is
        stored is lost with its process; Slack then sends the message again."""
        unconfirmed = sum(not said.acked for said in self.slack.witness.said())
        said = "SELECT count(*) FROM messages WHERE role = 'user' AND asks"
        open_ = "SELECT count(*) FROM turns WHERE state <> 'delivered'"
        with contextlib.closing(sqlite3.connect(database)) as db:
            (stored,), (turns,) = (db.execute(q).fetchone() for q in (said, open_))
        return int(unconfirmed + self.asked.total() - stored + turns)


async def soak(seconds: float, threads: int, folder: Path, seed: int) -> Soaked:
    """Run the soak for `seconds`. Raises AssertionError if something was lost, doubled,
    left unfinished or changed."""
    chance = random.Random(seed)
    async with _staged(folder, chance) as soak:
        await soak.begin(threads)
        await soak.run(seconds)
        drained = await soak.end()
        await soak._life.stop()
        # Messages sent while it is dead arrive late, and a process that does not know
        # of a thread requests it again.
        soak.discord.witness.may_be_late = True
        soak.discord.witness.most_invalid = 10 + 2 * soak.kills
        claude, database = soak.slack.claude, soak._life.process.database
        invariants.check(claude, database, soak.slack.witness, soak.discord.witness)
        with contextlib.closing(sqlite3.connect(database)) as db:
            rows = db.execute("SELECT ended, count(*) FROM turns GROUP BY 1").fetchall()
        return Soaked(
            seconds, soak.asked, soak.kills, soak.faults, Counter(dict(rows)), drained
        )


@contextlib.asynccontextmanager
async def _staged(folder: Path, chance: random.Random) -> AsyncIterator[Soak]:
    # Slack retries unacknowledged events for as long as the soak may last.
    retries = (0.0, *[1.0] * 2_000)

    def answer(body: Body) -> Sequence[Step]:
        text = (SENTENCE * chance.randint(1, 6)).rstrip()
        answers: tuple[Sequence[Step], ...] = (
            [Fail(529)],
            [text[: len(text) // 2], End()],
            [text[: len(text) // 2], Error()],
            [text[: len(text) // 2], Abort()],
            *([text] for _ in range(16)),
        )
        return answers[chance.randrange(20)]

    async with (
        SlackEmulator(ack_timeout=ACK_TIMEOUT, retries=retries) as slack,
        DiscordEmulator() as discord,
        ClaudeEmulator(tokens_per_second=TOKENS_PER_SECOND) as claude,
        Nursery() as nursery,
    ):
        claude.always(answer)
        env = {
            "THREADKEEP_GRACE": "30",
            **slack_env(slack),
            **discord.env,
            **claude_env(claude),
        }
        life = Life(Process(folder, env), nursery, slack, discord)
        async with living(life):
            yield Soak(
                SlackScene(slack, claude, life),
                DiscordScene(discord, claude, life),
                life,
                chance,
            )


@click.command()
@click.option("--seconds", default=600.0, help="For how long.")
@click.option("--threads", default=20, help="Threads on each platform.")
@click.option("--seed", default=0, help="Which people, faults and kills.")
def main(seconds: float, threads: int, seed: int) -> None:
    """Soak Threadkeep, and print the result."""
    with tempfile.TemporaryDirectory() as folder:
        print(asyncio.run(soak(seconds, threads, Path(folder), seed)))


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.soak")
