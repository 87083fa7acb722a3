"""Discord and Claude here, Threadkeep as a process, and a plot that ends it.

What is the same on every platform is in `scene`, and so is its rule. Here is also
what people see in Discord, for `invariants`.
"""

import contextlib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from adapters.discord.adapter import LIMITS
from bot.conversation.inbox import BUSY
from bot.domain.reply import MORE
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord.calls import Call
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.faults import Rule, hold
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import invariants
from tests.support.crash_harness import PATIENCE, Life, Repertoire, Scene, living
from tests.support.invariants import Said, Shown, Turn
from tests.support.process import Nursery, Process, claude_env, slack_env

# Answers to a command, and to one on a message (platform facts B5).
ANSWERS = (20, 23)

# Discord bans an address that sends 10,000 invalid requests in ten minutes (platform
# facts B4). No plot here needs more than a few.
MOST_INVALID = 3


class DiscordWitness:
    """What people see in Discord."""

    platform = "discord"
    limits = LIMITS

    def __init__(self, discord: DiscordEmulator) -> None:
        self.discord = discord
        #: Where people talk.
        self.channels: list[str] = []
        self.direct: list[str] = []
        #: How many requests may be invalid, and whether what was said in a message may
        #: have been heard late.
        self.most_invalid = MOST_INVALID
        self.may_be_late = False
        #: What people asked by command.
        self.commands: list[Asked] = []

    def said(self) -> Iterator[Said]:
        """See `invariants.Witness`."""
        for channel, place in self._places():
            called = place in self.direct or self._was_called(place)
            for seen in self.discord.messages(place):
                mentioned = self.discord.mention in seen.text
                if not seen.bot and (called or mentioned):
                    late = self.may_be_late
                    yield Said(channel, seen.id, seen.text, late=late)
        channels = {place: channel for channel, place in self._places()}
        for asked in self.commands:
            yield Said(channels[asked.channel], asked.id, "a command")

    def reply(self, turn: Turn) -> list[Shown]:
        """See `invariants.Witness`."""
        there = {each.id: each for each in self.discord.messages(turn.thread)}
        ours = [(part, there[m]) for part, m, _ in turn.replies if m in there]
        return [
            Shown(part, s.id, s.text, [(v.at, v.text) for v in s.versions])
            for part, s in ours
        ]

    def is_gone(self, turn: Turn) -> bool:
        """See `invariants.Witness`."""
        return turn.thread not in {place for _, place in self._places()}

    def final(self, text: str) -> str:
        """See `invariants.Witness`."""
        return text.strip("\n")

    def troubles(self, turns: Sequence[Turn]) -> Iterator[str]:
        """I6: nothing of the bot's is anywhere else, and nobody was pinged."""
        threads = {turn.thread for turn in turns}
        replies = {(t.thread, message) for t in turns for _, message, _ in t.replies}
        answered = {each for turn in turns for each in turn.answers}
        for channel, place in self._places():
            there = self.discord.messages(place)
            seen = [each for each in there if each.bot and each.text != BUSY]
            for each in seen:
                card = place == channel and each.id in threads
                told = each.type in ANSWERS or each.ephemeral_for
                if not (card or (place, each.id) in replies or told):
                    yield f"{each.id} in {place} belongs to no turn"
                if each.thinking:
                    yield f"{each.id} in {place} still is thinking"
                if each.id in answered:
                    yield f"the bot answers itself in {each.id}"
            answers = [each for each in seen if each.type in ANSWERS]
            cards = [each for each in answers if not each.ephemeral_for]
            if len(cards) > sum(each.channel == place for each in self.commands):
                yield f"a command was answered twice in {place}"
            if place not in (channel, *threads):
                yield f"{place} is a thread without a turn"
        for ping in self.discord.pings:
            yield f"{ping.message} pings {ping.what}"
        if (count := self.discord.invalid_requests) > self.most_invalid:
            yield f"{count} requests were invalid"

    def _places(self) -> Iterator[tuple[str, str]]:
        """Where people talk, and below which channel that is."""
        for channel in (*self.channels, *self.direct):
            yield channel, channel
            for thread in self.discord.threads(channel):
                yield channel, thread

    def _was_called(self, thread: str) -> bool:
        """Whether a thread began with somebody who addressed the bot."""
        if thread in self.channels:
            return False
        try:
            root = self.discord.message(thread)
        except LookupError:
            # Only questions are ever deleted here.
            return True
        return root.bot or self.discord.mention in root.text


