"""Wires the parts together, starts them and stops them."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from bot.api_access import ApiAccess
from bot.budgets.past_costs import PastCosts
from bot.budgets.totals import Totals
from bot.claude.catalog import ModelAvailability
from bot.cleanup import clean_up_daily
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
from bot.commands.typed import TypedCommands
from bot.commands.undo import SettingsUndo
from bot.commands.usage import UsageScreen
from bot.conversation.answers import LocalAnswers
from bot.conversation.assembly import create_responder
from bot.conversation.conversations import StoredConversations
from bot.conversation.dispatcher import StopSignal, ThreadDispatcher
from bot.conversation.edited_questions import EditedQuestions
from bot.conversation.inbox import Inbox
from bot.conversation.stopping import Stopper
from bot.conversation.summariser import Summariser
from bot.conversation.waiting_signs import WaitingSigns
from bot.domain.budget import BudgetLimits
from bot.domain.message import Message
from bot.domain.retention import KEPT, Retention
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import ANSWERS_AT_ONCE, WaitingThread
from bot.errors import (
    AccessRevoked,
    ConfigError,
    StorageError,
    ThreadkeepError,
    leaves,
)
from bot.last_names import LastNames
from bot.mcp_listings import McpListings
from bot.messages import claude as messages
from bot.operator_alerts import OperatorAlerts, ReportingModel
from bot.platforms import Platforms
from bot.ports.host import Host
from bot.ports.model import Model
from bot.ports.operator_reports import Reports
from bot.ports.platform import Adapter
from bot.ports.processes import Gateways
from bot.ports.store import Store
from bot.reports.changes import SettingReports
from bot.reports.money import MoneyReports
from bot.reports.monitor import ProcessMonitor
from bot.reports.threads import ThreadReports
from bot.runtime.background import end, report, watched
from bot.runtime.retry import Backoff, retry_until_success
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator, totals
from bot.triage.chat.auto import AutoTriage
from bot.triage.chat.classifier import Classifier
from bot.triage.chat.commands import TriageCommands
from bot.vitals.probes import Probes
from bot.vitals.process import ProcessVitals
from bot.vitals.status_file import StatusFile

log = logging.getLogger(__name__)

# How often an adapter that fails with an unexpected error is started again. The count
# begins anew after it has listened for STEADY seconds.
MOST_STARTS = 5
BACKOFF = Backoff(first=1.0, longest=60.0)
STEADY = 600.0

# How long the first request to Claude's API waits for the platforms, in seconds.
CONNECTING = 5.0


class App:
    """Threadkeep, running: `host` is what its adapters talk to, and `platforms` knows
    which of them are active. `database` is its file, None for one in memory."""

    def __init__(
        self,
        *,
        store: Store,
        model: Model,
        adapters: Sequence[Adapter],
        operator: Operator,
        grace: float,
        at_once: int = ANSWERS_AT_ONCE,
        survey: Callable[[], Awaitable[ModelAvailability | None]] | None = None,
        retention: Retention = KEPT,
        database: Path | None = None,
        heard_within: float | None = None,
        probes: Sequence[tuple[str, str]] = (),
        gateways: Gateways | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._grace = grace
        self._clock = clock
        self._sleep = sleep
        self._retention = retention
        self._look = survey
        #: What Claude's API says of the models that we know.
        self._survey: ModelAvailability | None = None
        self.platforms = platforms = Platforms(adapters, operator.served)
        by_name = platforms.adapters
        folder = database.parent if database else None
        self._alerts = OperatorAlerts(store, platforms, operator, folder)
        self.vitals = ProcessVitals(
            by_name,
            lambda: self._responder.schedulers,
            lambda: self._dispatcher.load,
            lambda: platforms.failures,
            at_once=at_once,
        )
        self._probes = Probes(*(by_name, probes, self.vitals.connections, heard_within))
        self._status = database and StatusFile(database, self.vitals.read)
        if self._status:
            self.vitals.connections.on_echo = self._status.hurry
        self._listings = McpListings(
            *(store, model, operator.servers, BudgetLimits(totals(operator.values))),
            *(self._alert, lambda: self._survey),
        )
        model = ReportingModel(
            *(model, self._alerts, platforms.tasks.start), self._listings.rest
        )
        # A quarter of the places is out of reach of each platform where there are
        # several: one that takes no writes holds its answers, and their places.
        reserved = at_once // 4 if len(adapters) > 1 else 0
        self._dispatcher = ThreadDispatcher(
            *(platforms.tasks, self._answer_next, self._waiting),
            at_once=at_once,
            per_platform=at_once - reserved,
        )
        platforms.on_suspended = self._dispatcher.leave
        platforms.on_resumed = self._take_up_again
        self._access = SettingsAccess(store, by_name, operator)
        classifier = Classifier(store, model, operator)
        self._auto = AutoTriage(
            *(store, classifier, self._access, by_name, platforms.tasks),
            serves=platforms.serves,
        )
        answers = LocalAnswers(self._dispatcher)
        stopper = Stopper(store, answers, self._access)
        self._signs = signs = WaitingSigns(store, platforms, answers)
        inbox = Inbox(
            *(store, answers, platforms, self._access, stopper, signs),
            EditedQuestions(store, platforms),
            self._command,
            self._auto.receive,
        )
        self._summariser = Summariser(
            *(store, model, platforms.tasks, operator.secret, lambda: self._survey),
            time.time,
        )
        self._responder = create_responder(
            store=store,
            model=model,
            adapters=by_name,
            operator=operator,
            summariser=self._summariser,
            listings=self._listings,
            tasks=platforms.tasks,
            begun=signs.clear,
            timed=self.vitals.answered,
            survey=lambda: self._survey,
        )
        self._totals = Totals(store, by_name, operator)
        self._names = LastNames(store, platforms)
        editor = SettingsEditor(
            store, self._access, PastCosts(store), lambda: self._survey
        )
        usage = UsageScreen(store, self._access, editor)
        page = SettingsPage(self._access, editor.forms, usage)
        triage = TriageCommands(store, classifier, self._access, by_name, parse_command)
        first_contact = FirstContact(store, platforms, self._access, inbox)
        controls = ReplyControls(store, answers, inbox, stopper, self._access)
        decisions = FileDecisions(store, stopper, self._access, controls.repeat)
        files = AnswerFiles(store, by_name, self._access)
        router = CommandRouter(
            platforms,
            self._access,
            {
                **suggestions.handlers(),
                **editor.handlers(),
                **SettingsUndo(store, self._access, editor).handlers(),
                **usage.handlers(),
                **SettingsScreen(self._access, editor).handlers(),
                **page.handlers(),
                **SettingsCopier(store, self._access, editor).handlers(),
                **SettingsHistory(store, self._access).handlers(),
                **ReceiptScreen(store, self._access, by_name).handlers(),
                **PromptTrial(store, model, self._access, operator).handlers(),
                **controls.handlers(),
                **decisions.handlers(),
                **files.handlers(),
                **ThreadSearch(store, self._access, platforms).handlers(),
                **triage.handlers(),
                **first_contact.handlers(),
            },
            triage.this,
            HomePage(store, self._access, usage, page).page,
        )
        self._typed = TypedCommands(store, platforms, self._access, router)
        conversations = StoredConversations(store, answers, platforms)
        self.host = Host(
            *(inbox, router, conversations, first_contact, operator.served),
            *(self._alert, self.vitals.connections),
            ApiAccess(store, store, platforms, self._access),
            Reports(
                MoneyReports(store, store, store, operator.values),
                ThreadReports(store, store, store, store, by_name),
                SettingReports(store, store, store),
                ProcessMonitor(store, self.vitals.read, heard_within),
            ),
            platforms,
            gateways,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen and answer until `stopping` is set or no adapter listens any more.

        Raises the last ConfigError if every platform rejected our credentials.
        """
        stop_counting = self.vitals.count_log()
        try:
            with watched(asyncio.get_running_loop()):
                async with self.platforms.tasks:
                    await self._run(stopping)
        finally:
            stop_counting()
        log.info("app.stopped")

    async def _run(self, stopping: asyncio.Event) -> None:
        start = self.platforms.tasks.start
        await self._access.defaults()
        await self._listings.load()
        await self._resume()
        helpers = {
            start("models", self._look_at_models()),
            start("totals", self._totals.watch()),
            start("operator alerts", self._alerts.watch()),
            start("names", self._names.watch()),
            start("mcp listings", self._listings.watch()),
            start("clean up", clean_up_daily(self._store, self._retention)),
            start("loop lag", self.vitals.lag.watch()),
            start("probes", self._probes.watch()),
        }
        if self._status:
            helpers.add(start("status file", self._status.keep()))
        listening = {
            start("listen", self._listen_to(adapter), platform=name)
            for name, adapter in self.platforms.adapters.items()
        }
        stopped = asyncio.create_task(stopping.wait())
        try:
            while listening and not stopped.done():
                _, pending = await asyncio.wait(
                    {stopped, *listening}, return_when=asyncio.FIRST_COMPLETED
                )
                listening &= pending
        finally:
            stopped.cancel()
        # The order matters: receive nothing new, then finish what was received.
        ending = helpers | listening
        for task in ending:
            end(task)
        await asyncio.wait(ending)
        self._auto.close()
        await self._dispatcher.close(self._grace)
        self._summariser.close()
        if failure := self.platforms.failure:
            raise failure

    async def _look_at_models(self) -> None:
        """Ask Claude's API which of the known models it has. Nothing waits for it, and
        it waits for the platforms: its SDK takes longer to import than they to connect.
        """
        if self._look is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(CONNECTING):
                await self.vitals.connections.complete.wait()
        self._survey = await self._look()

    async def _resume(self) -> None:
        """Go on with the work of an earlier process, before anything new is received.
        Work that cannot be resumed does not prevent the start."""
        for what, resume in (
            ("threads", self._resume_threads),
            ("cases", self._auto.take_up),
            ("signs", self._signs.resume),
        ):
            try:
                await resume()
            except StorageError:
                raise
            except Exception as error:
                report(f"take up {what}", error)

    async def _resume_threads(self) -> None:
        if threads := await self._dispatcher.resume():
            log.info("app.resuming threads=%d", threads)

    def _take_up_again(self, place: Scope) -> None:
        """Go on with the turns and cases of a workspace that was suspended."""

        async def resume() -> None:
            await self._resume_threads()
            await self._auto.take_up()

        work = retry_until_success(resume)
        self.platforms.tasks.start("fetch threads", work, platform=place.platform)

    async def _waiting(self, most: int) -> list[WaitingThread]:
        """Return threads with open turns, of the platforms that take answers now."""
        platforms = self.platforms
        return await self._store.waiting_threads(
            platforms.active, most, platforms.serves
        )

    async def _answer_next(
        self, thread: ThreadKey, halt: StopSignal
    ) -> ThreadKey | None:
        is_active = thread.platform in self.platforms.active
        if not (is_active and self.platforms.serves(thread)):
            # Its turns are durable, and each further try would be one more refusal.
            return None
        try:
            return await self._responder.answer_next(thread, halt)
        except (AccessRevoked, ExceptionGroup) as error:
            refusals = [e for e in leaves(error) if isinstance(e, AccessRevoked)]
            if not refusals:
                raise
            self.platforms.shut_down(thread.platform, refusals[0])
        return None

    def _alert(self, name: str, problem: str) -> None:
        """Report what only the operator can correct, in the background."""
        self.platforms.tasks.start("operator alert", self._alerts.report(name, problem))

    async def _command(self, message: Message) -> bool:
        """Return whether `message` is a command, which is then carried out."""
        return await self._typed.take(message)

    async def _listen_to(self, adapter: Adapter) -> None:
        """Run `adapter` until it ends or its platform rejects our credentials. One
        that fails with an unexpected error is restarted a few times, then shut down."""
        failures = tries = 0
        while True:
            began = self._clock()
            try:
                await adapter.run(self.host)
                return
            except Exception as error:
                causes = leaves(error)
                refusal = next((e for e in causes if isinstance(e, ConfigError)), None)
                if refusal is not None:
                    self.platforms.shut_down(adapter.name, refusal)
                    return
                report(f"listen to {adapter.name}", error)
                if self._clock() - began >= STEADY:
                    failures = tries = 0
                tries += 1
                # Our own errors stand for outages, which pass.
                failures += not all(isinstance(e, ThreadkeepError) for e in causes)
            if failures >= MOST_STARTS:
                self.platforms.shut_down(adapter.name, _given_up(adapter.name))
                return
            await self._sleep(BACKOFF.pause(tries))


def _given_up(platform: str) -> ConfigError:
    return ConfigError(messages.listening_failed(platform=platform, times=MOST_STARTS))
