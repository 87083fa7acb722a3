"""The scene on each platform: the actions of people, and the calls that can be held."""

import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from bot.domain.reply import MORE, PLACEHOLDER
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord import faults as discord_faults
from tests.emulators.discord.calls import Call as DiscordCall
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen as DiscordSeen
from tests.emulators.slack import faults as slack_faults
from tests.emulators.slack.calls import Call as SlackCall
from tests.emulators.slack.emulator import SlackEmulator
from tests.emulators.slack.socketmode import Delivery
from tests.emulators.slack.world import Seen as SlackSeen
from tests.support.crash_harness import Life, Scene, living
from tests.support.process import Nursery, Process, claude_env, slack_env
from tests.support.witnesses import ANSWERS, BESIDE, DiscordWitness, SlackWitness

# Slack waits 3 s for an acknowledgement and a minute before its second retry (platform
# facts A2, A4). The plots do not depend on these times, so they are shorter here.
ACK_TIMEOUT = 1.0
RETRIES = (0.0, *[0.5] * 240)


class SlackScene(Scene):
    """The scene in a Slack workspace. The ts of its root message identifies a
    thread."""

    two_messages = "\n".join("x" * 1_000 for _ in range(13))

    def __init__(
        self, slack: SlackEmulator, claude: ClaudeEmulator, life: Life
    ) -> None:
        super().__init__(slack, claude, life)
        self.slack = slack
        self.witness = SlackWitness(slack)
        self._told = len(slack.deliveries)
        self._called = len(slack.calls)
        #: Where earlier plots were played.
        self._elsewhere = {*slack.world.channels} - {self.general}

    def _again(self) -> Self:
        return type(self)(self.slack, self.claude, self._life)

    @property
    def deliveries(self) -> list[Delivery]:
        """The deliveries to the app in this scene."""
        return self.slack.deliveries[self._told :]

    @property
    def calls(self) -> list[SlackCall]:
        """The calls of Slack's API in this scene."""
        return self.slack.calls[self._called :]

    def calls_of(self, method: str) -> list[SlackCall]:
        """Return the calls of `method`."""
        return [each for each in self.calls if each.method == method]

    async def start_another(self) -> Process:
        """Start a second Threadkeep on the same database."""
        folder = self.process.database.parent / "another"
        folder.mkdir()
        env = {"THREADKEEP_DB": str(self.process.database)}
        second = Process(
            folder, {**slack_env(self.slack), **claude_env(self.claude), **env}
        )
        await second.start(nursery=self.nursery)
        return second

    def ask(self, text: str, *, thread_ts: str | None = None) -> str:
        """Let Alice mention the bot in #general, or in a thread of it."""
        said = f"{self.slack.mention} {text}"
        return self.slack.say(self.alice, self.general, said, thread_ts=thread_ts)

    def go_on(self, thread: str, text: str) -> None:
        self.slack.say(self.bob, self.general, text, thread_ts=thread)

    def replies(self, thread: str) -> list[SlackSeen]:
        """Return the bot's messages in a thread of #general."""
        return [each for each in self.slack.thread(self.general, thread) if each.bot]

    def texts(self, thread: str) -> list[str]:
        return [each.text for each in self.replies(thread)]

    def ids(self, thread: str) -> list[str]:
        return [each.ts for each in self.replies(thread)]

    def signs(self, thread: str) -> int:
        seen = self.slack.thread(self.general, thread)
        return sum("hourglass_flowing_sand" in each.reactions for each in seen)

    async def finished(self) -> None:
        await self.heard()

    async def heard(self) -> None:
        """Wait until every event is acknowledged."""
        await self.until(lambda: not self.slack.socket.pending)

    async def thinking(self, thread: str) -> None:
        """Wait until a thread of #general shows a status."""
        await self.until(lambda: self.slack.status(self.general, thread))

    async def settled(self, thread: str, count: int = 1) -> list[str]:
        """Wait until the bot has `count` finished messages in a thread. Return their
        texts."""
        await self.until(
            lambda: (
                len(now := self.texts(thread)) == count
                and not any(is_unfinished(text) for text in now)
            )
        )
        return self.texts(thread)

    def dump(self) -> str:
        return self.slack.dump()

    def hold(
        self,
        method: str,
        *,
        after: bool = False,
        nth: int = 1,
        when: Callable[[SlackCall], bool] | None = None,
    ) -> slack_faults.Rule:
        """Never answer one call of `method`. With `after`, it takes effect first."""

        def is_meant(call: SlackCall) -> bool:
            # Controls of an earlier plot may be removed as late as now.
            is_ours = call.arguments.get("channel") not in self._elsewhere
            return is_ours and (when is None or when(call))

        fault = slack_faults.hold(self._life.holding(), after=after)
        return self.slack.faults.add(method, fault, nth=nth, when=is_meant)

    def hold_post(self, *, after: bool = False, nth: int = 1) -> slack_faults.Rule:
        return self.hold("chat.postMessage", after=after, nth=nth)

    def hold_edit(
        self, *, after: bool = False, nth: int = 1, final: bool = False
    ) -> slack_faults.Rule:
        when = is_final_on_slack if final else None
        return self.hold("chat.update", after=after, nth=nth, when=when)

    def hold_sign_in(self, nth: int) -> slack_faults.Rule:
        return self.hold(("auth.test", "apps.connections.open")[nth])

    def count_last_edits(self, thread: str) -> int:
        edits, ids = self.calls_of("chat.update"), self.ids(thread)
        return sum(
            each.value("ts") in ids and is_final_on_slack(each) for each in edits
        )


