"""Composes the request for a turn.

Rule: the text that Claude reads is stored before Claude is asked, so that every attempt
at a turn sends the same request.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from bot.claude import catalog
from bot.claude.catalog import ModelAvailability
from bot.context import cache_lifetime, file_limits, long_threads, prompt
from bot.conversation import model_files
from bot.conversation.file_prices import FilePrices, PricedFile, Pricing
from bot.conversation.file_reader import FileReader
from bot.conversation.summariser import Summariser
from bot.domain.attachment import StoredFile
from bot.domain.completion import (
    BYTES_PER_TOKEN,
    CacheTtl,
    ChatMessage,
    Request,
    RequestFile,
)
from bot.domain.mcp import RequestServer
from bot.domain.message import EarlierMessages
from bot.domain.scope import ThreadKey
from bot.domain.setting import Version
from bot.domain.thread_state import ThreadState
from bot.domain.turn import Turn, TurnMessage
from bot.errors import DeliveryError, Unread
from bot.ports.files import FileStore
from bot.ports.platform import Adapter
from bot.ports.store import PromptStore
from bot.runtime.lru import LruDict
from bot.runtime.offload import offload
from bot.settings.access import SettingsAccess
from bot.settings.effective import FILTERING, EffectiveSettings

log = logging.getLogger(__name__)

# The most web searches for one answer. A search costs a cent and lengthens the prompt,
# all of which Claude reads again (`bot.claude.cost`).
SEARCHES = 5

# The most pages that are fetched for one answer: enough for the links in a question.
# Each page adds up to `PAGE_TOKENS` to the prompt, all of which is read again.
FETCHES = 3

# The context window of a model that the catalog does not know, in tokens: the smallest
# in the catalog (Claude facts, section 2).
CONTEXT = 200_000

# The most threads whose halved sizes are remembered.
MOST_HALVED = 1_000


# How often a request is retried, each time without a refused file. A refusal costs
# nothing, but a person waits. The last retry has no files.
MOST_REFUSALS = 4


@dataclass(frozen=True, slots=True)
class ComposedRequest:
    """A request, and the parts of the thread that it leaves out."""

    request: Request
    #: About how many messages the request leaves out; None for an unknown number.
    missing: int | None
    #: About how many messages were left out when the thread was read; None if unknown.
    unread: int | None
    #: How many messages the summary covers, if no earlier request used it; else 0.
    summarised: int = 0
    #: The unshown files of the turn's messages, by name, except `dear`.
    skipped: Mapping[str, Unread] = field(default_factory=dict)
    #: The files whose price people still have to decide about.
    dear: tuple[PricedFile, ...] = ()
    #: The files that each retry left out, by digest, with the reason; and the digests
    #: of the files that Claude named as refused.
    left_out: tuple[Mapping[str, Unread], ...] = ()
    named: frozenset[str] = frozenset()

    @property
    def unshown(self) -> Mapping[str, Unread]:
        """The files of the turn's messages that the request does not show, by name."""
        return {
            **self.skipped,
            **{each.file.name: Unread.WAITING for each in self.dear},
        }


