"""Lets Claude answer one turn, and writes the answer as a reply."""

import asyncio
import contextlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.budgets.guard import BudgetGuard
from bot.conversation import server_tools
from bot.conversation.admission import Admission, AdmittedTurn, PreparedTurn
from bot.conversation.annotations import annotate
from bot.conversation.earlier_answers import keep_earlier
from bot.conversation.offered_controls import offered_controls
from bot.conversation.outcomes import (
    WITHDRAWN,
    advising,
    asking_prices,
    continuable,
    head,
    withdrawn,
    without_thread,
)
from bot.conversation.replies import Replies
from bot.conversation.stop_signal import StopSignal
from bot.conversation.stream import AnswerStream
from bot.delivery.reply import StreamedReply
from bot.domain.budget import NO_LIMITS, Alert
from bot.domain.scope import Scope
from bot.domain.turn import Ended, Outcome, Turn, TurnMessage
from bot.errors import ThreadGone
from bot.ports.earlier_turns import EarlierTurns
from bot.ports.model import Model
from bot.ports.platform import Adapter
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings

log = logging.getLogger(__name__)


@dataclass
class WrittenAnswer:
    """One attempt to answer a turn."""

    reply: StreamedReply
    stream: AnswerStream
    #: None until the answer has ended.
    outcome: Outcome | None = None
    #: None if no settings were read for the answer.
    settings: EffectiveSettings | None = None
    #: The budgets that the answer brought near their limits.
    alerts: Sequence[Alert] = ()
    #: True if the earlier answer must be written over what shows of this one.
    is_put_back: bool = False

    @property
    def ending(self) -> Outcome:
        """The outcome of an answer that has ended."""
        assert self.outcome is not None
        return self.outcome


