"""The measured platforms, each with Alice and our bot.

Rule: the actions and readings of benchmarks on a platform are here, and other modules
do not use the emulators directly, so that all benchmarks measure in the same way.
"""

import contextlib
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Protocol

from bot.domain.scope import ThreadKey
from tests.emulators.discord import rates as discord_rates
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import MESSAGE, MESSAGES
from tests.emulators.slack import rates as slack_rates
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.world import Seen, Version
from tests.support.process import is_heard, slack_env

# One clock for everything that is compared. Discord's ids hold the time of day, and
# discord.py compares them with its own clock (platform facts B10).
clock = time.time

#: Contents by name.
Files = Mapping[str, bytes]
NO_FILES: Files = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Question:
    """A question of Alice, and the thread of its answer."""

    #: The time at which she asked.
    at: float
    message: str
    thread: ThreadKey
    #: The name of the write budget of the answer.
    budget: str


class Platform(Protocol):
    """One platform on loopback."""

    @property
    def asker(self) -> str:
        """The id of the asker."""
        ...

    @property
    def env(self) -> Mapping[str, str]:
        """The variables that an operator sets to reach it."""

    @property
    def is_heard(self) -> bool:
        """True if messages reach the bot."""

    @property
    def settled(self) -> bool:
        """True if no call or event is pending in either direction."""

    @property
    def writes(self) -> tuple[int, int]:
        """The numbers of successful posts and starts of streams, and of successful
        edits, appends and stops."""

    @property
    def refused(self) -> str:
        """The number of rate-limited calls of each kind, as text."""

    @property
    def refusals(self) -> int:
        """The number of rate-limited calls."""

    async def until(self, condition: Callable[[], object], timeout: float) -> None:
        """Wait until `condition()` is true. Raises AssertionError."""

    def add_channel(self) -> str:
        """Open a channel with the bot in it."""

    def open_thread(self) -> ThreadKey:
        """Open a thread in its own channel, without an event for the bot."""

    def ask(
        self,
        channel: str,
        text: str,
        thread: ThreadKey | None = None,
        files: Files = NO_FILES,
    ) -> Question:
        """Let Alice ask the bot in `thread`, or at the top level of `channel`, with
        files by name."""

    def acknowledged(self, question: Question) -> float | None:
        """Return the time at which the bot acknowledged the question, or None on a
        platform without acknowledgements."""

    def promised(self, question: Question) -> float | None:
        """Return the time of the first sign of an answer since the question, or None if
        there is none yet."""

    def answer(self, question: Question) -> list[tuple[float, str]]:
        """Return the texts of the answer's first message as Alice saw them, with their
        times."""

    def others_see(self, question: Question) -> list[tuple[float, str]]:
        """Return the texts of that message as everybody else in the channel saw them,
        with their times."""


class Slack:
    """A workspace."""

    def __init__(self, slack: SlackEmulator) -> None:
        self._slack = slack
        self._alice = slack.add_user("Alice")

    @property
    def asker(self) -> str:
        return self._alice

    @property
    def env(self) -> Mapping[str, str]:
        return slack_env(self._slack)

    @property
    def is_heard(self) -> bool:
        return is_heard(self._slack)

    @property
    def settled(self) -> bool:
        return self._slack.settled

    @property
    def writes(self) -> tuple[int, int]:
        firsts = ("chat.postMessage", "chat.startStream")
        later = ("chat.update", "chat.appendStream", "chat.stopStream")
        return sum(map(self._served, firsts)), sum(map(self._served, later))

    @property
    def refused(self) -> str:
        counts = self._slack.refused.items()
        return ", ".join(f"{each.rpartition('.')[2]} {n}" for each, n in counts) or "0"

    @property
    def refusals(self) -> int:
        return sum(self._slack.refused.values())

    async def until(self, condition: Callable[[], object], timeout: float) -> None:
        await self._slack.until(condition, timeout=timeout)

    def add_channel(self) -> str:
        return self._slack.add_channel("room")

    def open_thread(self) -> ThreadKey:
        channel = self._slack.add_channel("old", joined=False)
        ts = self._slack.say(self._alice, channel, "?")
        self._slack.invite(channel)
        return ThreadKey("slack", self._slack.team, channel, ts)

    def ask(
        self,
        channel: str,
        text: str,
        thread: ThreadKey | None = None,
        files: Files = NO_FILES,
    ) -> Question:
        slack = self._slack
        root = thread.thread if thread else None
        said = f"{slack.mention} {text}"
        ts = slack.say(self._alice, channel, said, thread_ts=root, files=files)
        return Question(
            at=slack.message(channel, ts).versions[0].at,
            message=ts,
            thread=thread or ThreadKey("slack", slack.team, channel, ts),
            budget=channel,
        )

    def acknowledged(self, question: Question) -> float | None:
        # A mention gives two events. The product handles the first to arrive.
        attempts = (
            each.attempts[0].acked
            for each in self._slack.deliveries
            if each.event.get("ts") == question.message and each.attempts
        )
        return next(attempts, None)

    def promised(self, question: Question) -> float | None:
        place = question.thread.channel, question.thread.thread
        lines = [
            each.at
            for each in self._slack.statuses
            if each.status and (each.channel, each.thread_ts) == place
        ]
        # An immediate answer needs no sign before it.
        seen = [*lines, *(at for at, _ in self.answer(question))]
        return min((at for at in seen if at >= question.at), default=None)

    def answer(self, question: Question) -> list[tuple[float, str]]:
        return [(each.at, each.text) for each in self._versions(question)]

    def others_see(self, question: Question) -> list[tuple[float, str]]:
        versions = self._versions(question)
        return [(each.at, each.text) for each in versions if not each.is_private]

    def _versions(self, question: Question) -> Sequence[Version]:
        replies = [each for each in self._thread(question) if each.bot]
        return replies[0].versions if replies else ()

    def _thread(self, question: Question) -> list[Seen]:
        return self._slack.thread(question.thread.channel, question.thread.thread)

    def _served(self, method: str) -> int:
        return sum(call.outcome == "ok" for call in self._slack.calls_of(method))


