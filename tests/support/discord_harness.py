"""A core with scripted responses behind the real Discord adapter."""

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
    """Responds to commands with the items of `says` in order; the last one repeats.
    Records what it receives."""

    def __init__(self, served: Served = ALL) -> None:
        self.served = served
        self.says: list[CommandResult | Exception] = [Response("Noted.")]
        self.given: list[Given] = []
        self.judged: list[tuple[ThreadKey, str, bool]] = []
        self.heard: list[Message] = []
        #: Alerts to the operator, by name.
        self.alerts: dict[str, str] = {}
        #: Platforms, which record the workspaces that reject our credentials.
        self.platforms = Platforms([])
        #: Where whom the bot met.
        self.met: list[tuple[Scope, str]] = []
        self.sorted: list[Message] = []
        self.overheard: list[Message] = []
        #: The threads in which nobody begins, and those in which somebody may, with the
        #: threads that they became.
        self.held: list[ThreadKey] = []
        self.begun: list[tuple[ThreadKey, ThreadKey]] = []
        #: Keys of the turns that exist.
        self.turns: set[str] = set()
        #: Raised instead of storing a rating, unless it is None.
        self.fails: Exception | None = None
        #: Commands wait until it is set.
        self.open = asyncio.Event()
        self.open.set()

    @property
    def host(self) -> Host:
        """All parts of a host in one."""
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

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        return []


class Office:
    """Alice and Bob in #general and #random, and a core behind the bot."""

    def __init__(self, discord: DiscordEmulator) -> None:
        self.discord = discord
        self.core = ScriptedCore()
        self.alice = discord.add_user("Alice")
        self.bob = discord.add_user("Bob")
        self.general = discord.add_channel("general")
        self.random = discord.add_channel("random")

    async def told(self, asked: Asked) -> Seen:
        """Wait for what somebody is told, once the bot is done thinking."""
        await self.discord.until(lambda: said(asked) and self.discord.settled)
        seen = said(asked)
        assert seen is not None
        return seen

    async def give(self, name: str, place: str = "", **options: Any) -> Seen:
        """Let Alice give a command, in #general or `place`; what she is told."""
        place = place or self.general
        return await self.told(self.discord.command(self.alice, place, name, **options))

    async def form(self, asked: Asked) -> Asked:
        """Wait for the form that answers `asked`."""
        await self.discord.until(lambda: asked.response and asked.response.modal)
        return asked

    @property
    def last(self) -> Given:
        """The newest command that the core got."""
        return self.core.given[-1]


def said(asked: Asked) -> Seen | None:
    """Return the message that answers `asked`; None so far."""
    message = asked.response.message if asked.response else None
    return None if message is None or message.thinking else message


@contextlib.asynccontextmanager
async def attended(office: Office) -> AsyncIterator[DiscordAdapter]:
    """The Discord adapter with the office's core behind it; over on leaving."""
    async with connect(office.discord.env) as adapter:
        task = asyncio.create_task(adapter.run(office.core.host))
        try:
            await office.discord.until(
                lambda: office.discord.gateway.connected or task.done()
            )
            yield adapter
        finally:
            task.cancel()
            await asyncio.wait({task})
