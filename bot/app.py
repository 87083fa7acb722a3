"""Puts the parts together and keeps them running until told to stop."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

from bot.budgets.totals import Totals
from bot.claude.catalog import ModelAvailability
from bot.cleanup import clean_up_daily
from bot.commands.catalog import parse_command
from bot.commands.edit_settings import SettingsEditor
from bot.commands.history import SettingsHistory
from bot.commands.home import HomePage
from bot.commands.reply_controls import ReplyControls
from bot.commands.router import CommandRouter
from bot.commands.show_settings import SettingsScreen
from bot.commands.try_prompt import PromptTrial
from bot.commands.usage import UsageScreen
from bot.conversation.admission import Admission
from bot.conversation.dispatcher import StopSignal, ThreadDispatcher
from bot.conversation.inbox import Inbox
from bot.conversation.responder import Responder
from bot.domain.message import Message
from bot.domain.person import Person
from bot.domain.retention import KEPT, Retention
from bot.domain.scope import Scope, ThreadKey
from bot.domain.served_workspaces import Served
from bot.domain.turn import ANSWERS_AT_ONCE, ThreadSummary, WaitingThread
from bot.errors import (
    AccessRevoked,
    ConfigError,
    StorageError,
    ThreadkeepError,
    leaves,
)
from bot.ports.model import Model
from bot.ports.platform import Adapter
from bot.ports.store import Store
from bot.runtime.background import Background, end, report, watched
from bot.settings.access import SettingsAccess
from bot.settings.effective import Operator
from bot.triage.chat.auto import AutoTriage
from bot.triage.chat.classifier import Classifier
from bot.triage.chat.commands import TriageCommands
from bot.ui.elements import Command, CommandResult, Page, Response, Section

log = logging.getLogger(__name__)

# How often an adapter that fails for a reason nobody foresaw is started again, and the
# pauses before that in seconds, which double. One that listened for so long as STEADY
# has all its tries again.
MOST_STARTS = 5
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 60.0
STEADY = 600.0


class App:
    """Threadkeep, running. It is the Host that its adapters talk to."""

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
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._adapters = {adapter.name: adapter for adapter in adapters}
        self._grace = grace
        self._clock = clock
        self._sleep = sleep
        self._at_once = at_once
        # A quarter of the places is out of reach of each platform where there are
        # several: one that takes no writes holds its answers, and their places.
        kept = at_once // 4 if len(adapters) > 1 else 0
        self._per_platform = at_once - kept
        self._retention = retention
        #: Why platforms turned us away, while others go on; the last one last.
        self._refusals: dict[str, ConfigError] = {}
        #: Rule: every method of a Host that names a workspace asks it first.
        self.served: Served = operator.served
        self._look = survey
        #: What Claude's API says of the models that we know.
        self._survey: ModelAvailability | None = None
        self._authority = SettingsAccess(store, self._adapters, operator)
        self._editor = SettingsEditor(store, self._authority, lambda: self._survey)
        self._usage = UsageScreen(store, self._authority, self._editor)
        self._home = HomePage(store, self._authority, self._usage)
        self._trial = PromptTrial(store, model, self._authority, operator)
        self._sorter = Classifier(store, model, operator)
        self._responder = Responder(
            store=store,
            model=model,
            adapters=self._adapters,
            steward=Admission(store, model, self._authority, self._adapters, operator),
        )
        self._totals = Totals(store, self._adapters, operator)

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen and answer until `stopping` is set or nobody listens any more.

        Raises the last ConfigError when every platform turned us away.
        """
        with watched(asyncio.get_running_loop()):
            async with Background(self._refuse) as background:
                await self._run(stopping, background)
        log.info("app.stopped")

    async def _run(self, stopping: asyncio.Event, background: Background) -> None:
        self._background = background
        self._lanes = ThreadDispatcher(
            *(background, self._answer_next, self._waiting),
            at_once=self._at_once,
            per_platform=self._per_platform,
        )
        self._inbox = Inbox(
            self._store, self._lanes, self._adapters, self._authority, background
        )
        self._router = self._command_router()
        self._auto = AutoTriage(
            *(self._store, self._sorter, self._authority, self._adapters),
            background,
            served=self.served,
        )
        await self._authority.defaults()
        await self._take_up()
        looking = background.start("models", self._look_at_models())
        watching = background.start("totals", self._totals.watch())
        cleaning = background.start(
            "clean up", clean_up_daily(self._store, self._retention)
        )
        listening = {
            background.start("listen", self._listen_to(adapter), platform=name)
            for name, adapter in self._adapters.items()
        }
        told = asyncio.create_task(stopping.wait())
        try:
            while listening and not told.done():
                _, pending = await asyncio.wait(
                    {told, *listening}, return_when=asyncio.FIRST_COMPLETED
                )
                listening &= pending
        finally:
            told.cancel()
        # The order matters: hear nothing new, then finish what was heard.
        for task in (looking, watching, cleaning, *listening):
            end(task)
        await asyncio.wait({looking, watching, cleaning, *listening})
        self._auto.close()
        await self._lanes.close(self._grace)
        if self._refusals.keys() == self._adapters.keys():
            raise list(self._refusals.values())[-1]

    def _command_router(self) -> CommandRouter:
        triage = TriageCommands(
            *(self._store, self._sorter, self._authority, self._adapters),
            parse_command,
        )
        return CommandRouter(
            self._authority,
            {
                **self._editor.handlers(),
                **self._usage.handlers(),
                **self._trial.handlers(),
                **SettingsScreen(self._authority, self._editor).handlers(),
                **SettingsHistory(self._store, self._authority).handlers(),
                **ReplyControls(
                    self._store, self._lanes, self._inbox, self._authority
                ).handlers(),
                **triage.handlers(),
            },
            triage.this,
        )

    async def deliver(self, heard: Message) -> None:
        """See `bot.ports.platform.Host`."""
        with self._on(heard.thread.platform):
            if not self._serves(heard.thread):
                return
            await self._inbox.deliver(heard)
            await self._auto.hear(heard)

    async def overhear(self, heard: Message) -> None:
        """See `bot.ports.platform.Host`."""
        with self._on(heard.thread.platform):
            if not self._serves(heard.thread):
                return
            await self._auto.hear(heard)

    async def amend(self, heard: Message) -> None:
        """See `bot.ports.platform.Host`."""
        with self._on(heard.thread.platform):
            if not self._serves(heard.thread):
                return
            await self._inbox.amend(heard)

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        """See `bot.ports.platform.Host`."""
        # Also where nobody is served any more: what is deleted must not be kept.
        await self._inbox.erase(platform, workspace, messages, channel)

    async def hold(self, heard: Message, holder: str) -> None:
        """See `bot.ports.platform.Host`."""
        if self._serves(heard.thread):
            await self._inbox.hold(heard, holder)

    async def forget(self, place: Scope) -> None:
        """See `bot.ports.platform.Host`."""
        # As `erase`: also where nobody is served any more.
        await self._inbox.forget(place)

    def stop(self, thread: ThreadKey) -> bool:
        """See `bot.ports.platform.Host`."""
        return self._serves(thread) and self._lanes.stop(thread)

    def understood(self, text: str) -> Command | None:
        """See `bot.ports.platform.Host`."""
        return parse_command(text)

    async def command(
        self, command: Command, place: Scope, person: Person
    ) -> CommandResult:
        """See `bot.ports.platform.Host`."""
        if refusal := self.served.refusal(place.platform, place.workspace):
            return Response(refusal)
        with self._on(place.platform):
            return await self._router.run(command, place, person)

    async def triage(self, heard: Message, person: Person) -> Response:
        """See `bot.ports.platform.Host`."""
        thread = heard.thread
        if refusal := self.served.refusal(thread.platform, thread.workspace):
            return Response(refusal)
        with self._on(thread.platform):
            return await self._router.triage(heard, person)

    async def page(self, place: Scope, person: Person) -> Page:
        """See `bot.ports.platform.Host`."""
        if refusal := self.served.refusal(place.platform, place.workspace):
            return Page((Section("", refusal),))
        with self._on(place.platform):
            return await self._home.page(place, person)

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """See `bot.ports.platform.Host`."""
        return self._serves(thread) and await self._store.feedback(thread, turn, good)

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """See `bot.ports.platform.Host`."""
        known = await self._store.threads(platform, channel)
        return [each for each in known if self._serves(each.thread)]

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """See `bot.ports.platform.Host`."""
        known = await self._store.newest(platform, since)
        return [each for each in known if self._serves(each[0])]

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """See `bot.ports.platform.Host`."""
        return await self._store.transcript(thread) if self._serves(thread) else []

    def _serves(self, thread: ThreadKey) -> bool:
        return self.served.holds(thread.platform, thread.workspace)

    async def _look_at_models(self) -> None:
        """Learn which of the models that we know Claude's API has; that may take a
        while, and nobody waits for it."""
        if self._look is not None:
            self._survey = await self._look()

    async def _take_up(self) -> None:
        """Go on with what an earlier process left, before hearing anything new. What
        cannot be taken up keeps nobody from starting."""
        for what, take_up in (
            ("threads", self._take_up_threads),
            ("cases", self._auto.take_up),
        ):
            try:
                await take_up()
            except StorageError:
                raise
            except Exception as error:
                report(f"take up {what}", error)

    async def _take_up_threads(self) -> None:
        if threads := await self._lanes.take_up():
            log.info("app.resuming threads=%d", threads)

    async def _waiting(self, most: int) -> list[WaitingThread]:
        """Threads with open turns, of the platforms that take answers now."""
        platforms = self._adapters.keys() - self._refusals.keys()
        return await self._store.waiting_threads(platforms, most, self._serves)

    async def _answer_next(
        self, thread: ThreadKey, halt: StopSignal
    ) -> ThreadKey | None:
        if thread.platform in self._refusals:
            # Its turns are durable, and each further try would be one more refusal.
            return None
        try:
            return await self._responder.answer_next(thread, halt)
        except (AccessRevoked, ExceptionGroup) as error:
            refusals = [e for e in leaves(error) if isinstance(e, AccessRevoked)]
            if not refusals:
                raise
            self._refuse(thread.platform, refusals[0])
        return None

    async def _listen_to(self, adapter: Adapter) -> None:
        """Listen until there is nothing more to hear, or the platform turns us away.
        An adapter that fails for a reason nobody foresaw is started again, and given up
        after a few times."""
        failures, pause = 0, FIRST_PAUSE
        while True:
            began = self._clock()
            try:
                await adapter.run(self)
                return
            except Exception as error:
                causes = leaves(error)
                refusal = next((e for e in causes if isinstance(e, ConfigError)), None)
                if refusal is not None:
                    self._refuse(adapter.name, refusal)
                    return
                report(f"listen to {adapter.name}", error)
                if self._clock() - began >= STEADY:
                    failures, pause = 0, FIRST_PAUSE
                # What our own errors tell of passes, as an outage does.
                failures += not all(isinstance(e, ThreadkeepError) for e in causes)
            if failures >= MOST_STARTS:
                self._refuse(adapter.name, _given_up(adapter.name))
                return
            await self._sleep(pause)
            pause = min(LONGEST_PAUSE, pause * 2)

    @contextlib.contextmanager
    def _on(self, platform: str) -> Iterator[None]:
        """See to it that `platform` is taken down if it turns us away meanwhile."""
        try:
            yield
        except AccessRevoked as error:
            self._refuse(platform, error)
            raise

    def _refuse(self, platform: str, error: ConfigError) -> None:
        """Take `platform` down, which turned us away, and tell the operator. All ways
        on which a refusal is met lead here, and only the first one counts."""
        if platform in self._refusals or platform not in self._adapters:
            return
        self._refusals[platform] = error
        # Of the last one the operator is told at the end of the process.
        if self._refusals.keys() != self._adapters.keys():
            log.error("app.turned_away platform=%s %s", platform, error)
        self._background.leave(platform)


def _given_up(platform: str) -> ConfigError:
    return ConfigError(
        f"Listening to {platform} failed {MOST_STARTS} times for a reason that nobody "
        "foresaw. Start Threadkeep again; if that does not help, report the lines of "
        "the log that say task.failed."
    )
