"""Composes the request for a turn.

Rule: what Claude reads is stored before Claude is asked, so that every attempt at a
turn sends the same.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial

from bot.context import prompt
from bot.domain.completion import ChatMessage, Request
from bot.domain.turn import Turn, TurnMessage
from bot.errors import DeliveryError
from bot.ports.platform import Adapter
from bot.ports.store import PromptStore
from bot.runtime.offload import offload
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings

log = logging.getLogger(__name__)

# How often Claude may search the web for one answer. A search costs a cent, adds its
# results to the prompt and has all of it read again (`bot.claude.cost`).
SEARCHES = 5


class Composer:
    """Builds the request for a turn from its thread and the settings."""

    def __init__(
        self,
        store: PromptStore,
        adapters: Mapping[str, Adapter],
        settings: SettingsAccess,
        secret: str,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._settings = settings
        self._secret = secret
        self._now = now

    async def compose(
        self,
        turn: Turn,
        messages: Sequence[TurnMessage],
        asker: str,
        settings: EffectiveSettings,
    ) -> Request | None:
        """Store what Claude reads for `messages`, and return the request; None if
        people have deleted all that was to be answered."""
        conversation = await self._conversation(turn, messages)
        if not conversation or conversation[-1].role != "user":
            return None
        version = await self._settings.prompt(settings)
        return Request(
            model=settings["model"],
            system=prompt.system_prompt(version.text or ""),
            messages=tuple(conversation),
            max_tokens=settings.max_tokens,
            user=prompt.opaque(asker, turn.thread.workspace, self._secret),
            effort=settings.used("effort") or None,
            temperature=settings.temperature,
            stop_sequences=settings.stop_sequences,
            searches=SEARCHES if settings.on("web_search") else 0,
        )

    async def _conversation(
        self, turn: Turn, messages: Sequence[TurnMessage]
    ) -> list[ChatMessage]:
        adapter = self._adapters[turn.thread.platform]
        messages = await self._backfilled(turn, messages)
        new = [each.heard for each in messages if each.content is None]
        names = await adapter.readable(new)
        size = sum(len(text) for _, text in names)
        contents = await offload(partial(prompt.labels, new, names), size)
        await self._store.store_prompt(turn, prompt.preface(self._now()), contents)
        conversation = await self._store.conversation(turn.thread)
        return conversation if messages else []

    async def _backfilled(
        self, turn: Turn, messages: Sequence[TurnMessage]
    ) -> Sequence[TurnMessage]:
        """Add, once in a thread, what was said in it before the bot was called."""
        if not await self._store.needs_backfill(turn.thread):
            return messages
        history = self._adapters[turn.thread.platform].history
        earlier = []
        try:
            if history is not None:
                first = messages[0].heard.message
                earlier = await history.before(turn.thread, first)
        except DeliveryError as error:
            # Answer without it; the next turn tries again.
            log.warning("thread.unread thread=%s %s", turn.thread, error)
            return messages
        kept = prompt.newest(earlier)
        log.info(
            "thread.read thread=%s messages=%d left=%d",
            turn.thread,
            len(kept),
            len(earlier) - len(kept),
        )
        return await self._store.backfill(turn, kept)
