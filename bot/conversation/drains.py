"""The part of a process that other processes wake (`bot.ports.wakeups.Answerer`).

Rule: a thread is drained in a task of its own, which ends by giving up the thread. A
caller that waits for the task may stop waiting: the task goes on.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial

from bot.conversation.dispatcher import ThreadDispatcher
from bot.domain.scope import Scope, ThreadKey
from bot.ports.processes import OwnedThreads
from bot.runtime.background import Background
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)


class Drains:
    """Drains threads with `dispatcher`, and classifies cases with `sort`.

    `sort` takes a case and its channel, and returns whether there was room for the
    case.
    """

    def __init__(
        self,
        owned: OwnedThreads,
        dispatcher: ThreadDispatcher,
        sort: Callable[[int, Scope], Awaitable[bool]],
        tasks: Background,
    ) -> None:
        self._owned = owned
        self._dispatcher = dispatcher
        self._sort = sort
        self._tasks = tasks
        self._draining: dict[ThreadKey, asyncio.Task[None]] = {}
        #: The threads that this process owns, including threads that a turn moved to.
        self._here: set[ThreadKey] = set()

    async def drain(self, thread: ThreadKey) -> bool:
        # An earlier drain of the thread may still run after its job was lost.
        while before := self._draining.get(thread):
            await asyncio.wait({before})
        if not self._dispatcher.may_take(thread):
            return False
        task = self._tasks.start("drain", self._drain(thread))
        self._draining[thread] = task

        def ended(_: asyncio.Task[None]) -> None:
            self._draining.pop(thread, None)

        task.add_done_callback(ended)
        await asyncio.wait({task})
        return True

    async def _drain(self, thread: ThreadKey) -> None:
        onward: ThreadKey | None = thread
        while onward is not None:
            current = onward
            self._here.add(current)
            try:
                onward = await self._dispatcher.drain(current)
                await self._leave(current)
            finally:
                self._here.discard(current)

    def release(self, threads: Sequence[ThreadKey]) -> None:
        for thread in threads:
            if thread not in self._draining and thread not in self._here:
                log.warning("thread.released thread=%s", thread)
                self._tasks.start("release", self._leave(thread))

    async def _leave(self, thread: ThreadKey) -> None:
        await retry_until_success(partial(self._owned.leave_thread, thread))

    async def sort(self, case: int, channel: Scope) -> bool:
        return await self._sort(case, channel)

    def stop(self, turn: str) -> None:
        self._dispatcher.stop_turn(turn)

    def withdraw(self, turn: str) -> None:
        self._dispatcher.withdraw_turn(turn)
