"""Takes a turn to its end: admit, prepare, stream, settle, deliver.

Rule: a turn continues from whatever state it is found in. So a crash needs no repair:
the next process works through the same threads.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from bot.budgets.alerts import BudgetAlerts
from bot.budgets.guard import BudgetGuard
from bot.conversation import server_tools
from bot.conversation.admission import Admission, AdmittedTurn, PreparedTurn
from bot.conversation.annotations import annotate
from bot.conversation.earlier_answers import keep_earlier
from bot.conversation.failures import Failures
from bot.conversation.offered_controls import offered_controls
from bot.conversation.old_controls import OldControls
from bot.conversation.outcomes import (
    WITHDRAWN,
    advising,
    asking_prices,
    conclude,
    continuable,
    head,
    interrupted_outcome,
    stopped,
    withdrawn,
    without_thread,
)
from bot.conversation.replies import Replies
from bot.conversation.stop_signal import StopSignal
from bot.conversation.stream import AnswerStream
from bot.conversation.summariser import Summariser
from bot.conversation.turn_log import log_end
from bot.delivery.reply import StreamedReply
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.budget import NO_LIMITS, Alert
from bot.domain.scope import Scope, ThreadKey
from bot.domain.turn import Ended, Outcome, Turn, TurnMessage, TurnState
from bot.errors import StorageError, ThreadGone, ThreadLost, is_lost
from bot.ports.earlier_turns import EarlierTurns
from bot.ports.model import Model
from bot.ports.platform import Adapter
from bot.ports.processes import OwnedThreads
from bot.ports.store import TurnStore
from bot.runtime.background import Background
from bot.runtime.retry import retry_until_success
from bot.settings.access import SettingsAccess
from bot.settings.effective import EffectiveSettings

log = logging.getLogger(__name__)

# An answer that a crash interrupted is started again once, and only while people still
# wait for it. Otherwise the shown text is kept and marked (durability facts, section
# 6).
MOST_ATTEMPTS = 2
RESUME_WITHIN = 120.0

#: Takes the thread of a turn that no longer waits, and the turn's messages; no messages
#: if it is unknown which of them show a sign.
Begun = Callable[[ThreadKey, Sequence[TurnMessage]], None]

#: Takes a turn, the time at which its first words showed (None if none did), and the
#: time of its end, both in seconds since 1970.
Timed = Callable[[Turn, float | None, float], None]


class Responder:
    """Answers the open turns of a thread, one after the other."""

    def __init__(
        self,
        *,
        store: TurnStore,
        owned: OwnedThreads,
        earlier: EarlierTurns,
        unretried_store: TurnStore,
        replies: Replies,
        model: Model,
        adapters: Mapping[str, Adapter],
        settings: SettingsAccess,
        guard: BudgetGuard,
        alerts: BudgetAlerts,
        admission: Admission,
        summariser: Summariser,
        tasks: Background,
        begun: Begun,
        timed: Timed,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._owned = owned
        self._earlier = earlier
        #: For shutting down, which must not wait for a store that refuses.
        self._unretried_store = unretried_store
        self.replies = replies
        self._model = model
        self._adapters = adapters
        self._settings = settings
        self._guard = guard
        self._alerts = alerts
        self._admission = admission
        self._summariser = summariser
        self._begun = begun
        self._timed = timed
        self._clock = clock
        self._now = now
        self._failures = Failures(store, now)
        #: The schedulers of writes, by the name of the platform.
        self.schedulers: Mapping[str, WriteScheduler] = replies.schedulers
        self.old_controls = OldControls(
            earlier, adapters, self.schedulers, settings, tasks
        )

    async def answer_next(
        self, thread: ThreadKey, stop: StopSignal
    ) -> ThreadKey | None:
        """Take the oldest open turn of `thread` to its end; `stop` stops it.

        Return the thread with more to do: this thread, if it has more open turns, or
        the thread that it moved to; else None. A thread whose platform is not set up is
        left until it is.
        """
        if thread.platform not in self._adapters:
            return None
        turn = await self._owned.take_turn(thread)
        if turn is None:
            return None
        try:
            return await self._take_to_its_end(turn, stop)
        except (ThreadLost, ExceptionGroup) as error:
            if not is_lost(error):
                raise
            # The process that has the thread now continues from the stored state.
            log.info("turn.lost thread=%s turn=%s", turn.thread, turn.key)
            return None

    async def _take_to_its_end(self, turn: Turn, stop: StopSignal) -> ThreadKey | None:
        thread, has_more = turn.thread, None
        if await self._failures.ends(turn):
            return thread
        stop.begin(turn.key)
        try:
            if turn.is_stopped or stop.ends is not None:
                if turn.is_stopped or stop.ends in ("", turn.key):
                    await self._end_unanswered(turn)
                return thread
            if turn.state is TurnState.WAITING and not (turn.asker or turn.shown):
                # An edit withdrew its only question, so no thread is created for it.
                await self._guard.settle(turn, WITHDRAWN)
                await self._end_turn(turn, WITHDRAWN, self._clock())
                return thread
            resolved = await self._resolve_thread(turn)
            if resolved == thread:
                has_more = await self._advance(turn, stop)
            elif resolved is not None:
                return resolved
        except asyncio.CancelledError:
            # Shutting down: the next process answers the turn from the start.
            with contextlib.suppress(StorageError, ThreadLost):
                await self._unretried_store.release_turn(turn)
            raise
        except Exception as error:
            await self._failures.note(turn, error)
        finally:
            if not stop.has_begun:
                # The turn was stopped or withdrawn, or failed at the beginning.
                self._begun(turn.thread, ())
            stop.begin("")
        if has_more is None:
            has_more = await self._store.next_turn(thread) is not None
        return thread if has_more else None

    async def _end_unanswered(self, turn: Turn) -> None:
        """End a turn that was stopped while it waited. Nothing is written unless part
        of an answer shows."""
        if turn.state is TurnState.UNDELIVERED:
            await self._deliver(turn)
            return
        if turn.shown:
            await self._end_unfinished(turn, stopped(turn))
            return
        outcome = stopped(turn)
        await self._guard.settle(turn, outcome)
        await self._end_turn(turn, outcome, self._clock())

    async def _resolve_thread(self, turn: Turn) -> ThreadKey | None:
        """Return the thread to answer `turn` in; None if it no longer exists, in which
        case the turn has ended."""
        adapter = self._adapters[turn.thread.platform]
        try:
            resolved = await retry_until_success(lambda: adapter.resolve_thread(turn))
        except ThreadGone as error:
            log.warning("thread.gone thread=%s %s", turn.thread, error)
            outcome = without_thread(conclude("", None))
            await self._guard.settle(turn, outcome)
            await self._end_turn(turn, outcome, self._clock())
            return None
        if resolved != turn.thread:
            await self._store.move_thread(turn.thread, resolved)
            log.info("thread.moved thread=%s to=%s", turn.thread, resolved)
        return resolved

    async def _advance(self, turn: Turn, stop: StopSignal) -> bool:
        """Take `turn` to its end; return whether its thread has other open turns."""
        if turn.state is TurnState.UNDELIVERED:
            return await self._deliver(turn)
        if turn.state is TurnState.WAITING or self._may_resume(turn):
            return await self._answer(turn, stop)
        return await self._end_unfinished(turn, interrupted_outcome(turn))

    async def _end_unfinished(self, turn: Turn, outcome: Outcome) -> bool:
        """End `turn`, whose answer is not written any further, with `outcome`."""
        outcome = await keep_earlier(self._earlier, turn, outcome)
        outcome = self._continuable(turn, outcome)
        await self._guard.settle(turn, outcome)
        ended = replace(turn, text=outcome.text, head=outcome.head, note=outcome.note)
        ended = replace(ended, ended=outcome.ended, stop_reason=outcome.stop_reason)
        ended = replace(ended, state=TurnState.UNDELIVERED)
        return await self._deliver(ended)

    def _may_resume(self, turn: Turn) -> bool:
        recent = self._now() - turn.touched <= RESUME_WITHIN
        return turn.attempts < MOST_ATTEMPTS and (recent or not turn.text)

    async def _answer(self, turn: Turn, stop: StopSignal) -> bool:
        started = self._clock()
        # An unconfirmed post is searched for from the stored time onwards.
        unconfirmed = any(shown.message is None for shown in turn.shown)
        now = turn.touched if unconfirmed else self._now()
        # Neither changes data that the other reads.
        messages, state = await asyncio.gather(
            self._store.begin_turn(turn, now), self._admission.state(turn)
        )
        stop.has_begun = True
        self._begun(turn.thread, messages)
        admitted: AdmittedTurn | Outcome = WITHDRAWN
        if messages:
            admitted = await self._admission.accept(turn, messages, state)
        if admitted is WITHDRAWN and not turn.shown:
            await self._guard.settle(turn, WITHDRAWN)
            return await self._end_turn(turn, WITHDRAWN, started)
        outcome, settings, alerts, is_put_back = None, None, list[Alert](), False
        async with self._adapters[turn.thread.platform].surface(turn) as surface:
            policy = None if isinstance(admitted, Outcome) else admitted.settings
            reply = self.replies.reply(turn, surface, policy)
            stream = AnswerStream(self._model, reply, self._now)
            stop.has_shown = lambda: reply.has_text_shown
            try:
                async with asyncio.TaskGroup() as tasks, reply.late.unbroken():
                    tasks.create_task(reply.keep_shown())
                    outcome, settings = await self._ask(
                        turn, messages, admitted, stream, stop
                    )
                    if stop.is_withdrawn:
                        outcome = withdrawn(outcome)
                    else:
                        is_put_back = bool(outcome.text) and outcome.text != reply.text
                    outcome = self._pinging(turn, outcome, settings, reply, started)
                    limits = settings.caps if settings else NO_LIMITS
                    alerts = await self._guard.settle(turn, outcome, limits)
                    if outcome is WITHDRAWN or stop.is_withdrawn:
                        reply.withdraw()
                    elif is_put_back:
                        reply.leave()
                    else:
                        controls = await offered_controls(
                            outcome, settings, attaches=surface.uploads is not None
                        )
                        await reply.finish(outcome.note, controls, outcome.calls)
            except* ThreadGone as errors:
                log.warning("thread.gone thread=%s %s", turn.thread, errors.exceptions)
                if outcome is None:
                    outcome = without_thread(stream.outcome(stopped=True))
                    await self._guard.settle(turn, outcome)
        assert outcome is not None
        if is_put_back:
            has_more = await self._put_back(turn, outcome, started)
        else:
            has_more = await self._end_turn(turn, outcome, started)
        self._timed(turn, reply.first_words, self._now())
        await self._alerts.send(turn.thread, alerts)
        if outcome is not WITHDRAWN and not stop.is_withdrawn:
            self.old_controls.remove_before(turn)
        if settings is not None:
            self._summariser.consider(turn, outcome, settings, now, stream.sent)
        return has_more

    async def _put_back(self, turn: Turn, outcome: Outcome, started: float) -> bool:
        """Write the earlier answer, with the note of `outcome`, over what is shown."""
        log_end(turn, outcome, self._clock() - started)
        left = await self._owned.take_turn(turn.thread)
        return await self._deliver(left) if left is not None else False

    async def _deliver(self, turn: Turn) -> bool:
        """Write out an answer whose text is already final."""
        started = self._clock()
        async with self._adapters[turn.thread.platform].surface(turn) as surface:
            settings = await self._settings.policy(Scope.of(turn.thread))
            reply = self.replies.reply(turn, surface, settings)
            if turn.text:
                reply.begin(turn.head)
                await reply.feed(turn.text)
            controls = await offered_controls(
                turn, settings, attaches=surface.uploads is not None
            )
            await reply.finish(turn.note, controls, turn.calls)
            with contextlib.suppress(ThreadGone):
                await reply.keep_shown()
        has_more = await self._end_turn(turn, None, started)
        self.old_controls.remove_before(turn)
        return has_more

    async def _ask(
        self,
        turn: Turn,
        messages: list[TurnMessage],
        admitted: AdmittedTurn | Outcome,
        stream: AnswerStream,
        stop: StopSignal,
    ) -> tuple[Outcome, EffectiveSettings | None]:
        """Let the model answer an admitted turn; return the outcome and the settings of
        the answer, None if no settings were read for it."""
        if isinstance(admitted, Outcome):
            return await keep_earlier(self._earlier, turn, admitted), None
        prepared = await self._admission.prepare(turn, messages, admitted)
        if isinstance(prepared, Outcome):
            kept = await keep_earlier(self._earlier, turn, prepared)
            return kept, None if prepared is WITHDRAWN else admitted.settings
        settings = prepared.settings
        extend = partial(self._guard.extend, turn, limits=settings.caps)
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
        outcome, is_kept = self._continuable(turn, kept), kept is not outcome
        if not is_kept:
            outcome = advising(outcome, prepared.composed.unshown)
            outcome = asking_prices(
                outcome, prepared.composed.dear, has_buttons=self._has_buttons(turn)
            )
        outcome = server_tools.with_server_notes(outcome, prepared.tools)
        limits = self._adapters[turn.thread.platform].limits
        hint = limits.hint if turn.begins else ""
        return annotate(outcome, prepared, hint), settings

    def _continuable(self, turn: Turn, outcome: Outcome) -> Outcome:
        """Return `outcome` with a note on how to get the rest, if no button offers
        it."""
        return outcome if self._has_buttons(turn) else continuable(outcome)

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

    async def _end_turn(
        self, turn: Turn, outcome: Outcome | None, started: float
    ) -> bool:
        has_more = await self._store.mark_delivered(turn, self._now())
        log_end(turn, outcome, self._clock() - started)
        return has_more
