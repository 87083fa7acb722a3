"""Puts the parts together and keeps them running until told to stop."""

import asyncio
import logging
from collections.abc import Sequence

from bot.errors import ConfigError, leaves
from bot.inbox import Inbox
from bot.lanes import Lanes
from bot.ports import Adapter, Model, Store
from bot.responder import Asking, Responder
from bot.values import Heard, ThreadKey, ThreadSummary
from bot.verbs import Verbs

log = logging.getLogger(__name__)


class App:
    """Threadkeep, running. It is the Host that its adapters talk to."""

    def __init__(
        self,
        *,
        store: Store,
        model: Model,
        adapters: Sequence[Adapter],
        asking: Asking,
        grace: float,
    ) -> None:
        self._store = store
        self._adapters = {adapter.name: adapter for adapter in adapters}
        self._grace = grace
        #: Why platforms turned us away, while others go on.
        self._refusals: dict[str, ConfigError] = {}
        self._refused = asyncio.Event()
        self._responder = Responder(
            store=store, model=model, adapters=self._adapters, asking=asking
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen and answer until `stopping` is set or nobody listens any more.

        Raises an ExceptionGroup of ConfigError when every platform turned us away.
        """
        async with asyncio.TaskGroup() as tasks:
            self._lanes = Lanes(tasks, self._drain)
            self._inbox = Inbox(self._store, self._lanes, self._adapters)
            self._verbs = Verbs(self._store, self._lanes)
            await self._take_up()
            listening = tasks.create_task(self._listen())
            told = tasks.create_task(stopping.wait())
            await asyncio.wait({listening, told}, return_when=asyncio.FIRST_COMPLETED)
            # The order matters: hear nothing new, then finish what was heard.
            listening.cancel()
            told.cancel()
            await asyncio.wait({listening, told})
            await self._lanes.close(self._grace)
            if self._refusals.keys() == self._adapters.keys():
                raise next(iter(self._refusals.values()))
        log.info("app.stopped")

    async def deliver(self, heard: Heard) -> None:
        """See `bot.ports.Host`."""
        await self._inbox.deliver(heard)

    async def amend(self, heard: Heard) -> None:
        """See `bot.ports.Host`."""
        await self._inbox.amend(heard)

    async def erase(
        self,
        platform: str,
        workspace: str,
        messages: Sequence[str],
        channel: str | None = None,
    ) -> None:
        """See `bot.ports.Host`."""
        await self._inbox.erase(platform, workspace, messages, channel)

    def stop(self, thread: ThreadKey) -> bool:
        """See `bot.ports.Host`."""
        return self._lanes.stop(thread)

    async def command(self, verb: str, thread: ThreadKey) -> str:
        """See `bot.ports.Host`."""
        return await self._verbs.run(verb, thread)

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """See `bot.ports.Host`."""
        return await self._store.threads(platform, channel)

    async def newest(self, platform: str, since: float) -> list[tuple[ThreadKey, str]]:
        """See `bot.ports.Host`."""
        return await self._store.newest(platform, since)

    async def transcript(self, thread: ThreadKey) -> list[tuple[str, str]]:
        """See `bot.ports.Host`."""
        return await self._store.transcript(thread)

    async def _take_up(self) -> None:
        """Go on with what an earlier process left, before hearing anything new."""
        threads = await self._store.open_threads()
        if threads:
            log.info("app.resuming threads=%d", len(threads))
        for thread in threads:
            self._lanes.put(thread)

    async def _drain(self, thread: ThreadKey, stop: asyncio.Event) -> ThreadKey | None:
        if thread.platform in self._refusals:
            # Its turns are durable, and each further try would be one more refusal.
            return None
        try:
            return await self._responder.drain(thread, stop)
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
