"""Creates the components, starts them and stops them."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from itertools import chain
from pathlib import Path

from bot.api_access import ApiAccess
from bot.budgets.totals import Totals
from bot.claude.catalog import ModelAvailability
from bot.cleanup import clean_up, clean_up_daily
from bot.commands.assembly import create_router
from bot.commands.typed import TypedCommands
from bot.conversation.answers import Answers, LocalAnswers, SharedAnswers
from bot.conversation.assembly import create_responder
from bot.conversation.conversations import StoredConversations
from bot.conversation.dispatcher import ThreadDispatcher
from bot.conversation.drains import Drains
from bot.conversation.edited_questions import EditedQuestions
from bot.conversation.inbox import Inbox
from bot.conversation.outages import StoredOutages
from bot.conversation.stop_signal import StopSignal
from bot.conversation.stopping import Stopper
from bot.conversation.summariser import Summariser
from bot.conversation.waiting_signs import WaitingSigns
from bot.domain.message import Message
from bot.domain.retention import KEPT, Retention
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import ANSWERS_AT_ONCE, WaitingThread
from bot.errors import AccessRevoked, ConfigError, StorageError, leaves
from bot.last_names import LastNames
from bot.listening import listen_to
from bot.mcp_listings import McpListings
from bot.operator_alerts import OperatorAlerts, ReportingModel
from bot.platforms import Platforms
from bot.ports.host import Host
from bot.ports.model import Model
from bot.ports.operator_reports import Reports
from bot.ports.platform import Adapter
from bot.ports.processes import Gateways
from bot.ports.store import Store
from bot.ports.wakeups import GATEWAY, SERVE, WORK, PeriodicTask, Wakeups
from bot.reports.changes import SettingReports
from bot.reports.money import MoneyReports
from bot.reports.monitor import ProcessMonitor
from bot.reports.threads import ThreadReports
from bot.runtime.background import end, report, watched
from bot.runtime.retry import retry_until_success
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator
from bot.triage.chat.auto import AutoTriage
from bot.triage.chat.classifier import Classifier
from bot.vitals.probes import Probes
from bot.vitals.process import ProcessVitals
from bot.vitals.status_file import StatusFile

log = logging.getLogger(__name__)

# The seconds that the jobs of this process may take to end, after all turns have ended.
LEAVING = 5.0

# The seconds for which less urgent tasks wait for the platforms to connect.
CONNECTING = 5.0


class App:
    """A running Threadkeep: `host` is the interface for adapters, and `platforms` has
    their states. `database` is the database file, None for one in memory; `search`
    returns the error for a damaged database."""

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
        search: Callable[[], Awaitable[ConfigError | None]] | None = None,
        retention: Retention = KEPT,
        database: Path | None = None,
        heard_within: float | None = None,
        probes: Sequence[tuple[str, str]] = (),
        gateways: Gateways | None = None,
        wakeups: Wakeups | None = None,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._grace = grace
        self._clock = clock
        self._sleep = sleep
        self._retention = retention
        self._look = survey
        self._search = search
        self._damage: ConfigError | None = None
        #: The wake-ups of this process; None if no other uses the database.
        self._wakeups = wakeups
        self._closing = asyncio.Event()
        #: The availability of known models according to Claude's API.
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
            store, model, operator, self._alert, lambda: self._survey
        )
        model = ReportingModel(
            *(model, self._alerts, platforms.tasks.start), self._listings.rest
        )
        # With several platforms, each can use at most three quarters of the slots. A
        # platform that accepts no writes keeps its answers, and their slots, waiting.
        reserved = at_once // 4 if len(adapters) > 1 else 0
        self._dispatcher = ThreadDispatcher(
            *(platforms.tasks, self._answer_next),
            # With several processes, others may answer threads that do not fit here.
            *(() if wakeups else (self._waiting,)),
            at_once=at_once,
            per_platform=at_once - reserved,
            per_workspace={
                name: max(1, at_once // 4)
                for name, adapter in by_name.items()
                if adapter.limits.apart
            },
        )
        platforms.on_suspended = self._dispatcher.leave
        platforms.on_resumed = self._take_up_again
        self._access = SettingsAccess(store, by_name, operator)
        classifier = Classifier(store, model, operator)
        shared = wakeups is not None
        self._auto = AutoTriage(
            *(store, classifier, self._access, by_name, platforms.tasks),
            serves=platforms.serves,
            is_shared=shared,
        )
        self._answerer = Drains(
            store, self._dispatcher, self._auto.sort, platforms.tasks
        )
        local = LocalAnswers(self._dispatcher)
        answers: Answers = SharedAnswers(store) if shared else local
        stopper = Stopper(store, answers, self._access)
        self._signs = signs = WaitingSigns(store, platforms, answers, shared=shared)
        inbox = Inbox(
            *(store, answers, platforms, self._access, stopper, signs),
            EditedQuestions(store, platforms),
            self._command,
            self._auto.receive,
            partial(self._auto.receive, edited=True),
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
            begun=signs.begin,
            timed=self.vitals.answered,
            survey=lambda: self._survey,
            shared=gateways is not None,
        )
        self._totals = Totals(store, by_name, operator)
        self._names = LastNames(store, platforms)
        router, first_contact = create_router(
            *(store, platforms, self._access, answers, inbox, stopper, classifier),
            *(model, operator, lambda: self._survey),
        )
        self._typed = TypedCommands(store, platforms, self._access, router)
        self.host = Host(
            *(inbox, router, StoredConversations(store, answers, platforms)),
            *(first_contact, operator.served),
            *(self._alert, self.vitals.connections),
            ApiAccess(store, store, platforms, self._access),
            Reports(
                MoneyReports(store, store, store, operator.values),
                ThreadReports(store, store, store, store, by_name),
                SettingReports(store, store, store),
                ProcessMonitor(
                    *(store, self.vitals.read, heard_within),
                    is_awake=wakeups.is_awake if wakeups else lambda: True,
                ),
            ),
            platforms,
            StoredOutages(store, shared=shared),
            gateways,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen and answer until `stopping` is set or every adapter has ended.

        Raises the last ConfigError if every platform rejected our credentials, and a
        ConfigError if the database is damaged.
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
        work, attending = set[asyncio.Task[None]](), set[asyncio.Task[None]]()
        if self._wakeups is None:
            await self._resume()
        else:
            attending = {start("attend", self._wakeups.attend(self._answerer))}
            await self._wakeups.entered()
        helpers = self._start_helpers()
        helpers.add(start("damage", self._look_for_damage(stopping)))
        if self._wakeups is not None and self._wakeups.role != GATEWAY:
            tasks = self._periodic_tasks()
            jobs = self._wakeups.work(self._answerer, tasks, self._closing)
            work = {start("work", jobs)}
        more = self.host, self.platforms, self._clock, self._sleep
        listening = {
            start("listen", listen_to(adapter, *more), platform=name)
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
        self._closing.set()
        self._signs.close()
        ending = helpers | listening
        for task in ending:
            end(task)
        await asyncio.wait(ending)
        self._auto.close()
        await self._dispatcher.close(self._grace)
        self._summariser.close()
        self._responder.old_controls.close()
        self._responder.replies.corrections.close()
        await self._leave(work, attending)
        if failure := self._damage or self.platforms.failure:
            raise failure

    async def _leave(
        self, work: set[asyncio.Task[None]], attending: set[asyncio.Task[None]]
    ) -> None:
        """Hand the remaining work over to the other processes."""
        if work:
            await asyncio.wait(work, timeout=LEAVING)
        for task in work | attending:
            end(task)
        if self._wakeups is not None:
            await asyncio.wait(work | attending)
            try:
                await self._wakeups.leave()
            except StorageError as error:
                # Ignored: the released lock shows the others that this process ended.
                report("leave", error)

    def _start_helpers(self) -> set[asyncio.Task[None]]:
        """Start the background tasks that run until the process ends."""
        start = self.platforms.tasks.start
        role = self._wakeups.role if self._wakeups else SERVE
        helpers = {
            start("operator alerts", self._alerts.watch()),
            start("loop lag", self.vitals.lag.watch()),
        }
        if role != GATEWAY:
            helpers.add(start("models", self._look_at_models()))
            helpers.add(start("mcp listings", self._listings.watch()))
        if role != WORK:
            helpers.add(start("probes", self._probes.watch()))
        if self._wakeups is None:
            helpers.add(start("totals", self._totals.watch()))
            helpers.add(start("names", self._names.watch()))
            tidy = clean_up_daily(self._store, self._retention)
            helpers.add(start("clean up", tidy))
        if self._status:
            helpers.add(start("status file", self._status.keep()))
        return helpers

    def _periodic_tasks(self) -> list[PeriodicTask]:
        """Return the periodic tasks, each of which only one of all processes runs."""
        clean = partial(clean_up, self._store, self._retention)
        adapters = self.platforms.adapters.values()
        return [
            PeriodicTask("totals", "* * * * *", self._totals.look),
            PeriodicTask("names", "* * * * *", self._names.look_back),
            PeriodicTask("clean-up", "17 3 * * *", clean),
            PeriodicTask("signs", "* * * * *", self._signs.resume),
            *chain.from_iterable(each.periodic_tasks for each in adapters),
        ]

    async def _look_at_models(self) -> None:
        """Ask Claude's API which of the known models are available. Nothing waits for
        this; it waits for the platforms, since the SDK takes longer to import than they
        take to connect."""
        if self._look is not None:
            await self.vitals.connections.opened(CONNECTING)
            self._survey = await self._look()

    async def _look_for_damage(self, stopping: asyncio.Event) -> None:
        """Stop the process if the database is damaged. No answer waits for this."""
        if self._search is not None:
            await self.vitals.connections.opened(CONNECTING)
            self._damage = await self._search()
            if self._damage is not None:
                log.error("app.damaged %s", self._damage)
                stopping.set()

    async def _resume(self) -> None:
        """Resume the work of an earlier process, before anything new is received.
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
                # An unexpected error in one of them must not keep the others waiting.
                report(f"take up {what}", error)

    async def _resume_threads(self) -> None:
        if threads := await self._dispatcher.resume():
            log.info("app.resuming threads=%d", threads)

    def _take_up_again(self, place: Scope) -> None:
        """Resume the turns and cases of a workspace that was suspended."""
        if self._wakeups is not None:
            # The engine finds them without a job, and wakes a process.
            return

        async def resume() -> None:
            await self._resume_threads()
            await self._auto.take_up()

        work = retry_until_success(resume)
        self.platforms.tasks.start("fetch threads", work, platform=place.platform)

    async def _waiting(self, most: int) -> list[WaitingThread]:
        """Return threads with open turns in active platforms and served workspaces."""
        platforms = self.platforms
        return await self._store.waiting_threads(
            platforms.active, most, platforms.serves
        )

    async def _answer_next(
        self, thread: ThreadKey, halt: StopSignal
    ) -> ThreadKey | None:
        is_active = thread.platform in self.platforms.active
        if not (is_active and self.platforms.serves(thread)):
            # The turns stay in the store, and another attempt would be refused, too.
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
        """Report a problem that only the operator can correct, in the background."""
        self.platforms.tasks.start("operator alert", self._alerts.report(name, problem))

    async def _command(self, message: Message, edited: bool) -> bool:
        """Run `message` if it is a command, and return whether it is."""
        return await self._typed.take(message, edited=edited)
