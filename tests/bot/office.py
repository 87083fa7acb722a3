"""An office to give commands in: a store, a fake platform, a scripted model."""

from collections.abc import Mapping
from dataclasses import replace

from bot.answers import Answers
from bot.authority import Authority
from bot.catalogue import Survey
from bot.changing import Changing
from bot.desk import Desk
from bot.dialogue import Command, Form, Reply, Told
from bot.inbox import Inbox
from bot.lanes import Lanes
from bot.past import Past
from bot.people import Person
from bot.policy import Operator, Policy
from bot.rules import Entry, Level, Place
from bot.stores import Store
from bot.triage.inchat import InChat
from bot.triage.sorter import Sorter
from bot.trying import Trying
from bot.verbs import understood
from storage.memory import MemoryStore
from tests.fakes import FAST, FakeAdapter
from tests.scripted import ScriptedModel

THREAD = Place("fake", "w", "c", "t")
CHANNEL, WORKSPACE = THREAD.at(Level.CHANNEL), THREAD.at(Level.WORKSPACE)

#: 26 November 2026, noon.
NOON = 1_795_694_400.0

OWNER = Person("olga", "Olga", runs_workspace=True)
MANAGER = Person("mo", "Mo", runs_channel=True)
MEMBER = Person("max", "Max")
GUEST = Person("gus", "Gus", runs_workspace=True, outsider=True)


class Office:
    """Where people tell the bot what to do."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        survey: Survey | None = None,
        **operator: str,
    ) -> None:
        self.now = NOON
        self.store: Store = store or MemoryStore()
        self.adapter = FakeAdapter(limits=replace(FAST, creators=True))
        self.model = ScriptedModel()
        self.operator = said = Operator(operator, admins=frozenset({"fake:root"}))
        self.authority = Authority(self.store, {"fake": self.adapter}, said, self.clock)
        changing = Changing(self.store, self.authority, lambda: survey, self.clock)
        sorter = Sorter(self.store, self.model, said, self.clock)
        adapters = {"fake": self.adapter}
        self._parts = (
            changing,
            Past(self.store, self.authority, self.clock),
            Trying(self.store, self.model, self.authority, said, self.clock),
            InChat(self.store, sorter, self.authority, adapters, self.clock),
        )

    def clock(self) -> float:
        return self.now

    @property
    def desk(self) -> Desk:
        """A desk at which nothing is being answered."""
        lanes, tasks = _idle(), _Nobody()
        inbox = Inbox(
            self.store,
            lanes,
            {"fake": self.adapter},
            self.authority,
            tasks,  # type: ignore[arg-type]
            self.clock,
        )
        answers = Answers(self.store, lanes, inbox, self.authority, self.clock)
        changing, past, trying, triage = self._parts
        return Desk(
            *(self.store, self.authority, answers, changing, past, trying, triage),
            now=self.clock,
        )

    async def give(
        self,
        verb: str,
        person: Person = OWNER,
        place: Place = CHANNEL,
        **arguments: str,
    ) -> Reply:
        """Let `person` give a command."""
        return await self.desk.run(Command(verb, arguments), place, person)

    async def type(
        self, text: str, person: Person = OWNER, place: Place = CHANNEL
    ) -> str:
        """Let `person` type a command; what they are told."""
        command = understood(text)
        assert command is not None, text
        told = await self.desk.run(command, place, person)
        assert isinstance(told, Told)
        return told.text

    async def form(
        self,
        verb: str,
        person: Person = OWNER,
        place: Place = CHANNEL,
        **arguments: str,
    ) -> Form:
        """Let `person` open a form."""
        form = await self.give(verb, person, place, **arguments)
        assert isinstance(form, Form), form
        return form

    async def send(
        self,
        form: Form,
        values: Mapping[str, str],
        person: Person = OWNER,
        place: Place = CHANNEL,
    ) -> Told:
        """Send `form` off, with `values` in place of what it said."""
        filled = {field.name: field.value for field in form.fields} | dict(values)
        told = await self.desk.run(form.command.having(filled), place, person)
        assert isinstance(told, Told)
        return told

    async def press(
        self, told: Told, label: str, person: Person = OWNER, place: Place = CHANNEL
    ) -> Reply:
        """Press a button, whose command has gone over the wire."""
        [button] = [each for each in told.buttons if each.label == label]
        command = Command.of_line(button.command.line)
        return await self.desk.run(command, place, person)

    async def policy(self, place: Place = CHANNEL) -> Policy:
        return await self.authority.policy(place)

    async def prompt(self, place: Place = CHANNEL) -> str | None:
        """The text of the prompt that applies."""
        return (await self.authority.prompt(await self.policy(place))).text

    async def audit(self) -> list[Entry]:
        """What was changed and, behind it, refused; each oldest first."""
        changes = await self.store.audit(WORKSPACE, 0.0, 100)
        refused = [
            Entry(0, each.at, each.place, each.who, "denied", each.name)
            for each in await self.store.refusals(WORKSPACE, 0.0, 100)
        ]
        return [*changes[::-1], *refused[::-1]]


class _Nobody:
    """Stands where a group of tasks would: none is ever begun."""


def _idle() -> Lanes:
    async def work(thread: object, stop: object) -> None:
        raise AssertionError("nothing is answered here")

    return Lanes(_Nobody(), work)  # type: ignore[arg-type]
