"""Decides whether a turn is answered, and under which settings.

A turn passes twice: `accept` checks who asks, before anything is shown; `prepare` pins
the settings of the thread, composes the request and reserves its cost.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from bot.budgets.guard import BudgetGuard
from bot.claude import model_router, one_shot
from bot.claude.catalog import ModelAvailability
from bot.context import cache_lifetime, prompt
from bot.context.long_threads import count_messages
from bot.conversation import model_tools, server_tools
from bot.conversation.composer import ComposedRequest, Composer
from bot.conversation.outcomes import (
    WITHDRAWN,
    over_budget,
    overdue,
    overlong,
    unwelcome,
)
from bot.conversation.outsiders import SharedChannelNotices
from bot.conversation.server_tools import NO_TOOLS, ThreadTools
from bot.domain.answer_options import AnswerOptions, merge
from bot.domain.budget import BudgetExceeded, Charge
from bot.domain.completion import Request
from bot.domain.message import Message, Origin
from bot.domain.person import EVERYONE, Person
from bot.domain.retention import DAY
from bot.domain.scope import Scope
from bot.domain.thread_state import ThreadState
from bot.domain.turn import Outcome, Turn, TurnMessage
from bot.errors import DeliveryError, FileRefused, ModelUnpaid, PromptTooLong
from bot.mcp_listings import McpListings
from bot.messages import answers, phrases
from bot.messages.answers import NOT_ADMITTED, UNWELCOME
from bot.ports.model import Model
from bot.ports.platform import Adapter
from bot.ports.store import AdmissionStore
from bot.settings import long_threads, requested, shared_channels
from bot.settings.access import SettingsAccess
from bot.settings.effective import (
    MCP_TOOLS,
    ROUTE,
    WEB_TOOLS,
    EffectiveSettings,
    resolve,
)
from bot.settings.options import BY_NAME, OPTIONS
from bot.settings.parsers import AUTO

log = logging.getLogger(__name__)

# A question that waited longer than this, in seconds, is not answered, because the
# conversation has moved on. Its workspace may have removed the app in the meantime.
OVERDUE = DAY

# Timeout for choosing a model, in seconds: the thread waits for it.
ROUTING = 10.0


@dataclass(frozen=True, slots=True)
class AdmittedTurn:
    """A turn that may be answered."""

    settings: EffectiveSettings
    #: The state of the thread from which `settings` were resolved.
    state: ThreadState
    #: The platform's id of the person who asked.
    asker: str


@dataclass(frozen=True, slots=True)
class PreparedTurn:
    """A turn whose request is stored and paid for."""

    #: Includes the settings that the thread has pinned.
    settings: EffectiveSettings
    composed: ComposedRequest
    #: The line that names the pinned settings that changed since the thread's last
    #: answer; "" if none changed.
    news: str
    tools: ThreadTools = NO_TOOLS

    @property
    def request(self) -> Request:
        """The request to the model."""
        return self.composed.request

    @property
    def missing(self) -> int | None:
        """About how many messages of the thread the request leaves out; None if
        unknown."""
        return self.composed.missing

    @property
    def sent(self) -> tuple[int, int] | None:
        """The number of messages and of answers in the request; None if it is
        complete."""
        return None if self.missing == 0 else count_messages(self.request.messages)


class Admission:
    """Checks rights, settings and budgets before a turn is answered."""

    def __init__(
        self,
        store: AdmissionStore,
        model: Model,
        adapters: Mapping[str, Adapter],
        settings: SettingsAccess,
        guard: BudgetGuard,
        composer: Composer,
        listings: McpListings,
        survey: Callable[[], ModelAvailability | None],
        secret: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._model = model
        self._adapters = adapters
        self._settings = settings
        self._guard = guard
        self._composer = composer
        self._listings = listings
        self._survey = survey
        self._secret = secret
        self._now = now
        self._outsiders = SharedChannelNotices(store, adapters, now)

    async def state(self, turn: Turn) -> ThreadState:
        """Return the state of the thread from which the answer to `turn` begins."""
        return await self._store.thread_state(turn.thread, cache_lifetime.QUESTIONS)

    async def accept(
        self, turn: Turn, messages: Sequence[TurnMessage], state: ThreadState
    ) -> AdmittedTurn | Outcome:
        """Return the admitted turn, or its outcome if it is not to be answered. A turn
        is not answered if nobody who may ask has asked, or if the question is too old.
        `messages` are the messages to answer, `state` is the state of their thread."""
        if _is_overdue(turn, messages, self._now()):
            return overdue()
        place, defaults = Scope.of(turn.thread), await self._settings.defaults()
        settings = resolve(place, state.settings, defaults)
        asker = await self._asker(turn, messages, settings)
        if isinstance(asker, Outcome):
            return asker
        return AdmittedTurn(settings, state, asker)

    async def prepare(
        self, turn: Turn, messages: Sequence[TurnMessage], admitted: AdmittedTurn
    ) -> PreparedTurn | Outcome:
        """Return the request for `turn` with its cost reserved, or the turn's outcome.
        Calls a model if the setting `auto` leaves the choice of the model to it."""
        options = merge(each.message.options for each in messages)
        today = datetime.fromtimestamp(self._now(), UTC).date()
        options = requested.possible(admitted.settings, options, today)
        tools = self._tools(messages, admitted)
        settings, news, pinned = await self._pin_tools(
            turn, messages, admitted, options, tools.kept
        )
        if options:
            settings = self._apply_request(settings, options, admitted.asker, today)
        state = admitted.state
        if _is_overlong(state, settings):
            await self._pin(turn, pinned)
            return overlong()
        # The pinned settings are stored with the texts; the reserve makes both durable.
        composed = await self._composer.compose(
            *(turn, messages, admitted.asker, settings, state, tools.servers, pinned)
        )
        if composed is None:
            return WITHDRAWN
        try:
            request = await self._guard.reserve(
                turn, admitted.asker, composed.request, settings.caps
            )
        except ModelUnpaid as error:
            return over_budget(error.user_text)
        if _is_shared(messages):
            notice = await self._outsiders.first_answer(turn, settings)
            news = "\n".join(filter(None, (news, notice)))
        return PreparedTurn(settings, replace(composed, request=request), news, tools)

    def _tools(
        self, messages: Sequence[TurnMessage], admitted: AdmittedTurn
    ) -> ThreadTools:
        """Return the tools of MCP servers for the thread of an admitted turn."""
        servers = self._settings.servers(admitted.settings)
        if _is_shared(messages):
            servers = server_tools.within_shared(servers, admitted.settings)
        kept = admitted.state.settings.kept.get(MCP_TOOLS, "")
        known, resting = self._listings.known, self._listings.resting
        return server_tools.choose(servers, known, kept, resting)

    async def instead(
        self, turn: Turn, prepared: PreparedTurn, refusal: PromptTooLong | FileRefused
    ) -> PreparedTurn | None:
        """Return a request to send after `prepared` was refused; None if there is
        none."""
        settings, composed = prepared.settings, prepared.composed
        if isinstance(refusal, FileRefused):
            again = self._composer.without_refused(composed, refusal.digest)
        else:
            again = await self._composer.shorten(turn, composed, settings)
        return replace(prepared, composed=again) if again else None

    async def remember(self, prepared: PreparedTurn, *, answered: bool) -> None:
        """Store which files were refused. `answered` is whether Claude answered without
        them."""
        await self._composer.remember(prepared.composed, answered=answered)

    async def _asker(
        self, turn: Turn, messages: Sequence[TurnMessage], settings: EffectiveSettings
    ) -> str | Outcome:
        """Return the last person who asked and may ask, or the outcome if there is
        none."""
        shared = _is_shared(messages)
        open_to_all = settings["who"] == EVERYONE and not shared
        if open_to_all and self._settings.admits_all(settings.place):
            return prompt.asker(messages)
        # Programs may ask only where the settings allow it. Elsewhere they are only
        # read.
        candidates = [
            message
            for message in (each.message for each in messages)
            if not message.automated or (message.addressed and settings.on("bots"))
        ]
        asked = [message for message in candidates if message.addressed]
        unsure, why = False, NOT_ADMITTED
        outsiders: list[Message] = []
        last = {message.author: message for message in asked or candidates}
        for author, message in reversed(last.items()):
            person = await self._person(turn, author)
            # A person who cannot be looked up is an outsider if the platform marked the
            # message as foreign.
            foreign = message.origin is Origin.FOREIGN
            known = person or Person(author, outsider=foreign)
            known = replace(known, shared=known.shared or shared)
            if self._settings.admits(known, settings.place):
                if self._settings.may_ask(known, settings):
                    return author
                why = UNWELCOME
                if shared_channels.turns_away(known, settings):
                    outsiders.append(message)
            unsure = unsure or person is None or person.incomplete
        for message in outsiders:
            await self._outsiders.turn_away(turn, message)
        if outsiders and len(outsiders) == len(last):
            return WITHDRAWN
        if not asked:
            # People who talk to each other need not know that they may not ask.
            return WITHDRAWN
        return unwelcome(unsure, why)

    async def _person(self, turn: Turn, user: str) -> Person | None:
        try:
            adapter = self._adapters[turn.thread.platform]
            return await adapter.directory.person(Scope.of(turn.thread), user)
        except DeliveryError as error:
            log.warning("person.unknown thread=%s %s", turn.thread, error)
            return None

    def _apply_request(
        self,
        settings: EffectiveSettings,
        options: AnswerOptions,
        asker: str,
        today: date,
    ) -> EffectiveSettings:
        """Return `settings` with the options that the request itself sets, for this
        turn."""
        found = requested.apply(settings, options, asker, today)
        if found["model"] == settings["model"]:
            return found
        values = {name: each.value for name, each in found.applied.items()}
        tools = model_tools.kind(values, {}, "", self._survey())
        return replace(found, web_tools=tools)

    async def _pin(self, turn: Turn, pinned: Mapping[str, str] | None) -> None:
        """Store the settings that the thread keeps from now on; None if they are
        stored."""
        if pinned is not None:
            await self._store.pin_settings(turn.thread, pinned)

    async def _pin_tools(
        self,
        turn: Turn,
        messages: Sequence[TurnMessage],
        admitted: AdmittedTurn,
        options: AnswerOptions,
        tools_kept: str,
    ) -> tuple[EffectiveSettings, str, Mapping[str, str] | None]:
        """Return the settings that apply, the notice of changes, and the settings to
        store. The settings that apply include the settings that the thread keeps from
        now on, among them `tools_kept`. The notice is for the thread, and "" if nothing
        changed. The settings to store are None if the store has them already."""
        settings, stored = admitted.settings, admitted.state.settings
        pinned = {o.name: settings[o.name] for o in OPTIONS if o.kept}
        if settings.route and "model" not in stored.stale:
            pinned[ROUTE] = settings.route
        # A person who names a model leaves nothing to choose. The next turn chooses.
        if pinned["model"] == AUTO and not options.model:
            route = await self._choose_model(turn, messages, admitted)
            pinned |= {"model": route.model, ROUTE: route.why}
        tools = model_tools.kind(
            pinned, stored.kept, settings.web_tools, self._survey()
        )
        if tools:
            pinned[WEB_TOOLS] = tools
        if tools_kept or MCP_TOOLS in stored.kept:
            pinned[MCP_TOOLS] = tools_kept
        if pinned == stored.kept and not stored.stale:
            return settings, "", None
        changed = [
            name
            for name in sorted(stored.stale & pinned.keys() & stored.kept.keys())
            if stored.kept[name] != pinned[name]
        ]
        stored = replace(stored, kept=pinned, stale=frozenset())
        resolved = resolve(settings.place, stored, await self._settings.defaults())
        if resolved.applied == settings.applied:
            # Both objects live while the answer streams, with a value for each option,
            # so one mapping serves both.
            resolved = replace(resolved, applied=settings.applied)
        return resolved, await self._news(resolved, changed), pinned

    async def _news(self, settings: EffectiveSettings, names: Sequence[str]) -> str:
        if not names:
            return ""
        lines = []
        for name in names:
            option = BY_NAME[name]
            if option.versioned:
                version = await self._settings.prompt(settings)
                lines.append(
                    answers.setting(
                        setting=option.label,
                        value=phrases.version(number=version.number),
                    )
                )
            elif name == "model":
                lines.append(settings[name])
            else:
                lines.append(
                    answers.setting(
                        setting=option.label, value=option.show(settings[name])
                    )
                )
        return answers.settings_changed(settings=", ".join(lines))

    async def _choose_model(
        self, turn: Turn, messages: Sequence[TurnMessage], admitted: AdmittedTurn
    ) -> model_router.Route:
        """Return the model that `auto` chooses for a thread that begins with
        `messages`."""
        text = model_router.beginning(each.message.text for each in messages)
        workspace = turn.thread.workspace
        user = prompt.opaque(admitted.asker, workspace, self._secret)
        request = model_router.request(text, user)
        place = Scope.of(turn.thread)
        charge = Charge(place, admitted.asker, "routing", request.model, turn=turn.key)
        completion = await one_shot.complete_charged(
            *(self._store, self._model, request, charge, admitted.settings.caps),
            timeout=ROUTING,
            now=self._now,
        )
        if isinstance(completion, BudgetExceeded):
            return model_router.BROKE
        return model_router.read(completion.text) or model_router.UNSURE


def _is_shared(messages: Sequence[TurnMessage]) -> bool:
    """Return whether the channel of `messages` is shared with another organisation."""
    return any(each.message.origin is not Origin.OWN for each in messages)


def _is_overlong(state: ThreadState, settings: EffectiveSettings) -> bool:
    """Return whether the thread has passed the size at which its settings stop it."""
    stops = settings["long_threads"] == long_threads.STOP
    return stops and state.tokens >= int(settings["summary_at"])


def _is_overdue(turn: Turn, messages: Sequence[TurnMessage], now: float) -> bool:
    """Return whether `turn` waited too long and shows nothing yet. The wait begins with
    the last message, or with the last request to repeat the turn."""
    times = [turn.touched, turn.received, *(each.message.at for each in messages)]
    return not turn.shown and now - max(times) > OVERDUE
