"""Composes what Claude is asked for a turn.

Rule: it is made durable before it is asked, so that it is the same in every attempt.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from bot import context
from bot.errors import DeliveryError
from bot.offload import offload
from bot.patience import insist
from bot.ports import Adapter
from bot.steward import Errand, Steward
from bot.stores import Store
from bot.values import Request, Spoken, Turn

log = logging.getLogger(__name__)


class Composer:
    """Reads a thread and makes a request of it."""

    def __init__(
        self,
        store: Store,
        adapters: Mapping[str, Adapter],
        steward: Steward,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._steward = steward
        self._now = now

    async def compose(
        self, turn: Turn, spoken: list[Spoken], errand: Errand
    ) -> Request | None:
        """What Claude is asked, made durable before it is asked.

        None when people have deleted all of it.
        """
        adapter = self._adapters[turn.thread.platform]
        spoken = await self._catch_up(turn, spoken)
        fresh = [each.heard for each in spoken if each.content is None]
        names = await adapter.readable(fresh)
        size = sum(len(text) for _, text in names)
        contents = await offload(partial(context.labels, fresh, names), size)
        preface = context.preface(self._now())
        await insist(lambda: self._store.freeze(turn, preface, contents))
        messages = tuple(await self._store.conversation(turn.thread))
        if not spoken or not messages or messages[-1].role != "user":
            return None
        request = await self._steward.compose(turn, errand)
        return replace(request, messages=messages)

    async def _catch_up(self, turn: Turn, spoken: list[Spoken]) -> list[Spoken]:
        """Read, once, what was said in the thread before we were called."""
        if not await self._store.unread(turn.thread):
            return spoken
        adapter = self._adapters[turn.thread.platform]
        try:
            history = await adapter.history(turn.thread, spoken[0].heard.message)
        except DeliveryError as error:
            # Answer from what we have; the next turn tries again.
            log.warning("thread.unread thread=%s %s", turn.thread, error)
            return spoken
        kept = context.newest(history)
        log.info(
            "thread.read thread=%s messages=%d left=%d",
            turn.thread,
            len(kept),
            len(history) - len(kept),
        )
        return await insist(lambda: self._store.backfill(turn, kept))
