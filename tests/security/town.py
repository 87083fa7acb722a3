"""Slack and Discord together, with people on both, and Threadkeep between them."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from typing import Any

from adapters.discord.adapter import connect as connect_discord
from adapters.slack.adapter import connect as connect_slack
from bot.app import App
from bot.claude.catalog import ModelAvailability
from bot.domain.platform import EditInterval, WriteKind
from bot.domain.scope import Scope
from bot.domain.setting import Change
from bot.ports.platform import Adapter
from bot.ports.store import Store
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.slack.emulator import SlackEmulator
from tests.support.process import OPERATOR, is_heard, slack_env
from tests.support.scripted_model import ScriptedModel

PLATFORMS = ("slack", "discord")

#: How long anything may take on a machine that is busy with other things.
PATIENCE = 60.0

#: What people say, which no log may hold.
SECRET = "the-words-of-Alice"

#: As soon as an edit may follow another.
SOON = EditInterval(first=0.01, last=0.01)


class Town:
    """Olga, who runs both places, and Alice and Bob.

    In Slack each new thread has a channel of its own, since Slack takes one post a
    second in each; in Discord all begin in #general.
    """

    def __init__(self, slack: SlackEmulator, discord: DiscordEmulator) -> None:
        self.slack = slack
        self.discord = discord
        self.model = ScriptedModel()
        self.stopping = asyncio.Event()
        self.app: App
        self.task: asyncio.Task[None]
        #: What the bot remembers, where a test looks at it.
        self.store: Store
        #: The last thread in which a question of `answers` was answered.
        self.thread = ""
        #: The last button that was pressed.
        self.pressed: Asked
        self._people = {
            "slack": {
                "Alice": slack.add_user("Alice"),
                "Bob": slack.add_user("Bob"),
                "Olga": slack.add_user("Olga", admin=True),
            },
            "discord": {
                "Alice": discord.add_user("Alice"),
                "Bob": discord.add_user("Bob"),
                "Olga": discord.add_user("Olga", admin=True),
            },
        }
        self._general = discord.add_channel("general")
        self._numbers = itertools.count(1)
        #: Channels of Slack by the threads in them.
        self._channels: dict[str, str] = {}

    def who(self, platform: str, name: str = "Alice") -> str:
        """Return the id of a person."""
        return self._people[platform][name]

    def channel(self, platform: str, thread: str = "") -> str:
        """Return the id of the channel of `thread`, or of one to begin a thread in."""
        if platform == "discord":
            return self._general
        if thread:
            return self._channels[thread]
        return self.slack.add_channel(f"channel-{next(self._numbers)}")

    def workspace(self, platform: str) -> str:
        """Return the id of the Slack workspace, or of the guild."""
        return self.slack.team if platform == "slack" else self.discord.guild

    def place(self, platform: str) -> Scope:
        """Return the Slack workspace, or the guild."""
        return Scope(platform, self.workspace(platform))

    def say(
        self, platform: str, text: str = SECRET, *, thread: str = "", who: str = "Alice"
    ) -> str:
        """Let somebody say something to nobody in particular; the message's id."""
        person = self.who(platform, who)
        channel = self.channel(platform, thread)
        if platform == "discord":
            return self.discord.say(person, thread or channel, text)
        said = self.slack.say(person, channel, text, thread_ts=thread or None)
        self._channels[thread or said] = channel
        return said

    def ask(
        self, platform: str, text: str = SECRET, *, thread: str = "", who: str = "Alice"
    ) -> str:
        """Let somebody mention the bot; the message's id."""
        emulator = self.slack if platform == "slack" else self.discord
        said = f"{emulator.mention} {text}"
        return self.say(platform, said, thread=thread, who=who)

    def is_open(self, platform: str, thread: str) -> bool:
        """Return whether people can go on in a thread."""
        return platform == "slack" or thread in self.discord.threads(self._general)

    def replies(self, platform: str, thread: str) -> list[str]:
        """Return the current texts of the bot's messages in a thread."""
        if platform == "slack":
            seen = self.slack.thread(self.channel("slack", thread), thread)
            return [each.text for each in seen if each.bot]
        with contextlib.suppress(KeyError):
            ours = [each for each in self.discord.messages(thread) if each.bot]
            return [each.text for each in ours if each.type == 0]
        return []

    async def answers(self, platform: str, text: str = "what now?") -> None:
        """See that a new question is answered on a platform."""
        self.thread = thread = self.ask(platform, text)
        await self.until(lambda: "Understood." in self.replies(platform, thread))

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` is true, which anything may make it."""
        async with asyncio.timeout(PATIENCE):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def quiet(self, store: Store) -> None:
        """Wait until every question is answered."""
        async with asyncio.timeout(PATIENCE):
            # A database tells nobody that it changed.
            while await store.open_threads():  # noqa: ASYNC110
                await asyncio.sleep(0.005)

    async def set(self, store: Store, platform: str, name: str, value: str) -> None:
        """Set an option for all of a platform."""
        change = Change(self.place(platform), name, value)
        await store.change_settings([change], who=self.who(platform, "Olga"), now=1.0)


@contextlib.asynccontextmanager
async def built() -> AsyncIterator[Town]:
    """A town in which the bot does not listen yet."""
    async with SlackEmulator() as slack, DiscordEmulator() as discord:
        yield Town(slack, discord)


@contextlib.asynccontextmanager
async def served(
    town: Town,
    store: Store,
    *,
    survey: Callable[[], Awaitable[ModelAvailability | None]] | None = None,
    listening: Sequence[str] = PLATFORMS,
    instead: Mapping[str, Adapter] | None = None,
    **more: Any,
) -> AsyncIterator[Town]:
    """The same `town`, with the bot in it, once it hears what is said on `listening`;
    leaving stops it. Adapters in `instead` stand for the platforms of their names, to
    which nothing connects then."""
    instead = instead or {}
    async with contextlib.AsyncExitStack() as stack:
        adapters: list[Adapter] = [*instead.values()]
        connections: dict[str, Callable[[], AbstractAsyncContextManager[Any]]] = {
            "slack": lambda: connect_slack(slack_env(town.slack)),
            "discord": lambda: connect_discord(town.discord.env),
        }
        for platform in connections.keys() - instead.keys():
            adapter = await stack.enter_async_context(connections[platform]())
            adapter.limits = replace(
                adapter.limits, paces=dict.fromkeys(WriteKind, SOON), settle=0.01
            )
            adapters.append(adapter)
        town.stopping = asyncio.Event()
        town.app = App(
            store=store,
            model=town.model,
            adapters=adapters,
            operator=OPERATOR,
            grace=0.3,
            survey=survey,
            **more,
        )
        town.task = asyncio.create_task(town.app.run(town.stopping))
        try:
            for name in listening:
                each = town.slack if name == "slack" else town.discord
                await town.until(
                    lambda each=each: is_heard(each) or town.task.done()  # type: ignore[misc]
                )
            yield town
        finally:
            town.stopping.set()
            await asyncio.wait({town.task})
