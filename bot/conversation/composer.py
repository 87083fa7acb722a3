"""Composes the request for a turn.

Rule: what Claude reads is stored before Claude is asked, so that every attempt at a
turn sends the same.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.claude import catalog
from bot.context import cache_lifetime, long_threads, prompt
from bot.domain.completion import ChatMessage, Request
from bot.domain.message import EarlierMessages
from bot.domain.scope import ThreadKey
from bot.domain.turn import Turn, TurnMessage
from bot.errors import DeliveryError
from bot.ports.platform import Adapter
from bot.ports.store import PromptStore
from bot.runtime.lru import LruDict
from bot.runtime.offload import offload
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings

log = logging.getLogger(__name__)

# The most web searches for one answer. A search costs a cent, adds its
# results to the prompt and has all of it read again (`bot.claude.cost`).
SEARCHES = 5

# The context window of a model that the catalog does not know, in tokens: the smallest
# of all that it knows (Claude facts, section 2).
CONTEXT = 200_000

# For how many threads it is remembered that less fits than estimated.
MOST_HALVED = 1_000


@dataclass(frozen=True, slots=True)
class ComposedRequest:
    """A request, and what it leaves out of the thread."""

    request: Request
    #: About how many messages it leaves out; None for an unknown number.
    missing: int | None
    #: The same for those that were left out when the thread was read.
    unread: int | None
    #: How many messages the summary covers that it is the first to use; 0 for none.
    summarised: int = 0


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
        #: Halvings of the size that fits, by thread, because Claude counted more
        #: tokens. After a restart, the same refusals lead to the same cuts.
        self._halvings: LruDict[ThreadKey, int] = LruDict(MOST_HALVED)

    async def compose(
        self,
        turn: Turn,
        messages: Sequence[TurnMessage],
        asker: str,
        settings: EffectiveSettings,
    ) -> ComposedRequest | None:
        """Store what Claude reads for `messages`, and return the request; None if
        people have deleted all that was to be answered."""
        conversation, unread = await self._conversation(turn, messages)
        if not conversation or conversation[-1].role != "user":
            return None
        fitted, missing = self._fitted(turn, conversation, unread, settings)
        version = await self._settings.prompt(settings)
        times = await self._store.question_times(turn.thread, cache_lifetime.QUESTIONS)
        ttl = cache_lifetime.lifetime(times)
        request = Request(
            model=settings["model"],
            system=prompt.system_prompt(version.text or ""),
            messages=fitted,
            max_tokens=settings.max_tokens,
            user=prompt.opaque(asker, turn.thread.workspace, self._secret),
            effort=settings.used("effort") or None,
            temperature=settings.temperature,
            stop_sequences=settings.stop_sequences,
            searches=SEARCHES if settings.on("web_search") else 0,
            cache_ttl=ttl or "1h",
            cache_messages=ttl is not None,
        )
        summarised = await self._store.summarised(turn)
        return ComposedRequest(request, missing, unread, summarised)

    async def shorten(
        self, turn: Turn, composed: ComposedRequest, settings: EffectiveSettings
    ) -> ComposedRequest | None:
        """Return `composed`, which Claude has refused as too long, with less of the
        conversation, as later requests of the thread then have it; None if that was
        done too often, or leaves nothing out. Needs no new reservation: it costs no
        more, and what was refused costs nothing."""
        request, unread = composed.request, composed.unread
        conversation = await self._store.conversation(turn.thread)
        halvings = self._halvings.get(turn.thread, 0)
        while halvings < long_threads.MOST_HALVINGS:
            self._halvings[turn.thread] = halvings = halvings + 1
            fitted, missing = self._fitted(turn, conversation, unread, settings)
            if fitted != request.messages:
                shorter = replace(request, messages=fitted)
                return replace(composed, request=shorter, missing=missing)
        return None

    def _fitted(
        self,
        turn: Turn,
        conversation: Sequence[ChatMessage],
        unread: int | None,
        settings: EffectiveSettings,
    ) -> tuple[tuple[ChatMessage, ...], int | None]:
        """Return what fits into the model's window of `conversation`, and about how
        many messages are missing in all, with `unread` that were missing before."""
        facts = catalog.find(settings["model"])
        context = facts.context if facts else CONTEXT
        most = long_threads.room(context, settings.max_tokens)
        most >>= self._halvings.get(turn.thread, 0)
        fitted, left_out = long_threads.fitted(conversation, most)
        if left_out:
            log.info("thread.cut thread=%s left=%d", turn.thread, left_out)
        return tuple(fitted), None if unread is None else unread + left_out

    async def _conversation(
        self, turn: Turn, messages: Sequence[TurnMessage]
    ) -> tuple[list[ChatMessage], int | None]:
        """Return what Claude reads of the thread, and about how many messages of it
        were left out when it was read for this turn."""
        adapter = self._adapters[turn.thread.platform]
        messages, earlier = await self._backfilled(turn, messages)
        new = [each.message for each in messages if each.content is None]
        names = await adapter.readable(new)
        size = sum(len(text) for _, text in names)
        contents = await offload(partial(prompt.labels, new, names), size)
        notes = long_threads.notes(earlier, new[-1] if new else None)
        for message in notes.keys() & contents.keys():
            contents[message] = f"{notes[message]}\n{contents[message]}"
        await self._store.store_prompt(turn, prompt.preface(self._now()), contents)
        conversation = await self._store.conversation(turn.thread)
        stored = [each.content for each in messages if each.content is not None]
        # A restart may have come after the thread was read.
        missing = earlier.missing or long_threads.noted(stored)
        if earlier.missing is None:
            missing = None
        return (conversation if messages else []), missing

    async def _backfilled(
        self, turn: Turn, messages: Sequence[TurnMessage]
    ) -> tuple[Sequence[TurnMessage], EarlierMessages]:
        """Add, once in a thread, what was said in it before the bot was called; return
        the messages of the turn, and what was added."""
        earlier = EarlierMessages(())
        if not await self._store.needs_backfill(turn.thread):
            return messages, earlier
        history = self._adapters[turn.thread.platform].history
        try:
            if history is not None:
                # Not the first: a restart may have come after history was stored.
                last = messages[-1].message.message
                earlier = await history.before(turn.thread, last)
        except DeliveryError as error:
            # Answer without it; the next turn tries again.
            log.warning("thread.unread thread=%s %s", turn.thread, error)
            return messages, earlier
        kept = long_threads.kept(earlier)
        log.info(
            "thread.read thread=%s messages=%d left=%s",
            turn.thread,
            len(kept.messages),
            "unknown" if kept.missing is None else kept.missing,
        )
        return await self._store.backfill(turn, kept.messages), kept