class AnswerWriter:
    """Writes the answers of all turns."""

    def __init__(
        self,
        earlier: EarlierTurns,
        replies: Replies,
        model: Model,
        adapters: Mapping[str, Adapter],
        settings: SettingsAccess,
        guard: BudgetGuard,
        admission: Admission,
        clock: Callable[[], float],
        now: Callable[[], float],
    ) -> None:
        self._earlier = earlier
        self._replies = replies
        self._model = model
        self._adapters = adapters
        self._settings = settings
        self._guard = guard
        self._admission = admission
        self._clock = clock
        self._now = now

    async def write(
        self,
        turn: Turn,
        messages: list[TurnMessage],
        admitted: AdmittedTurn | Outcome,
        stop: StopSignal,
        started: float,
    ) -> WrittenAnswer:
        """Write the answer to `messages`, the questions of `turn`, or the outcome that
        they have instead. Return when all is shown and paid; `started` is the time at
        which the turn began."""
        async with self._adapters[turn.thread.platform].surface(turn) as surface:
            policy = None if isinstance(admitted, Outcome) else admitted.settings
            reply = self._replies.reply(turn, surface, policy)
            answer = WrittenAnswer(reply, AnswerStream(self._model, reply, self._now))
            stop.has_shown = lambda: reply.has_text_shown
            try:
                async with asyncio.TaskGroup() as tasks, reply.late.unbroken():
                    tasks.create_task(reply.keep_shown())
                    await self._ask(turn, messages, admitted, answer, stop)
                    if stop.is_withdrawn:
                        answer.outcome = withdrawn(answer.ending)
                    else:
                        text = answer.ending.text
                        answer.is_put_back = bool(text) and text != reply.text
                    await self._settle(turn, answer, started)
                    if answer.outcome is WITHDRAWN or stop.is_withdrawn:
                        reply.withdraw()
                    elif answer.is_put_back:
                        reply.leave()
                    else:
                        await self._finish(
                            *(reply, answer.ending, answer.settings),
                            attaches=surface.uploads is not None,
                        )
            except* ThreadGone as errors:
                log.warning("thread.gone thread=%s %s", turn.thread, errors.exceptions)
                if answer.outcome is None:
                    lost = without_thread(answer.stream.outcome(stopped=True))
                    answer.outcome = lost
                    await self._guard.settle(turn, lost)
        return answer

    async def write_stored(self, turn: Turn) -> None:
        """Write out the answer of `turn`, whose text is already final."""
        async with self._adapters[turn.thread.platform].surface(turn) as surface:
            policy = await self._settings.policy(Scope.of(turn.thread))
            reply = self._replies.reply(turn, surface, policy)
            if turn.text:
                reply.begin(turn.head)
                await reply.feed(turn.text)
            attaches = surface.uploads is not None
            await self._finish(reply, turn, policy, attaches=attaches)
            with contextlib.suppress(ThreadGone):
                await reply.keep_shown()

    def continuable(self, turn: Turn, outcome: Outcome) -> Outcome:
        """Return `outcome` with a note on how to get the rest, if no button offers
        it."""
        return outcome if self._has_buttons(turn) else continuable(outcome)

    async def _ask(
        self,
        turn: Turn,
        messages: list[TurnMessage],
        admitted: AdmittedTurn | Outcome,
        answer: WrittenAnswer,
        stop: StopSignal,
    ) -> None:
        """Let the model answer an admitted turn, and store the outcome in `answer`."""
        if isinstance(admitted, Outcome):
            answer.outcome = await keep_earlier(self._earlier, turn, admitted)
            return
        prepared = await self._admission.prepare(turn, messages, admitted)
        if isinstance(prepared, Outcome):
            answer.outcome = await keep_earlier(self._earlier, turn, prepared)
            answer.settings = None if prepared is WITHDRAWN else admitted.settings
            return
        stream, caps = answer.stream, prepared.settings.caps
        extend = partial(self._guard.extend, turn, limits=caps)
        again: PreparedTurn | None = prepared
        while again is not None:
            prepared, above = again, head(again.composed.unshown)
            outcome = await stream.read(prepared.request, above, extend, stop)
            again = None
            if stream.refusal and outcome.ended is not Ended.STOPPED:
                again = await self._admission.instead(turn, prepared, stream.refusal)
        await self._admission.remember(prepared, answered=not stream.has_failed)
        kept = outcome
        if not stream.has_reposted(turn):
            kept = await keep_earlier(self._earlier, turn, outcome)
        outcome, is_kept = self.continuable(turn, kept), kept is not outcome
        if not is_kept:
            outcome = advising(outcome, prepared.composed.unshown)
            outcome = asking_prices(
                outcome, prepared.composed.dear, has_buttons=self._has_buttons(turn)
            )
        outcome = server_tools.with_server_notes(outcome, prepared.tools)
        limits = self._adapters[turn.thread.platform].limits
        hint = limits.hint if turn.begins else ""
        answer.outcome = annotate(outcome, prepared, hint)
        answer.settings = prepared.settings

    async def _settle(self, turn: Turn, answer: WrittenAnswer, started: float) -> None:
        """Store the outcome and its cost."""
        settings = answer.settings
        outcome = self._pinging(turn, answer.ending, settings, answer.reply, started)
        answer.outcome = outcome
        limits = settings.caps if settings else NO_LIMITS
        answer.alerts = await self._guard.settle(turn, outcome, limits)

    async def _finish(
        self,
        reply: StreamedReply,
        outcome: Outcome | Turn,
        settings: EffectiveSettings | None,
        *,
        attaches: bool,
    ) -> None:
        controls = await offered_controls(outcome, settings, attaches=attaches)
        await reply.finish(outcome.note, controls, outcome.calls)

    def _has_buttons(self, turn: Turn) -> bool:
        # A platform without messages besides answers, such as the terminal, has none.
        return self._adapters[turn.thread.platform].messenger is not None

    def _pinging(
        self,
        turn: Turn,
        outcome: Outcome,
        settings: EffectiveSettings | None,
        reply: StreamedReply,
        started: float,
    ) -> Outcome:
        """Return `outcome` with the asker to ping if the answer took long: the platform
        notified them of the first post, but not of edits."""
        after = float(settings["ping"]) if settings else 0.0
        long = after and self._clock() - started >= after and bool(reply.messages)
        if not long or outcome.ended is Ended.STOPPED:
            return outcome
        return replace(outcome, calls=turn.asker)