class DiscordScene(Scene):
    """The scene in a Discord guild. A thread on a message has the id of the message."""

    two_messages = "\n".join("x" * 900 for _ in range(4))

    def __init__(
        self, discord: DiscordEmulator, claude: ClaudeEmulator, life: Life
    ) -> None:
        super().__init__(discord, claude, life)
        self.discord = discord
        #: Where earlier plots were played.
        self._elsewhere = set[str]()
        self.witness: DiscordWitness = DiscordWitness(discord)
        self.witness.channels.append(self.general)

    def _again(self) -> Self:
        scene = type(self)(self.discord, self.claude, self._life)
        scene._elsewhere = {place for _, place in self.witness.places()}
        # The witness covers all plots so far.
        self.witness.channels += scene.witness.channels
        self.witness.most_invalid += scene.witness.most_invalid
        scene.witness = self.witness
        return scene

    def ask(self, text: str, place: str = "") -> str:
        """Let Alice mention the bot, in #general or in `place`."""
        said = f"{self.discord.mention} {text}"
        return self.discord.say(self.alice, place or self.general, said)

    def go_on(self, thread: str, text: str) -> None:
        self.discord.say(self.bob, thread, text)

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

    def replies(self, place: str) -> list[DiscordSeen]:
        """Return the bot's messages in a thread or in direct messages, without
        responses to commands and without notices."""
        there = self.discord.messages(place)
        ours = (each for each in there if each.bot and each.text not in BESIDE)
        return [each for each in ours if each.type not in ANSWERS]

    def texts(self, thread: str) -> list[str]:
        return [each.text for each in self.replies(thread)]

    def ids(self, thread: str) -> list[str]:
        return [each.id for each in self.replies(thread)]

    def signs(self, thread: str) -> int:
        return sum("⏳" in each.reactions for each in self.discord.messages(thread))

    async def finished(self) -> None:
        await self.stored("delivered")

    def pass_time(self, seconds: float) -> None:
        """Advance Discord's clock, and make the heartbeats in the database older."""
        self.discord.advance(seconds)
        self.age(seconds)

    def dump(self) -> str:
        lines = [
            f"{call.status} {call.method} {call.path} {call.text()[:60]!r}"
            for call in self.discord.calls
        ]
        for place in (self.general, *self.discord.threads(self.general)):
            for each in self.discord.messages(place):
                lines.append(f"in {place}: {each.id} {each.author}: {each.text[:60]!r}")
        return "\n".join(lines)

    def hold(
        self,
        method: str,
        path: str,
        *,
        after: bool = False,
        nth: int = 1,
        when: Callable[[DiscordCall], bool] | None = None,
    ) -> discord_faults.Rule:
        """Never answer one call of `method` to `path`. With `after`, it takes effect
        first."""

        def is_meant(call: DiscordCall) -> bool:
            is_ours = self._elsewhere.isdisjoint(call.path.split("/"))
            return is_ours and (when is None or when(call))

        fault = discord_faults.hold(self._life.holding(), after=after)
        return self.discord.faults.add(method, path, fault, nth=nth, when=is_meant)

    def hold_post(self, *, after: bool = False, nth: int = 1) -> discord_faults.Rule:
        return self.hold("POST", discord_faults.MESSAGES, after=after, nth=nth)

    def hold_edit(
        self, *, after: bool = False, nth: int = 1, final: bool = False
    ) -> discord_faults.Rule:
        when = is_final_on_discord if final else None
        path = discord_faults.MESSAGE
        return self.hold("PATCH", path, after=after, nth=nth, when=when)

    def hold_sign_in(self, nth: int) -> discord_faults.Rule:
        return self.hold("GET", ("/users/@me", "/oauth2/applications/@me")[nth])

    def count_last_edits(self, thread: str) -> int:
        edits = self.discord.calls_of("PATCH", rf"/channels/{thread}/messages/\d+")
        return sum(map(is_final_on_discord, edits))


