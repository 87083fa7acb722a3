"""The real Discord adapter in front of a core with scripted responses."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.discord.adapter import DiscordAdapter, connect
from bot.commands.catalog import COMMANDS, parse_command
from bot.conversation.outages import StoredOutages
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.scope import Scope, ThreadKey
from bot.domain.served_workspaces import ALL, Served
from bot.domain.turn import ThreadSummary
from bot.domain.vitals import Vitals
from bot.platforms import Platforms
from bot.ports.host import Host
from bot.ports.operator_reports import Reports
from bot.reports.changes import SettingReports
from bot.reports.money import MoneyReports
from bot.reports.monitor import ProcessMonitor
from bot.reports.threads import ThreadReports
from bot.ui.command_spec import CommandSpec
from bot.ui.elements import Command, CommandResult, Page, Response
from bot.vitals.connections import Connections
from tests.emulators.discord.emulator import DiscordEmulator
from tests.emulators.discord.interactions import Asked
from tests.emulators.discord.people import Seen
from tests.support.fakes import NoPrograms
from tests.support.memory_store import MemoryStore


@dataclass(frozen=True, slots=True)
class Given:
    """A command as the core received it."""

    command: Command
    place: Scope
    person: Person


class ScriptedCore:
    """Responds to commands with the items of `says` in order, and repeats the last one.
    Records the commands and messages that it receives."""

    def __init__(self, served: Served = ALL) -> None:
        self.served = served
        #: Platforms, which record the workspaces that reject our credentials.
        self.platforms = Platforms([])
        self.begin_anew()

    def begin_anew(self) -> None:
        """Forget what was received, and how to respond to it."""
        self.says: list[CommandResult | Exception] = [Response("Noted.")]
        self.given: list[Given] = []
        self.judged: list[tuple[ThreadKey, str, bool]] = []
        self.heard: list[Message] = []
        #: Alerts to the operator, by name.
        self.alerts: dict[str, str] = {}
        #: The places where the bot met people, and their ids.
        self.met: list[tuple[Scope, str]] = []
        self.sorted: list[Message] = []
        self.overheard: list[Message] = []
        #: Threads whose messages are held, and threads that may begin, each with the
        #: thread that it became.
        self.held: list[ThreadKey] = []
        self.begun: list[tuple[ThreadKey, ThreadKey]] = []
        #: Channels that got another id, each with that id.
        self.moved: list[tuple[Scope, str]] = []
        #: The keys of the existing turns.
        self.turns: set[str] = set()
        #: Raised instead of storing a rating; None for no error.
        self.fails: Exception | None = None
        #: Commands wait until this event is set.
        self.open = asyncio.Event()
        self.open.set()

    @property
    def host(self) -> Host:
        """A host whose main parts are all this core."""
        health = Connections(("slack", "discord", "terminal", "web"))
        store = MemoryStore()
        reports = Reports(
            MoneyReports(store, store, store, {}),
            ThreadReports(store, store, store, store, {}),
            SettingReports(store, store, store),
            ProcessMonitor(store, lambda: Vitals(at=0.0, started=0.0)),
        )
        parts = (self, self, self, self, self.served, self.alert)
        outages = StoredOutages(store, shared=False)
        return Host(*parts, health, NoPrograms(), reports, self.platforms, outages)

    def alert(self, name: str, problem: str) -> None:
        self.alerts[name] = problem

    async def opened(self, place: Scope, user: str) -> None:
        self.met.append((place, user))

    async def added(self, place: Scope, inviter: str) -> None:
        self.met.append((place, inviter))

    async def joined(self, place: Scope, owner: str, name: str) -> None:
        self.met.append((place, owner))

    async def receive(self, message: Message, *, held: bool = False) -> None:
        self.heard.append(message)
        if held:
            self.held.append(message.thread)

    async def begin(self, thread: ThreadKey, to: ThreadKey) -> None:
        self.begun.append((thread, to))

    async def supplement(self, message: Message) -> None:
        self.heard.append(message)

    async def amend(self, message: Message, *, newly_addressed: bool = False) -> None:
        self.heard.append(message)

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        self.heard = [each for each in self.heard if each.message not in messages]

    async def hold(self, message: Message, holder: str) -> None:
        pass

    async def forget(self, place: Scope) -> None:
        self.heard = [h for h in self.heard if not place.holds(Scope.of(h.thread))]

    async def current_channel(self, channel: Scope) -> str:
        return channel.channel

    async def move(self, channel: Scope, to: str) -> None:
        self.moved.append((channel, to))

    async def stop(self, thread: ThreadKey) -> bool:
        return False

    @property
    def catalog(self) -> Sequence[CommandSpec]:
        return COMMANDS

    def parse(self, text: str) -> Command | None:
        return parse_command(text)

    async def run(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        self.given.append(Given(command, place, person))
        await self.open.wait()
        said = self.says.pop(0) if len(self.says) > 1 else self.says[0]
        if isinstance(said, Exception):
            raise said
        return said

    async def triage(self, message: Message, person: Person) -> Response:
        self.sorted.append(message)
        said = self.says[0]
        assert isinstance(said, Response)
        return said

    async def receive_unaddressed(self, message: Message) -> None:
        self.overheard.append(message)

    async def page(self, place: Scope, person: Person) -> Page:
        return Page(())

    async def answering(self, thread: ThreadKey) -> bool:
        return False

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        if self.fails is not None:
            raise self.fails
        self.judged.append((thread, turn, good))
        return turn in self.turns

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        return []

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        return []

    async def said(self, place: Scope, since: float) -> list[Message]:
        return []

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        return []


class Office:
    """Alice and Bob in #general and #random, with a scripted core behind the bot."""

    #: The bot's adapter, while it is attended.
    adapter: DiscordAdapter

    def __init__(self, discord: DiscordEmulator) -> None:
        self.discord = discord
        self.core = ScriptedCore()
        self.begin_anew()

    def begin_anew(self) -> None:
        """Continue with other people and channels in the same server, as if nothing had
        been said or done."""
        self.discord.forget_records()
        self.core.begin_anew()
        self.alice = self.discord.add_user("Alice")
        self.bob = self.discord.add_user("Bob")
        self.general = self.discord.add_channel("general")
        self.random = self.discord.add_channel("random")

    async def told(self, asked: Asked) -> Seen:
        """Wait for the response to a command, and return it when the bot is no longer
        thinking."""
        await self.discord.until(lambda: said(asked) and self.discord.settled)
        seen = said(asked)
        assert seen is not None
        return seen

    async def give(self, name: str, place: str = "", **options: Any) -> Seen:
        """Let Alice give a command in #general or `place`. Return the response."""
        place = place or self.general
        return await self.told(self.discord.command(self.alice, place, name, **options))

    async def seen(self, user: str, place: str) -> Person:
        """Let `user` give a command. Return the person that the adapter makes of
        them."""
        await self.told(self.discord.command(user, place, "claude usage"))
        return self.last.person

    def place(self, channel: str = "", thread: str = "") -> Scope:
        """Return a place in the server."""
        return Scope("discord", self.discord.guild, channel, thread)

    async def form(self, asked: Asked) -> Asked:
        """Wait for the form that answers `asked`."""
        await self.discord.until(lambda: asked.response and asked.response.modal)
        return asked

    @property
    def last(self) -> Given:
        """The newest command that the core received."""
        return self.core.given[-1]


def said(asked: Asked) -> Seen | None:
    """Return the message that answers `asked`, or None if there is none yet."""
    message = asked.response.message if asked.response else None
    return None if message is None or message.thinking else message


@contextlib.asynccontextmanager
async def attended(office: Office) -> AsyncIterator[DiscordAdapter]:
    """Run the Discord adapter with the office's core behind it, and yield the
    adapter."""
    async with connect(office.discord.env) as adapter:
        office.adapter = adapter
        task = asyncio.create_task(adapter.run(office.core.host))
        try:
            await office.discord.until(
                lambda: office.discord.gateway.connected or task.done()
            )
            yield adapter
        finally:
            task.cancel()
            await asyncio.wait({task})


#: The commands that a bot of this process registered.
_registered: list[dict[str, Any]] = []


async def registered_commands() -> list[dict[str, Any]]:
    """Return the commands that the bot registers at its first start. Set them as
    `DiscordEmulator.app.commands` where the start is not the test's subject: to
    register them takes a quarter of the start's time."""
    if not _registered:
        async with DiscordEmulator() as discord, attended(Office(discord)):
            _registered.extend(discord.app.commands)
    return _registered