class Composer:
    """Builds the request for a turn from its thread and the settings."""

    def __init__(
        self,
        store: PromptStore,
        contents: FileStore,
        adapters: Mapping[str, Adapter],
        settings: SettingsAccess,
        files: FileReader,
        prices: FilePrices,
        summariser: Summariser,
        survey: Callable[[], ModelAvailability | None],
        secret: str,
        now: Callable[[], float],
    ) -> None:
        self._store = store
        self._adapters = adapters
        self._settings = settings
        self._contents = contents
        self._files = files
        self._prices = prices
        self._summariser = summariser
        self._survey = survey
        self._secret = secret
        self._now = now
        #: How often the size that fits was halved, by thread, because Claude counted
        #: more tokens than estimated. After a restart, the same refusals lead to the
        #: same cuts.
        self._halvings: LruDict[ThreadKey, int] = LruDict(MOST_HALVED)

    async def compose(
        self,
        turn: Turn,
        messages: Sequence[TurnMessage],
        asker: str,
        settings: EffectiveSettings,
        state: ThreadState,
        servers: tuple[RequestServer, ...] = (),
        pinned: Mapping[str, str] | None = None,
    ) -> ComposedRequest | None:
        """Store what Claude reads for `messages`, and return the request for it. The
        answer begins from `state`, and Claude may use the MCP servers `servers`. If
        `pinned` is not None, these settings are stored, too, and the thread keeps them.
        Return None if people have deleted everything that was to be answered."""
        ttl = await self._lifetime(turn, settings, state)
        pricing = Pricing(settings["model"], ttl, settings.file_price, self._now())
        read = await self._conversation(
            turn, messages, settings, state, pricing, pinned
        )
        conversation, unread = read.conversation, read.unread
        if not conversation or conversation[-1].role != "user":
            return None
        fitted, missing = await self._fit(turn, conversation, unread, settings)
        version = await self._settings.prompt(settings, read.version)
        request = Request(
            model=settings["model"],
            system=prompt.system_prompt(
                version.text or "", settings.request, has_tools=bool(servers)
            ),
            messages=fitted,
            max_tokens=settings.max_tokens,
            user=prompt.opaque(asker, turn.thread.workspace, self._secret),
            effort=settings.used("effort") or None,
            temperature=settings.temperature,
            stop_sequences=settings.stop_sequences,
            searches=SEARCHES if settings.on("web_search") else 0,
            fetches=FETCHES if settings.on("web_fetch") else 0,
            hosts=settings.hosts,
            filters=settings.web_tools == FILTERING,
            servers=servers,
            cache_ttl=ttl or "1h",
            cache_messages=ttl is not None,
            load=self._contents.file_data,
        )
        own = {each.message.message for each in messages if not each.message.echo}
        skipped: dict[str, Unread] = {
            file.name: file.unread
            for message, files in read.files.items()
            for file in files
            if message in own and file.unread and file.unread is not Unread.WAITING
        }
        named = {file.name for each in messages for file in each.message.files}
        skipped |= {n: why for n, why in _omitted_files(request).items() if n in named}
        missed = (missing, unread, read.summarised)
        return ComposedRequest(request, *missed, skipped, read.dear)

    async def _lifetime(
        self, turn: Turn, settings: EffectiveSettings, state: ThreadState
    ) -> CacheTtl | None:
        """Return how long the prompt cache should keep the thread; None for not at
        all."""
        if await self._summariser.wakes(turn, settings, self._now(), state):
            return None
        return cache_lifetime.lifetime(state.asked_at)

    async def shorten(
        self, turn: Turn, composed: ComposedRequest, settings: EffectiveSettings
    ) -> ComposedRequest | None:
        """Return `composed`, refused as too long, with less of the conversation. Later
        requests of the thread leave out the same. Return None after too many attempts,
        or if there is nothing to leave out. No new reservation is needed: the shorter
        request costs no more, and a refused request costs nothing."""
        request, unread = composed.request, composed.unread
        conversation = await self._store.conversation(turn.thread)
        halvings = self._halvings.get(turn.thread, 0)
        while halvings < long_threads.MOST_HALVINGS:
            self._halvings[turn.thread] = halvings = halvings + 1
            fitted, missing = await self._fit(turn, conversation, unread, settings)
            gone = {d: why for step in composed.left_out for d, why in step.items()}
            fitted = tuple(file_limits.without(fitted, gone))
            if fitted != request.messages:
                shorter = replace(request, messages=fitted)
                skipped = {**composed.skipped, **_omitted_files(shorter)}
                return replace(
                    composed, request=shorter, missing=missing, skipped=skipped
                )
        # A proxy may accept less than the API, so that one file is too large for it.
        # The file is not marked as refused, because another proxy may accept it.
        shown = _shown_files(request)
        largest = max(shown, key=lambda file: file.size, default=None)
        return self._without(composed, largest, Unread.TOO_LARGE) if largest else None

    def without_refused(
        self, composed: ComposedRequest, digest: str
    ) -> ComposedRequest | None:
        """Return `composed`, refused because of a file, without that file. The file is
        the one with this `digest`, or else the newest. Return None if there is no file,
        or after too many attempts. No new reservation is needed, as in `shorten`."""
        shown = _shown_files(composed.request)
        culprit = next((each for each in shown if each.digest == digest), None)
        if culprit is not None:
            named = composed.named | {digest}
            composed = replace(composed, named=named)
            return self._without(composed, culprit, Unread.REFUSED)
        return self._without(composed, shown[-1], Unread.REFUSED) if shown else None

    def _without(
        self, composed: ComposedRequest, file: RequestFile, why: Unread
    ) -> ComposedRequest | None:
        """Return `composed` without `file`, or without any file after many refusals."""
        shown = _shown_files(composed.request)
        if not shown:
            return None
        gone = {file.digest: why}
        if len(composed.left_out) + 1 >= MOST_REFUSALS:
            gone = {each.digest: why for each in shown}
        messages = tuple(file_limits.without(composed.request.messages, gone))
        skipped = {f.name: why for f in shown if f.digest in gone}
        return replace(
            composed,
            request=replace(composed.request, messages=messages),
            skipped={**composed.skipped, **skipped},
            left_out=(*composed.left_out, gone),
        )

    async def remember(self, composed: ComposedRequest, *, answered: bool) -> None:
        """Store which files Claude refused, so that no later request includes them.
        These are the files that Claude named and, if the last request was `answered`,
        the files that it left out."""
        digests = composed.named
        if answered and composed.left_out:
            last = composed.left_out[-1].items()
            digests |= {each for each, why in last if why is Unread.REFUSED}
        if digests:
            log.info("file.refused count=%d", len(digests))
            await self._contents.refuse_files(digests)

    async def _fit(
        self,
        turn: Turn,
        conversation: Sequence[ChatMessage],
        unread: int | None,
        settings: EffectiveSettings,
    ) -> tuple[tuple[ChatMessage, ...], int | None]:
        """Return the part of `conversation` that fits into the model's window. Also
        return about how many messages are missing in all, including the `unread`
        messages that were missing before; None if unknown."""
        most = _room(settings)
        halvings = self._halvings.get(turn.thread, 0)
        most >>= halvings
        survey = self._survey()
        limits = model_files.limits(settings["model"], survey, _tokens(most))
        limits = replace(limits, size=limits.size >> halvings)
        conversation = file_limits.limit_files(conversation, limits)
        fitted, left_out = long_threads.fit(conversation, most)
        if left_out:
            log.info("thread.cut thread=%s left=%d", turn.thread, left_out)
        return tuple(fitted), None if unread is None else unread + left_out

    async def _conversation(
        self,
        turn: Turn,
        messages: Sequence[TurnMessage],
        settings: EffectiveSettings,
        state: ThreadState,
        pricing: Pricing,
        pinned: Mapping[str, str] | None,
    ) -> "_ReadThread":
        """Return the content of the thread for Claude."""
        adapter = self._adapters[turn.thread.platform]
        earlier = EarlierMessages(())
        if state.needs_backfill:
            messages, earlier = await self._backfill(turn, messages)
        new = [each.message for each in messages if each.content is None]
        most = _tokens(_room(settings))
        accepted = model_files.accepted_files(settings["model"], most)
        files = await self._files.read(
            turn.thread,
            [each.message for each in messages],
            accepted,
            pricing.is_dear,
        )
        dear: Sequence[PricedFile] = ()
        if any(f.unread is Unread.WAITING for each in files.values() for f in each):
            dear = await self._prices.waiting(turn.thread, files.keys(), pricing)
            files = await self._contents.stored_files(turn.thread, files.keys())
        names = await adapter.readable(new)
        size = sum(len(text) for _, text in names)
        contents = await offload(partial(prompt.labels, new, names, files), size)
        notes = long_threads.notes(earlier, new[-1] if new else None)
        for message in notes.keys() & contents.keys():
            contents[message] = f"{notes[message]}\n{contents[message]}"
        told = prompt.preface(self._now()), contents
        read = await self._store.store_prompt(
            turn, *told, int(settings["prompt"]), pinned
        )
        stored = [each.content for each in messages if each.content is not None]
        # After a restart, `earlier` is empty, but the stored text says how many are
        # missing.
        missing = earlier.missing or long_threads.count_noted(stored)
        if earlier.missing is None:
            missing = None
        conversation = read.conversation if messages else []
        told_of = (missing, files, tuple(dear))
        return _ReadThread(conversation, *told_of, read.summarised, read.version)

    async def _backfill(
        self, turn: Turn, messages: Sequence[TurnMessage]
    ) -> tuple[Sequence[TurnMessage], EarlierMessages]:
        """Store the messages that were sent before the bot was called, once per thread.
        Return the messages of the turn, and the stored earlier messages."""
        earlier = EarlierMessages(())
        history = self._adapters[turn.thread.platform].history
        try:
            if history is not None:
                # The last message, not the first: a restart may have come after history
                # was stored.
                last = messages[-1].message.message
                earlier = await history.before(turn.thread, last)
        except DeliveryError as error:
            # Answer without the history. The next turn tries again.
            log.warning("thread.unread thread=%s %s", turn.thread, error)
            return messages, earlier
        kept = long_threads.keep_ends(earlier)
        log.info(
            "thread.read thread=%s messages=%d left=%s",
            turn.thread,
            len(kept.messages),
            "unknown" if kept.missing is None else kept.missing,
        )
        return await self._store.backfill(turn, kept.messages), kept


