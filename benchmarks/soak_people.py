"""People who talk with the bot on both platforms, and Claude's answers to them."""

import asyncio
import contextlib
import random
import re
import time
from collections import Counter
from collections.abc import Sequence

import psycopg

from tests.emulators.claude.prompt import Body
from tests.emulators.claude.reply import Abort, End, Error, Fail, Pause, Step
from tests.emulators.discord.emulator import DiscordEmulator
from tests.support.scale_harness import Cluster

#: How many of the newest threads people continue, and the seconds before they do.
THREADS, TYPING = 60, 3.0

# Discord allows about 1,000 active threads in a server: 10,000 questions make 3,000.
SLACK_CHANNELS, DISCORD_SERVERS, DISCORD_CHANNELS = 20, 4, 3

ANSWERED = """
    SELECT count(*) FROM messages JOIN turns ON turns.id = turn_id
    WHERE role = 'user' AND asks = 1 AND state = 'delivered'
"""

_NUMBER = re.compile(r"question (\d+)\?")


class People:
    """People in channels and threads of both platforms. At most `at_once` of their
    questions wait for an answer at a time."""

    def __init__(
        self,
        town: Cluster,
        discord: DiscordEmulator,
        chance: random.Random,
        at_once: int,
    ) -> None:
        self._town, self._discord = town, discord
        self._chance = chance
        self._at_once = at_once
        #: The number of questions on each platform.
        self.asked = Counter[str]()
        self._threads: list[tuple[float, str, str, str]] = []
        self._rooms = [
            town.slack.add_channel(f"room-{n}") for n in range(SLACK_CHANNELS)
        ]
        guilds = [
            None,
            *(discord.add_guild(f"G{n}") for n in range(1, DISCORD_SERVERS)),
        ]
        self.halls = [
            discord.add_channel(f"hall-{n}", guild=guild)
            for guild in guilds
            for n in range(DISCORD_CHANNELS)
        ]
        self._bob = discord.add_user("Bob")

    async def talk(self, questions: int) -> None:
        """Ask `questions` questions, no faster than they are answered."""
        while (total := self.asked.total()) < questions:
            answered = self.answered()
            if answered is None or total - answered >= self._at_once:
                await asyncio.sleep(0.2)
                continue
            for _ in range(min(questions - total, self._at_once - (total - answered))):
                self._ask()
                await asyncio.sleep(self._chance.uniform(0.0, 0.05))

    def answered(self) -> int | None:
        """Return the number of answered questions, or None while the database is
        unavailable."""
        with contextlib.suppress(psycopg.Error):
            [(count,)] = self._town.ask(ANSWERED)
            return int(str(count))
        return None

    def _ask(self) -> None:
        text = f"question {self.asked.total() + 1}?"
        # A person reads the answer before going on.
        old = [each for at, *each in self._threads if at < time.monotonic() - TYPING]
        if old and self._chance.random() < 0.4:
            name, channel, thread = self._chance.choice(old[-THREADS:])
        else:
            name = self._chance.choice(("slack", "discord"))
            rooms = self._rooms if name == "slack" else self.halls
            channel, thread = self._chance.choice(rooms), ""
        if name == "slack":
            said = text if thread else f"{self._town.slack.mention} {text}"
            found = self._town.slack.say(
                self._town.alice, channel, said, thread_ts=thread or None
            )
        elif thread and thread in self._discord.threads(channel):
            found = self._discord.say(self._bob, thread, text)
        else:
            said = f"{self._discord.mention} {text}"
            found, thread = self._discord.say(self._bob, channel, said), ""
        if not thread:
            self._threads.append((time.monotonic(), name, channel, found))
            del self._threads[: -10 * THREADS]
        self.asked[name] += 1


def answer(chance: random.Random, body: Body) -> Sequence[Step]:
    """Return the steps of an answer that names its question. Most are complete and
    immediate."""
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
