"""Takes a turn to its end: admit it, have its answer written, deliver what is stored.

Rule: a turn continues from whatever state it is found in. So a crash needs no repair:
the next process works through the same threads.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from bot.budgets.alerts import BudgetAlerts
from bot.budgets.guard import BudgetGuard
from bot.conversation.admission import Admission, AdmittedTurn
from bot.conversation.answer_writer import AnswerWriter
from bot.conversation.earlier_answers import keep_earlier
from bot.conversation.failures import Failures
from bot.conversation.old_controls import OldControls
from bot.conversation.outcomes import (
    WITHDRAWN,
    conclude,
    interrupted_outcome,
    stopped,
    without_thread,
)
from bot.conversation.replies import Replies
from bot.conversation.stop_signal import StopSignal
from bot.conversation.summariser import Summariser
from bot.conversation.turn_log import log_end
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.scope import ThreadKey
from bot.domain.turn import Outcome, Turn, TurnMessage, TurnState
from bot.errors import StorageError, ThreadGone, ThreadLost, is_lost
from bot.ports.earlier_turns import EarlierTurns
from bot.ports.platform import Adapter
from bot.ports.processes import OwnedThreads
from bot.ports.store import TurnStore
from bot.runtime.background import Background
from bot.runtime.retry import retry_until_success
from bot.settings.access import SettingsAccess

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
        writer: AnswerWriter,
        replies: Replies,
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
        self._writer = writer
        self.replies = replies
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
        outcome = self._writer.continuable(turn, outcome)
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
        answer = await self._writer.write(turn, messages, admitted, stop, started)
        outcome = answer.ending
        if answer.is_put_back:
            has_more = await self._put_back(turn, outcome, started)
        else:
            has_more = await self._end_turn(turn, outcome, started)
        self._timed(turn, answer.reply.first_words, self._now())
        await self._alerts.send(turn.thread, answer.alerts)
        if outcome is not WITHDRAWN and not stop.is_withdrawn:
            self.old_controls.remove_before(turn)
        if answer.settings is not None:
            request = answer.stream.sent
            self._summariser.consider(turn, outcome, answer.settings, now, request)
        return has_more

    async def _put_back(self, turn: Turn, outcome: Outcome, started: float) -> bool:
        """Write the earlier answer, with the note of `outcome`, over what is shown."""
        log_end(turn, outcome, self._clock() - started)
        left = await self._owned.take_turn(turn.thread)
        return await self._deliver(left) if left is not None else False

    async def _deliver(self, turn: Turn) -> bool:
        """Write out an answer whose text is already final."""
        started = self._clock()
        await self._writer.write_stored(turn)
        has_more = await self._end_turn(turn, None, started)
        self.old_controls.remove_before(turn)
        return has_more

    async def _end_turn(
        self, turn: Turn, outcome: Outcome | None, started: float
    ) -> bool:
        has_more = await self._store.mark_delivered(turn, self._now())
        log_end(turn, outcome, self._clock() - started)
        return has_more