class Discord:
    """A guild, and more guilds if needed."""

    def __init__(self, discord: DiscordEmulator) -> None:
        self._discord = discord
        self._alice = discord.add_user("Alice")

    @property
    def asker(self) -> str:
        return self._alice

    @property
    def env(self) -> Mapping[str, str]:
        return self._discord.env

    @property
    def is_heard(self) -> bool:
        return is_heard(self._discord)

    @property
    def settled(self) -> bool:
        return self._discord.settled

    @property
    def writes(self) -> tuple[int, int]:
        return self._served("POST", MESSAGES), self._served("PATCH", MESSAGE)

    @property
    def refused(self) -> str:
        return str(self._discord.refused)

    @property
    def refusals(self) -> int:
        return self._discord.refused

    async def until(self, condition: Callable[[], object], timeout: float) -> None:
        await self._discord.until(condition, timeout=timeout)

    def add_channel(self) -> str:
        return self._discord.add_channel("room")

    def add_guild(self, channels: int) -> str:
        """Add the bot to another guild with `channels` channels. Return the last
        one."""
        guild = self._discord.add_guild("More")
        return [
            self._discord.add_channel(f"room-{n}", guild=guild) for n in range(channels)
        ][-1]

    def open_thread(self) -> ThreadKey:
        discord, channel = self._discord, self.add_channel()
        root = discord.say(self._alice, channel, "?")
        thread = discord.thread(self._alice, channel, "old", message=root)
        return ThreadKey("discord", discord.guild, channel, thread)

    def ask(
        self,
        channel: str,
        text: str,
        thread: ThreadKey | None = None,
        files: Files = NO_FILES,
    ) -> Question:
        discord = self._discord
        place = thread.thread if thread else channel
        said = f"{discord.mention} {text}"
        message = discord.say(self._alice, place, said, files=files)
        # A thread on a message has the id of the message (platform facts B6).
        key = thread or ThreadKey("discord", discord.guild, channel, message)
        at = discord.message(message).versions[0].at
        # A thread is a channel with its own write limits (facts B4).
        return Question(at=at, message=message, thread=key, budget=key.thread)

    def acknowledged(self, question: Question) -> float | None:
        return None

    def promised(self, question: Question) -> float | None:
        path = f"/channels/{question.thread.thread}/typing"
        signs = [each.at for each in self._discord.calls_of("POST", path)]
        seen = [*signs, *(at for at, _ in self.answer(question))]
        return min((at for at in seen if at >= question.at), default=None)

    def answer(self, question: Question) -> list[tuple[float, str]]:
        seen = self._discord.messages(question.thread.thread)
        replies = [each for each in seen if each.bot]
        versions = replies[0].versions if replies else ()
        return [(each.at, each.text) for each in versions]

    def others_see(self, question: Question) -> list[tuple[float, str]]:
        return self.answer(question)

    def _served(self, method: str, path: str) -> int:
        return sum(call.status == 200 for call in self._discord.calls_of(method, path))


#: The names of all platforms.
NAMES = ("slack", "discord")


@contextlib.asynccontextmanager
async def opened(name: str, *, unlimited: bool = False) -> AsyncIterator[Platform]:
    """Yield the platform `name`, with its real limits or without limits."""
    if name == "discord":
        async with open_discord(unlimited=unlimited) as discord:
            yield discord
    else:
        rates = slack_rates.UNLIMITED if unlimited else slack_rates.RATES
        async with SlackEmulator(clock=clock, rates=rates) as slack:
            yield Slack(slack)


@contextlib.asynccontextmanager
async def open_discord(
    *, unlimited: bool = False, raised: int = 1
) -> AsyncIterator[Discord]:
    """Yield Discord, with its real limits or without limits. `raised` multiplies the
    global limit."""
    rates = discord_rates.UNLIMITED if unlimited else discord_rates.RATES
    if raised > 1:
        whole = rates["global"]
        rates = {**rates, "global": discord_rates.Rate(whole.count * raised, 1.0)}
    async with DiscordEmulator(clock=clock, rates=rates) as discord:
        yield Discord(discord)
