"""An office to run commands in: a store, a fake platform and a scripted model."""

from collections.abc import Coroutine, Mapping
from dataclasses import replace

from bot.budgets.past_costs import PastCosts
from bot.claude.catalog import ModelAvailability
from bot.commands import suggestions
from bot.commands.answer_files import AnswerFiles
from bot.commands.catalog import parse_command
from bot.commands.copy_settings import SettingsCopier
from bot.commands.edit_settings import SettingsEditor
from bot.commands.file_choices import FileDecisions
from bot.commands.first_contact import FirstContact
from bot.commands.history import SettingsHistory
from bot.commands.home import HomePage
from bot.commands.receipt import ReceiptScreen
from bot.commands.reply_controls import ReplyControls
from bot.commands.router import CommandRouter
from bot.commands.search import ThreadSearch
from bot.commands.settings_page import SettingsPage
from bot.commands.show_settings import SettingsScreen
from bot.commands.try_prompt import PromptTrial
from bot.commands.undo import SettingsUndo
from bot.commands.usage import UsageScreen
from bot.conversation.answers import LocalAnswers
from bot.conversation.dispatcher import ThreadDispatcher
from bot.conversation.edited_questions import EditedQuestions
from bot.conversation.inbox import Inbox
from bot.conversation.stopping import Stopper
from bot.conversation.waiting_signs import WaitingSigns
from bot.domain.mcp import McpServer
from bot.domain.person import Person
from bot.domain.scope import Scope, ScopeLevel
from bot.domain.setting import AuditEntry
from bot.platforms import Platforms
from bot.ports.store import Store
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings, Operator
from bot.triage.chat.classifier import Classifier
from bot.triage.chat.commands import TriageCommands
from bot.ui.elements import Command, CommandResult, Form, Response
from tests.support.fakes import FAST, FakeAdapter
from tests.support.memory_store import MemoryStore
from tests.support.scripted_model import ScriptedModel

THREAD = Scope("fake", "w", "c", "t")
CHANNEL, WORKSPACE = THREAD.at(ScopeLevel.CHANNEL), THREAD.at(ScopeLevel.WORKSPACE)

#: 26 November 2026, noon.
NOON = 1_795_694_400.0

OWNER = Person("olga", "Olga", runs_workspace=True)
MANAGER = Person("mo", "Mo", runs_channel=True)
MEMBER = Person("max", "Max")
GUEST = Person("gus", "Gus", runs_workspace=True, outsider=True)