@dataclass(frozen=True, slots=True)
class _ReadThread:
    """The content of a thread, as Claude reads it."""

    conversation: list[ChatMessage]
    #: About how many messages were left out when the thread was read for this turn.
    unread: int | None
    #: The stored files of the turn's messages, by message.
    files: Mapping[str, Sequence[StoredFile]]
    #: The files among them whose price people still have to decide about.
    dear: tuple[PricedFile, ...]
    #: How many messages the summary covers, if no earlier turn used it; else 0.
    summarised: int
    #: The version of the system prompt; None if it was not read.
    version: Version | None


def _shown_files(request: Request) -> list[RequestFile]:
    """Return the files that `request` shows, the newest last."""
    files = [file for each in request.messages for file in each.files]
    return [file for file in files if file.unread is None]


def _omitted_files(request: Request) -> dict[str, Unread]:
    """Return the files of the last message that are not shown, by name. Files that wait
    for a decision are not included."""
    files = request.messages[-1].files
    return {
        file.name: file.unread
        for file in files
        if file.unread and file.unread is not Unread.WAITING
    }


def _room(settings: EffectiveSettings) -> int:
    """Return how many bytes of a conversation fit into the window of the model."""
    facts = catalog.find(settings["model"])
    return long_threads.room(facts.context if facts else CONTEXT, settings.max_tokens)


def _tokens(size: int) -> int:
    """Return the number of tokens in `size` bytes of a conversation."""
    return int(size / BYTES_PER_TOKEN)
