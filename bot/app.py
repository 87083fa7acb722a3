"""Puts the parts together and keeps them running until told to stop."""

import asyncio
import logging
from collections.abc import Sequence

from bot.inbox import Inbox
from bot.lanes import Lanes
from bot.ports import Adapter, Model, Store
from bot.responder import Asking, Responder
from bot.values import Heard, ThreadKey, ThreadSummary

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
        self._adapters = adapters
        self._grace = grace
        self._responder = Responder(
            store=store,
            model=model,
            adapters={adapter.name: adapter for adapter in adapters},
            asking=asking,
        )

    async def run(self, stopping: asyncio.Event) -> None:
        """Listen and answer until `stopping` is set or nobody listens any more.

        Raises an ExceptionGroup of ConfigError when a platform turns us away.
        """
        async with asyncio.TaskGroup() as tasks:
            self._lanes = Lanes(tasks, self._responder.drain)
            self._inbox = Inbox(self._store, self._lanes)
            await self._take_up()
            listening = tasks.create_task(self._listen())
            told = tasks.create_task(stopping.wait())
            await asyncio.wait({listening, told}, return_when=asyncio.FIRST_COMPLETED)
            # The order matters: hear nothing new, then finish what was heard.
            listening.cancel()
            told.cancel()
            await asyncio.wait({listening, told})
            await self._lanes.close(self._grace)
        log.info("app.stopped")

    async def deliver(self, heard: Heard) -> None:
        """See `bot.ports.Host`."""
        await self._inbox.deliver(heard)

    def stop(self, thread: ThreadKey) -> bool:
        """See `bot.ports.Host`."""
        return self._lanes.stop(thread)

    async def threads(self, platform: str, channel: str) -> list[ThreadSummary]:
        """See `bot.ports.Host`."""
        return await self._store.threads(platform, channel)

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

    async def _listen(self) -> None:
        async with asyncio.TaskGroup() as listeners:
            for adapter in self._adapters:
                listeners.create_task(adapter.run(self), name=adapter.name)
