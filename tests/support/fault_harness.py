"""Stages for faults: a platform, Claude, and Threadkeep between them in this process,
with the real SDKs.

At the end, the stage checks what readers see and what the database holds.

Rule: a test states the fault and what people see. `invariants.check` checks everything
else when Threadkeep has stopped.
"""

import asyncio
import contextlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from bot.claude.client import ClaudeModel, client
from bot.messages.answers import QUESTION_CHANGED
from bot.ports.wakeups import SERVE, Wakeups
from storage.engine.engine import Engine
from storage.opening import open_store
from storage.reading import Where
from storage.store import DatabaseStore
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.discord import faults as discord_faults
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.slack import faults as slack_faults
from tests.emulators.slack.calls import Call
from tests.emulators.slack.emulator import SlackEmulator
from tests.support import invariants
from tests.support.process import running
from tests.support.witnesses import DiscordWitness, SlackWitness

# Seconds that any step may take on a busy machine.
PATIENCE = 60.0

POST, EDIT = "post", "edit"


class Struck(Protocol):
    """A rule that makes calls fail."""

    struck: int


class Stage(ABC):
    """Alice and Bob in #general."""

    name: str
    #: The module that makes faults: `status`, `html`, `throttle`, `error`, `cut`,
    #: `half`, `hold`.
    faults: ModuleType
    platform: SlackEmulator | DiscordEmulator
    witness: invariants.Witness
    alice: str
    bob: str
    general: str

    def __init__(self, claude: ClaudeEmulator, database: Where) -> None:
        self.claude = claude
        self.database = database
        self.store: DatabaseStore

    @contextlib.asynccontextmanager
    async def running(self, grace: float = 5.0) -> AsyncIterator[None]:
        """Run Threadkeep until the block ends."""
        async with (
            open_store(self.database) as self.store,
            client(self.claude.api_key, self.claude.base_url, silence=PATIENCE) as sdk,
            running(
                self.platform,
                self.store,
                ClaudeModel(sdk),
                grace=grace,
                wakeups=self._wakeups(),
            ),
        ):
            yield

    def _wakeups(self) -> Wakeups | None:
        """Return the wake-ups of a database on a server, or None for a file, which no
        other process can share."""
        if isinstance(self.database, Path):
            return None
        return Engine(
            self.database.url,
            self.store.owner,
            SERVE,
            at_once=50,
            reaped=self.store.book_left_calls,
        )

    @property
    def file(self) -> Path:
        """The path of the database, for faults that only a file can have."""
        assert isinstance(self.database, Path)
        return self.database

    @contextlib.asynccontextmanager
    async def played(self, grace: float = 5.0) -> AsyncIterator[None]:
        """Run Threadkeep as `running` does. Then wait for the end of all work and check
        the invariants."""
        async with self.running(grace):
            yield
            await self.quiet()
        invariants.check(self.claude, self.database, self.witness)

    async def quiet(self) -> None:
        """Wait until every message is answered and every event is acknowledged."""
        async with asyncio.timeout(PATIENCE):
            # A database does not announce its changes.
            while await self.store.open_threads():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        await self.until(lambda: self.platform.settled)

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait until `condition()` is true."""
        await self.platform.until(condition, timeout=PATIENCE)

    async def reads(self, thread: str, *texts: str) -> None:
        """Wait until the bot's messages in a thread read exactly `texts`."""
        await self.until(lambda: self.texts(thread) == [*texts])

    async def begins(self, thread: str) -> None:
        """Wait until a part of an answer is visible."""
        await self.until(lambda: self.texts(thread))

    @abstractmethod
    async def ask(self, text: str = "and the capital?") -> str:
        """Let Alice mention the bot in #general. Return the thread of the answer."""

    @abstractmethod
    def say(self, text: str, thread: str) -> None:
        """Let Bob post a message in a thread."""

    @abstractmethod
    def strike(self, what: str, fault: Any, *, within: str = "", **more: Any) -> Struck:
        """Make calls that post or edit fail; with `within`, only those in that
        thread."""

    @abstractmethod
    def texts(self, thread: str) -> list[str]:
        """Return the current texts of the bot's messages in a thread."""


class SlackStage(Stage):
    """The stage in a Slack workspace."""

    name = "slack"
    faults = slack_faults

    def __init__(
        self, slack: SlackEmulator, claude: ClaudeEmulator, database: Where
    ) -> None:
        super().__init__(claude, database)
        self.platform = self.slack = slack
        self.witness = SlackWitness(slack)
        self.alice, self.bob = (slack.add_user(name) for name in ("Alice", "Bob"))
        self.general = slack.add_channel("general")

    async def ask(self, text: str = "and the capital?") -> str:
        said = f"{self.slack.mention} {text}"
        return self.slack.say(self.alice, self.general, said)

    def say(self, text: str, thread: str) -> None:
        self.slack.say(self.bob, self.general, text, thread_ts=thread)

    def strike(self, what: str, fault: Any, *, within: str = "", **more: Any) -> Struck:
        method = {POST: "chat.postMessage", EDIT: "chat.update"}.get(what, what)

        def there(call: Call) -> bool:
            seen = self.slack.thread(self.general, within)
            ours = call.value("ts") in [each.ts for each in seen]
            return ours or call.value("thread_ts") == within

        if within:
            more["when"] = there
        return self.slack.faults.add(method, fault, **more)

    def texts(self, thread: str) -> list[str]:
        seen = self.slack.thread(self.general, thread)
        return [each.text for each in seen if each.bot]


class DiscordStage(Stage):
    """The stage in a Discord guild."""

    name = "discord"
    faults = discord_faults

    def __init__(
        self, discord: DiscordEmulator, claude: ClaudeEmulator, database: Where
    ) -> None:
        super().__init__(claude, database)
        self.platform = self.discord = discord
        self.alice, self.bob = (discord.add_user(name) for name in ("Alice", "Bob"))
        self.general = discord.add_channel("general")
        witness = DiscordWitness(discord)
        witness.channels.append(self.general)
        self.witness = witness

    async def ask(self, text: str = "and the capital?") -> str:
        """Let Alice mention the bot in #general. Return the thread, which has the id of
        her message."""
        said = f"{self.discord.mention} {text}"
        return self.discord.say(self.alice, self.general, said)

    def say(self, text: str, thread: str) -> None:
        self.discord.say(self.bob, thread, text)

    def strike(self, what: str, fault: Any, *, within: str = "", **more: Any) -> Struck:
        method, path = {
            POST: ("POST", discord_faults.MESSAGES),
            EDIT: ("PATCH", discord_faults.MESSAGE),
        }[what]
        if within:
            path = path.replace(r"\d+", within, 1)
        return self.discord.faults.add(method, path, fault, **more)

    def texts(self, thread: str) -> list[str]:
        if self.discord.thread_of(thread) is None:
            return []
        seen = self.discord.messages(thread)
        ours = (each for each in seen if each.bot and not each.ephemeral_for)
        # The offer to answer again is shown beside the answers for a while.
        texts = [each.text for each in ours if each.type == 0]
        return [text for text in texts if text != QUESTION_CHANGED]
