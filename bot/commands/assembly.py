"""Assembles all commands into one router."""

from collections.abc import Callable

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
from bot.commands.router import CommandRouter, Handler
from bot.commands.search import ThreadSearch
from bot.commands.settings_page import SettingsPage
from bot.commands.show_settings import SettingsScreen
from bot.commands.try_prompt import PromptTrial
from bot.commands.undo import SettingsUndo
from bot.commands.usage import UsageScreen
from bot.conversation.answers import Answers
from bot.conversation.inbox import Inbox
from bot.conversation.stopping import Stopper
from bot.platforms import Platforms
from bot.ports.model import Model
from bot.ports.store import Store
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator
from bot.triage.chat.classifier import Classifier
from bot.triage.chat.commands import TriageCommands


def create_router(
    store: Store,
    platforms: Platforms,
    access: SettingsAccess,
    answers: Answers,
    inbox: Inbox,
    stopper: Stopper,
    classifier: Classifier,
    model: Model,
    operator: Operator,
    survey: Callable[[], ModelAvailability | None],
) -> tuple[CommandRouter, FirstContact]:
    """Return the router of all commands, and the object that greets people, whose
    buttons are commands. `survey` returns the availability of models as the API reports
    it."""
    adapters = platforms.adapters
    editor = SettingsEditor(store, access, PastCosts(store), survey)
    usage = UsageScreen(store, access, editor)
    page = SettingsPage(access, editor.forms, usage)
    triage = TriageCommands(store, classifier, access, adapters, parse_command)
    first_contact = FirstContact(store, platforms, access, inbox)
    controls = ReplyControls(store, answers, inbox, stopper, access)
    handlers: dict[str, Handler] = {
        **suggestions.handlers(),
        **editor.handlers(),
        **SettingsUndo(store, access, editor).handlers(),
        **usage.handlers(),
        **SettingsScreen(access, editor).handlers(),
        **page.handlers(),
        **SettingsCopier(store, access, editor).handlers(),
        **SettingsHistory(store, access).handlers(),
        **ReceiptScreen(store, access, adapters).handlers(),
        **PromptTrial(store, model, access, operator).handlers(),
        **controls.handlers(),
        **FileDecisions(store, stopper, access, controls.repeat).handlers(),
        **AnswerFiles(store, adapters, access).handlers(),
        **ThreadSearch(store, access, platforms).handlers(),
        **triage.handlers(),
        **first_contact.handlers(),
    }
    home = HomePage(store, access, usage, page)
    router = CommandRouter(platforms, access, handlers, triage.this, home.page)
    return router, first_contact