class DiscordScene:
    """Alice and Bob in #general, Claude, and a Threadkeep that gets killed."""

    def __init__(
        self, discord: DiscordEmulator, claude: ClaudeEmulator, life: Life
    ) -> None:
        self.discord = discord
        self.claude = claude
        self.process = life.process
        self.witness = DiscordWitness(discord)
        self.alice = discord.add_user("Alice")
        self.bob = discord.add_user("Bob")
        self.general = discord.add_channel("general")
        self.witness.channels.append(self.general)
        self._life = life

        # What becomes of the process.
        self.begin = life.begin
        self.start = life.start
        self.crash = life.crash
        self.restart = life.restart
        self.restart_at = life.restart_at
        self.caught = life.caught
        self.stop = life.stop
        self.stored = life.stored
        self.reads = life.reads
        self.printed = life.printed
        self.locked = life.locked

    async def opens_with(self, text: str) -> str:
        """Begin, and let Alice mention the bot in #general."""
        await self.start()
        return self.ask(text)

    async def end(self) -> None:
        """Let it finish what it does, and see whether all is as it must be."""
        try:
            await self.stored("delivered")
        except TimeoutError as error:
            error.add_note("\n".join(self._dump()))
            raise
        await self.stop()
        self.check()

    async def ends_with(self, place: str, *texts: str) -> None:
        """The same, once the bot's messages in a place read exactly `texts`."""
        await self.answered(place, *texts)
        await self.end()

    def check(self, *others: invariants.Witness) -> None:
        """See `invariants.check`."""
        try:
            invariants.check(self.claude, self.process.database, self.witness, *others)
        except AssertionError as error:
            error.add_note("\n".join(self._dump()))
            raise

    # What people do, and what they see.

    def ask(self, text: str, place: str = "") -> str:
        """Let Alice mention the bot, in #general or in `place`.

        Returns the message's id, which is that of the thread made on it.
        """
        said = f"{self.discord.mention} {text}"
        return self.discord.say(self.alice, place or self.general, said)

    def command(self, question: str, place: str = "") -> Asked:
        """Let Alice ask by command, in #general or in `place`."""
        asked = self.discord.command(
            self.alice, place or self.general, "ask", question=question
        )
        self.witness.commands.append(asked)
        return asked

    def talk(self) -> str:
        """Open direct messages between Alice and the bot."""
        self.witness.direct.append(self.discord.open_dm(self.alice))
        return self.witness.direct[-1]

    async def thread(self) -> str:
        """Wait for the one thread in #general."""
        await self.until(lambda: self.discord.threads(self.general))
        [thread] = self.discord.threads(self.general)
        return thread

    def replies(self, place: str) -> list[Seen]:
        """The bot's messages in a thread or in direct messages; what answers a
        command is left out, and what says that somebody has to wait."""
        there = self.discord.messages(place)
        ours = (each for each in there if each.bot and each.text != BUSY)
        return [each for each in ours if each.type not in ANSWERS]

    async def answered(self, place: str, *texts: str) -> None:
        """Wait until the bot's messages in a place read exactly `texts`."""
        await self.until(lambda: [s.text for s in self.replies(place)] == [*texts])

    async def until(self, predicate: Callable[[], object]) -> None:
        """Wait until `predicate()` is true of what people see."""
        await self.discord.until(predicate, timeout=PATIENCE)

    async def heard(self, count: int) -> None:
        """Wait until `count` messages are remembered in all."""
        query = "SELECT count(*) FROM messages WHERE role = 'user'"
        await self.reads(query, count)

    async def asked(self, times: int) -> None:
        """Wait until Claude was asked so many times."""
        await self.claude.until(lambda: len(self.claude.questions) == times, PATIENCE)

    # What happens meanwhile.

    def pass_time(self, seconds: float) -> None:
        """Let time pass for Discord, and since the last signs of life."""
        self.discord.advance(seconds)
        self._life.age(seconds)

    def hold(
        self,
        method: str,
        path: str,
        *,
        after: bool = False,
        nth: int = 1,
        when: Callable[[Call], bool] | None = None,
    ) -> Rule:
        """Never answer one such call; with `after` it has had its effect."""
        fault = hold(self._life.holding(), after=after)
        return self.discord.faults.add(method, path, fault, nth=nth, when=when)

    def _dump(self) -> Iterator[str]:
        for call in self.discord.calls:
            yield f"{call.status} {call.method} {call.path} {call.text()[:60]!r}"
        for place in (self.general, *self.discord.threads(self.general)):
            for each in self.discord.messages(place):
                yield f"in {place}: {each.id} {each.author}: {each.text[:60]!r}"


def is_final(call: Call) -> bool:
    """Whether a write shows a message as it is to stay."""
    return not call.text().endswith(MORE)


@contextlib.asynccontextmanager
async def on_discord(
    folder: Path, grace: int, nursery: Nursery | None
) -> AsyncIterator[DiscordScene]:
    """A scene whose platform is Discord."""
    async with DiscordEmulator() as discord, ClaudeEmulator() as claude:
        env = {"THREADKEEP_GRACE": str(grace), **discord.env, **claude_env(claude)}
        async with living(Life(Process(folder, env), nursery, discord)) as life:
            yield DiscordScene(discord, claude, life)


@dataclass(frozen=True, slots=True)
class Both:
    """Two scenes with one Threadkeep in them."""

    discord: DiscordScene
    slack: Scene


def on_both(
    *heard: str, **change: str
) -> Callable[
    [Path, int, Nursery | None], contextlib.AbstractAsyncContextManager[Both]
]:
    """A stage with both platforms, of which `heard` reach it; `change` goes before
    what is set otherwise."""

    @contextlib.asynccontextmanager
    async def staged(
        folder: Path, grace: int, nursery: Nursery | None
    ) -> AsyncIterator[Both]:
        async with (
            DiscordEmulator() as discord,
            SlackEmulator() as slack,
            ClaudeEmulator() as claude,
        ):
            platforms: dict[str, DiscordEmulator | SlackEmulator] = {
                "discord": discord,
                "slack": slack,
            }
            env: Mapping[str, str] = {
                "THREADKEEP_GRACE": str(grace),
                **discord.env,
                **slack_env(slack),
                **claude_env(claude),
                **change,
            }
            process = Process(folder, env)
            life = Life(process, nursery, *(platforms[each] for each in heard))
            async with living(life):
                yield Both(
                    DiscordScene(discord, claude, life), Scene(slack, claude, life)
                )

    return staged


Scenarios = partial(Repertoire[DiscordScene], on_discord)