class Office:
    """A workspace in which people give commands to the bot."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        survey: ModelAvailability | None = None,
        servers: tuple[McpServer, ...] = (),
        **operator: str,
    ) -> None:
        self.now = NOON
        self.store: Store = store or MemoryStore()
        self.adapter = FakeAdapter(limits=replace(FAST, creators=True))
        self.model = ScriptedModel()
        admins = frozenset({"fake:root"})
        self.operator = said = Operator(operator, admins=admins, servers=servers)
        self.authority = SettingsAccess(
            self.store, {"fake": self.adapter}, said, self.clock
        )
        costs = PastCosts(self.store, self.clock)
        editor = SettingsEditor(
            *(self.store, self.authority, costs), lambda: survey, self.clock
        )
        usage = UsageScreen(self.store, self.authority, editor, self.clock)
        trial = PromptTrial(self.store, self.model, self.authority, said, self.clock)
        classifier = Classifier(self.store, self.model, said, self.clock)
        adapters = {"fake": self.adapter}
        page = SettingsPage(self.authority, editor.forms, usage)
        self.home = HomePage(self.store, self.authority, usage, page)
        self._triage = TriageCommands(
            *(self.store, classifier, self.authority, adapters),
            parse_command,
            self.clock,
        )
        self._handlers = {
            **suggestions.handlers(),
            **editor.handlers(),
            **SettingsUndo(self.store, self.authority, editor).handlers(),
            **usage.handlers(),
            **trial.handlers(),
            **SettingsScreen(self.authority, editor).handlers(),
            **page.handlers(),
            **SettingsCopier(self.store, self.authority, editor).handlers(),
            **SettingsHistory(self.store, self.authority, self.clock).handlers(),
            **self._triage.handlers(),
            **ReceiptScreen(self.store, self.authority, adapters).handlers(),
        }

    def clock(self) -> float:
        return self.now

    @property
    def desk(self) -> CommandRouter:
        """A command router for a platform on which no answer is running."""
        lanes, platforms = LocalAnswers(_idle()), Platforms([self.adapter])
        stopper = Stopper(self.store, lanes, self.authority)
        inbox = Inbox(
            *(self.store, lanes, platforms, self.authority, stopper),
            WaitingSigns(self.store, platforms, lanes),
            EditedQuestions(self.store, platforms, self.clock),
            *(_question, _untriaged, _untriaged),
            self.clock,
        )
        controls = ReplyControls(
            *(self.store, lanes, inbox, stopper, self.authority), self.clock
        )
        decisions = FileDecisions(self.store, stopper, self.authority, controls.repeat)
        files = AnswerFiles(self.store, platforms.adapters, self.authority)
        first = FirstContact(self.store, platforms, self.authority, inbox, self.clock)
        return CommandRouter(
            platforms,
            self.authority,
            {
                **self._handlers,
                **controls.handlers(),
                **decisions.handlers(),
                **files.handlers(),
                **first.handlers(),
                **ThreadSearch(self.store, self.authority, platforms).handlers(),
            },
            self._triage.this,
            self.home.page,
        )

    async def give(
        self,
        verb: str,
        person: Person = OWNER,
        place: Scope = CHANNEL,
        **arguments: str,
    ) -> CommandResult:
        """Let `person` give a command."""
        return await self.desk.run(Command(verb, arguments), place, person)

    async def type(
        self, text: str, person: Person = OWNER, place: Scope = CHANNEL
    ) -> str:
        """Let `person` type a command. Return the text of the response."""
        command = parse_command(text)
        assert command is not None, text
        told = await self.desk.run(command, place, person)
        assert isinstance(told, Response)
        return told.whole

    async def form(
        self,
        verb: str,
        person: Person = OWNER,
        place: Scope = CHANNEL,
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
        place: Scope = CHANNEL,
    ) -> Response:
        """Submit `form`. `values` replace the values that it was opened with."""
        filled = {field.name: field.value for field in form.fields} | dict(values)
        told = await self.desk.run(form.command.having(filled), place, person)
        assert isinstance(told, Response)
        return told

    async def press(
        self, told: Response, label: str, person: Person = OWNER, place: Scope = CHANNEL
    ) -> CommandResult:
        """Press a button. Its command is encoded and decoded, as it is by a
        platform."""
        inside = [each for section in told.sections for each in section.buttons]
        every = [*told.buttons, *inside]
        [button] = [each for each in every if each.label == label]
        command = Command.of_line(button.command.line)
        return await self.desk.run(command, place, person)

    async def policy(self, place: Scope = CHANNEL) -> EffectiveSettings:
        return await self.authority.policy(place)

    async def prompt(self, place: Scope = CHANNEL) -> str | None:
        """Return the text of the prompt that applies."""
        return (await self.authority.prompt(await self.policy(place))).text

    async def audit(self) -> list[AuditEntry]:
        """Return the changes and then the refusals, each oldest first."""
        changes = await self.store.audit(WORKSPACE, 0.0, 100)
        refused = [
            AuditEntry(0, each.at, each.place, each.who, "denied", each.name)
            for each in await self.store.refusals(WORKSPACE, 0.0, 100)
        ]
        return [*changes[::-1], *refused[::-1]]


class _Nobody:
    """A task group that starts no task."""

    def start(self, kind: str, work: Coroutine[object, object, object]) -> None:
        work.close()


async def _question(message: object, edited: bool) -> bool:
    """Replaces typed commands: every message is a question."""
    return False


async def _untriaged(message: object) -> None:
    """Replaces triage, which is off everywhere."""


def _idle() -> ThreadDispatcher:
    async def work(thread: object, stop: object) -> None:
        raise AssertionError("nothing is answered here")

    return ThreadDispatcher(_Nobody(), work)  # type: ignore[arg-type]