def is_unfinished(text: str) -> bool:
    """Return whether a text shows readers that more is to come."""
    return text == PLACEHOLDER or text.endswith(MORE)


def is_final_on_slack(call: SlackCall) -> bool:
    """Return whether a write shows the final text of a message."""
    return not is_unfinished(call.value("blocks")[0]["text"])


def is_final_on_discord(call: DiscordCall) -> bool:
    """Return whether a write shows the final text of a message."""
    return not call.text().endswith(MORE)


def is_look_up(call: SlackCall) -> bool:
    """Return whether the call reads a thread to find one of our own posts."""
    return call.flag("include_all_metadata")


def _stored(at: str) -> dict[str, str]:
    """Return the variables that store everything in the database at `at`. {} for ""."""
    return {"THREADKEEP_DB": at} if at else {}


@contextlib.asynccontextmanager
async def on_slack(
    folder: Path, grace: int, nursery: Nursery | None, at: str
) -> AsyncIterator[SlackScene]:
    """Yield a scene on Slack."""
    async with (
        SlackEmulator(ack_timeout=ACK_TIMEOUT, retries=RETRIES) as slack,
        ClaudeEmulator() as claude,
    ):
        env = {
            "THREADKEEP_GRACE": str(grace),
            **slack_env(slack),
            **claude_env(claude),
            **_stored(at),
        }
        async with living(Life(Process(folder, env), nursery, slack)) as life:
            yield SlackScene(slack, claude, life)


@contextlib.asynccontextmanager
async def on_discord(
    folder: Path, grace: int, nursery: Nursery | None, at: str
) -> AsyncIterator[DiscordScene]:
    """Yield a scene on Discord."""
    async with DiscordEmulator() as discord, ClaudeEmulator() as claude:
        env = {
            "THREADKEEP_GRACE": str(grace),
            **discord.env,
            **claude_env(claude),
            **_stored(at),
        }
        async with living(Life(Process(folder, env), nursery, discord)) as life:
            yield DiscordScene(discord, claude, life)


@dataclass(frozen=True, slots=True)
class Both:
    """Two scenes that share one Threadkeep process."""

    discord: DiscordScene
    slack: SlackScene

    async def close(self) -> None:
        """Stop the process if it is running, and check the invariants on Slack."""
        await self.slack.close()


def on_both(
    *heard: str, **change: str
) -> Callable[
    [Path, int, Nursery | None, str], contextlib.AbstractAsyncContextManager[Both]
]:
    """Return a stage with both platforms. Only those named in `heard` are waited for.
    The variables in `change` override all others."""

    @contextlib.asynccontextmanager
    async def staged(
        folder: Path, grace: int, nursery: Nursery | None, at: str
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
                **_stored(at),
                **change,
            }
            process = Process(folder, env)
            life = Life(process, nursery, *(platforms[each] for each in heard))
            async with living(life):
                yield Both(
                    DiscordScene(discord, claude, life), SlackScene(slack, claude, life)
                )

    return staged
