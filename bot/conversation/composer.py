"""Composes what Claude is asked for a turn.

Rule: it is made durable before it is asked, so that it is the same in every attempt.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial

from bot.context import prompt
from bot.conversation.admission import Admission, AdmittedTurn
from bot.domain.completion import Request
from bot.domain.turn import Turn, TurnMessage
from bot.errors import DeliveryError
from bot.ports.platform import Adapter
from bot.ports.store import Store
from bot.runtime.offload import offload
from bot.runtime.retry import retry_until_success

log = logging.getLogger(__name__)


class Composer:
    """Reads a thread and makes a request of it."""

    def __init__(
        self,
        store: Store,
        adapters: Mapping[str, Adapter],
        steward: Admission,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._steward = steward
        self._now = now

    async def compose(
        self, turn: Turn, spoken: list[TurnMessage], errand: AdmittedTurn
    ) -> Request | None:
        """What Claude is asked, made durable before it is asked.

        None when people have deleted all of it.
        """
        adapter = self._adapters[turn.thread.platform]
        spoken = await self._catch_up(turn, spoken)
        fresh = [each.heard for each in spoken if each.content is None]
        names = await adapter.readable(fresh)
        size = sum(len(text) for _, text in names)
        contents = await offload(partial(prompt.labels, fresh, names), size)
        preface = prompt.preface(self._now())
        await retry_until_success(lambda: self._store.freeze(turn, preface, contents))
        messages = tuple(await self._store.conversation(turn.thread))
        if not spoken or not messages or messages[-1].role != "user":
            return None
        request = await self._steward.compose(turn, errand)
        return replace(request, messages=messages)

    async def _catch_up(
        self, turn: Turn, spoken: list[TurnMessage]
    ) -> list[TurnMessage]:
        """Read, once, what was said in the thread before we were called."""
        if not await self._store.unread(turn.thread):
            return spoken
        history = self._adapters[turn.thread.platform].history
        earlier = []
        try:
            if history is not None:
                first = spoken[0].heard.message
                earlier = await history.before(turn.thread, first)
        except DeliveryError as error:
            # Answer from what we have; the next turn tries again.
            log.warning("thread.unread thread=%s %s", turn.thread, error)
            return spoken
        kept = prompt.newest(earlier)
        log.info(
            "thread.read thread=%s messages=%d left=%d",
            turn.thread,
            len(kept),
            len(earlier) - len(kept),
        )
        return await retry_until_success(lambda: self._store.backfill(turn, kept))
