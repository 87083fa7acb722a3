"""Puts the parts together and keeps them running until told to stop."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence

from bot.answers import Answers
from bot.authority import Authority
from bot.catalogue import Survey
from bot.changing import Changing
from bot.desk import Desk
from bot.dialogue import Command, Page, Reply, Section, Told
from bot.errors import ConfigError, leaves
from bot.inbox import Inbox
from bot.lanes import Halt, Lanes
from bot.past import Past
from bot.people import Person
from bot.policy import Operator
from bot.ports import Adapter, Model
from bot.responder import Responder
from bot.rules import Place
from bot.served import Served
from bot.steward import Steward
from bot.stores import Store
from bot.totals import Totals
from bot.triage.auto import Auto
from bot.triage.inchat import InChat
from bot.triage.sorter import Sorter
from bot.trying import Trying
from bot.values import Heard, ThreadKey, ThreadSummary
from bot.verbs import understood

log = logging.getLogger(__name__)


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
        survey: Callable[[], Awaitable[Survey | None]] | None = None,
    ) -> None:
        self._store = store
        self._adapters = {adapter.name: adapter for adapter in adapters}
        self._grace = grace
        #: Why platforms turned us away, while others go on.
        self._refusals: dict[str, ConfigError] = {}
        self._refused = asyncio.Event()
        #: Rule: every method of a Host that names a workspace asks it first.
        self.served: Served = operator.served
        self._look = survey
        #: What Claude's API says of the models that we know.
        self._survey: Survey | None = None
        self._authority = Authority(store, self._adapters, operator)
        self._changing = Changing(store, self._authority, lambda: self._survey)
        self._past = Past(store, self._authority)
        self._trying = Trying(store, model, self._authority, operator)
        self._sorter = Sorter(store, model, operator)
        self._responder = Responder(
            store=store,
            model=model,
            adapters=self._adapters,
            steward=Steward(store, model, self._authority, self._adapters, operator),
        )
        self._totals = Totals(store, self._adapters, operator)

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen and answer until `stopping` is set or nobody listens any more.

        Raises an ExceptionGroup of ConfigError when every platform turned us away.
        """
        async with asyncio.TaskGroup() as tasks:
            self._lanes = Lanes(tasks, self._drain)
            self._inbox = Inbox(
                self._store, self._lanes, self._adapters, self._authority, tasks
            )
            self._desk = Desk(
                *(self._store, self._lanes, self._authority),
                Answers(self._store, self._lanes, self._inbox, self._authority),
                *(self._changing, self._past, self._trying),
                InChat(self._store, self._sorter, self._authority, self._adapters),
            )
            self._auto = Auto(
                *(self._store, self._sorter, self._authority, self._adapters), tasks
            )
            await self._authority.defaults()
            await self._take_up()
            await self._auto.take_up(self.served)
            watching = tasks.create_task(self._totals.watch())
            looking = tasks.create_task(self._look_at_models())
            listening = tasks.create_task(self._listen())
            told = tasks.create_task(stopping.wait())
            await asyncio.wait({listening, told}, return_when=asyncio.FIRST_COMPLETED)
            # The order matters: hear nothing new, then finish what was heard.
            listening.cancel()
            told.cancel()
            looking.cancel()
            watching.cancel()
            await asyncio.wait({listening, told, looking, watching})
            self._auto.close()
            await self._lanes.close(self._grace)
            if self._refusals.keys() == self._adapters.keys():
                raise next(iter(self._refusals.values()))
        log.info("app.stopped")

    async def deliver(self, heard: Heard) -> None:
        """See `bot.ports.Host`."""
        if self._serves(heard.thread):
            await self._inbox.deliver(heard)
            await self._auto.hear(heard)

    async def overhear(self, heard: Heard) -> None:
        """See `bot.ports.Host`."""
        if self._serves(heard.thread):
            await self._auto.hear(heard)

    async def amend(self, heard: Heard) -> None:
        """See `bot.ports.Host`."""
        if self._serves(heard.thread):
            await self._inbox.amend(heard)

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        """See `bot.ports.Host`."""
        # Also where nobody is served any more: what is deleted must not be kept.
        await self._inbox.erase(platform, workspace, messages, channel)

    def stop(self, thread: ThreadKey) -> bool:
        """See `bot.ports.Host`."""
        return self._serves(thread) and self._lanes.stop(thread)

    def understood(self, text: str) -> Command | None:
        """See `bot.ports.Host`."""
        return understood(text)

    async def command(self, command: Command, place: Place, person: Person) -> Reply:
        """See `bot.ports.Host`."""
        if refusal := self.served.refusal(place.platform, place.workspace):
            return Told(refusal)
        return await self._desk.run(command, place, person)

    async def triage(self, heard: Heard, person: Person) -> Told:
        """See `bot.ports.Host`."""
        thread = heard.thread
        if refusal := self.served.refusal(thread.platform, thread.workspace):
            return Told(refusal)
        return await self._desk.triage(heard, person)

    async def page(self, place: Place, person: Person) -> Page:
        """See `bot.ports.Host`."""
        if refusal := self.served.refusal(place.platform, place.workspace):
            return Page((Section("", refusal),))
        return await self._desk.page(place, person)

    async def feedback(self, thread: ThreadKey, turn: str, good: bool) -> bool:
        """See `bot.ports.Host`."""
        return self._serves(thread) and await self._store.feedback(thread, turn, good)

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """See `bot.ports.Host`."""
        known = await self._store.threads(platform, channel)
        return [each for each in known if self._serves(each.thread)]

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """See `bot.ports.Host`."""
        known = await self._store.newest(platform, since)
        return [each for each in known if self._serves(each[0])]

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """See `bot.ports.Host`."""
        return await self._store.transcript(thread) if self._serves(thread) else []

    def _serves(self, thread: ThreadKey) -> bool:
        return self.served.holds(thread.platform, thread.workspace)

    async def _look_at_models(self) -> None:
        """Learn which of the models that we know Claude's API has; that may take a
        while, and nobody waits for it."""
        if self._look is not None:
            self._survey = await self._look()

    async def _take_up(self) -> None:
        """Go on with what an earlier process left, before hearing anything new."""
        known = await self._store.open_threads()
        threads = [thread for thread in known if self._serves(thread)]
        if threads:
            log.info("app.resuming threads=%d", len(threads))
        for thread in threads:
            self._lanes.put(thread)

    async def _drain(self, thread: ThreadKey, halt: Halt) -> ThreadKey | None:
        if thread.platform in self._refusals:
            # Its turns are durable, and each further try would be one more refusal.
            return None
        try:
            return await self._responder.drain(thread, halt)
        except ConfigError as error:
            self._refuse(thread.platform, error)
        except ExceptionGroup as errors:
            refusals = [e for e in leaves(errors) if isinstance(e, ConfigError)]
            if not refusals:
                raise
            self._refuse(thread.platform, refusals[0])
        return None

    async def _listen(self) -> None:
        async with asyncio.TaskGroup() as listeners:
            for adapter in self._adapters.values():
                listeners.create_task(self._listen_to(adapter), name=adapter.name)

    async def _listen_to(self, adapter: Adapter) -> None:
        """Listen until there is nothing more to hear, or the platform turns us away:
        that does not stop the others."""
        listening = asyncio.ensure_future(adapter.run(self))
        refused = asyncio.ensure_future(self._refusal(adapter.name))
        try:
            await asyncio.wait(
                {listening, refused}, return_when=asyncio.FIRST_COMPLETED
            )
            if listening.done():
                await listening
        except ConfigError as error:
            self._refuse(adapter.name, error)
        finally:
            listening.cancel()
            refused.cancel()
            await asyncio.wait({listening, refused})

    def _refuse(self, platform: str, error: ConfigError) -> None:
        if platform not in self._refusals:
            self._refusals[platform] = error
            self._refused.set()
        if self._refusals.keys() != self._adapters.keys():
            log.error("app.turned_away platform=%s %s", platform, error)

    async def _refusal(self, platform: str) -> None:
        """Return when `platform` has turned us away."""
        while platform not in self._refusals:
            self._refused.clear()
            await self._refused.wait()
