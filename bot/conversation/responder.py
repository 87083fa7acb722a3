"""The story of one turn: recall, ask, show, remember.

Whatever state a turn is found in, it is taken from there to its end, so a
crash needs no repair of its own: the next process drains the same threads.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from bot.claude import cost
from bot.context import prompt
from bot.conversation.admission import Admission, AdmittedTurn
from bot.conversation.composer import Composer
from bot.conversation.dispatcher import StopSignal
from bot.conversation.failures import Failures
from bot.conversation.outcomes import (
    WITHDRAWN,
    conclude,
    gone,
    interrupted,
    told,
    too_long,
)
from bot.delivery.reply import StreamedReply
from bot.delivery.write_scheduler import WriteScheduler
from bot.domain.budget import NO_LIMITS, Alert
from bot.domain.completion import Call, Report, Request
from bot.domain.reply import Control
from bot.domain.scope import ThreadKey
from bot.domain.turn import Ended, Outcome, Turn, TurnMessage, TurnState
from bot.errors import ModelError, StorageError, ThreadGone
from bot.ports.model import Model
from bot.ports.platform import Adapter, Surface
from bot.ports.store import Store
from bot.runtime.retry import retry_until_success
from bot.settings.effective import EffectiveSettings
from bot.ui import buttons, formatting

log = logging.getLogger(__name__)

# A crashed answer is begun again once, and only while people still wait for
# it; otherwise what they saw is kept and marked (durability facts, section 6).
MOST_ATTEMPTS = 2
RESUME_WITHIN = 120.0


@dataclass(slots=True)
class _Hearing:
    """What has come from the model so far."""

    #: Whether it was asked at all.
    asked: bool = False
    report: Report | None = None
    error: ModelError | None = None
    first_text: float | None = None


#: Sets aside what all of these calls can cost; raises ModelUnpaid.
_GoingOn = Callable[[Sequence[Call]], Awaitable[None]]


class Responder:
    """Answers the open turns of a thread, one after the other."""

    def __init__(
        self,
        *,
        store: Store,
        model: Model,
        adapters: Mapping[str, Adapter],
        steward: Admission,
        clock: Callable[[], float] = time.monotonic,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._store = store
        self._model = model
        self._adapters = adapters
        self._steward = steward
        self._clock = clock
        self._now = now
        self._failures = Failures(store, now)
        self._composer = Composer(store, adapters, steward, now)
        self._pacers = {
            name: WriteScheduler(adapter.limits, clock)
            for name, adapter in adapters.items()
        }

    async def answer_next(
        self, thread: ThreadKey, halt: StopSignal
    ) -> ThreadKey | None:
        """Bring the oldest open turn of `thread` to its end; `halt` stops it.

        Returns the thread with more to do: this one, if more of its turns are open,
        or where it goes on, if it moved there; None for none. A thread whose platform
        is not set up now is left for when it is.
        """
        if thread.platform not in self._adapters:
            return None
        turn = await self._store.next_turn(thread)
        if turn is None:
            return None
        if await self._failures.ends(turn):
            return thread
        halt.begin(turn.key)
        try:
            if halt.ends is not None:
                if halt.ends in ("", turn.key):
                    await self._end_unanswered(turn)
                return thread
            settled = await self._settle(turn)
            if settled == thread:
                await self._advance(turn, halt)
            elif settled is not None:
                return settled
        except asyncio.CancelledError:
            # Shutting down: the next process answers it from the start.
            with contextlib.suppress(StorageError):
                await self._store.hand_over(turn)
            raise
        except Exception as error:
            await self._failures.note(turn, error)
        finally:
            halt.begin("")
        return thread if await self._store.next_turn(thread) else None

    async def _end_unanswered(self, turn: Turn) -> None:
        """End a turn that was stopped while it waited. Where nothing of an answer is
        to be seen, nothing is said."""
        if turn.state is TurnState.UNDELIVERED:
            await self._deliver(turn)
            return
        outcome = conclude(turn.text, None, stopped=True)
        await self._finish(turn, outcome)
        if turn.shown:
            await self._deliver(replace(turn, ended=outcome.ended, note=outcome.note))
        else:
            await self._delivered(turn, outcome, self._clock())

    async def _settle(self, turn: Turn) -> ThreadKey | None:
        """Where the thread of `turn` is now; None if it can be nowhere, with which
        the turn has ended."""
        adapter = self._adapters[turn.thread.platform]
        try:
            settled = await retry_until_success(lambda: adapter.resolve_thread(turn))
        except ThreadGone as error:
            log.warning("thread.gone thread=%s %s", turn.thread, error)
            outcome = gone(conclude("", None))
            await self._finish(turn, outcome)
            await self._delivered(turn, outcome, self._clock())
            return None
        if settled != turn.thread:
            await retry_until_success(lambda: self._store.move(turn.thread, settled))
            log.info("thread.moved thread=%s to=%s", turn.thread, settled)
        return settled

    async def _advance(self, turn: Turn, halt: StopSignal) -> None:
        if turn.state is TurnState.UNDELIVERED:
            await self._deliver(turn)
        elif turn.state is TurnState.WAITING or self._may_resume(turn):
            await self._answer(turn, halt)
        else:
            outcome = interrupted(turn.text)
            await self._finish(turn, outcome)
            ended = replace(turn, ended=outcome.ended, note=outcome.note)
            await self._deliver(ended)

    def _may_resume(self, turn: Turn) -> bool:
        recent = self._now() - turn.touched <= RESUME_WITHIN
        return turn.attempts < MOST_ATTEMPTS and (recent or not turn.text)

    async def _answer(self, turn: Turn, halt: StopSignal) -> None:
        started = self._clock()
        # A post of unknown outcome is looked for from the last sign of life on.
        unsure = any(shown.message is None for shown in turn.shown)
        now = turn.touched if unsure else self._now()
        spoken = await retry_until_success(lambda: self._store.begin(turn, now))
        errand: AdmittedTurn | Outcome = WITHDRAWN
        if spoken:
            errand = await self._steward.accept(turn, spoken)
        if errand is WITHDRAWN and not turn.shown:
            await self._finish(turn, WITHDRAWN)
            await self._delivered(turn, WITHDRAWN, started)
            return
        hearing = _Hearing()
        outcome, alerts = None, list[Alert]()
        async with self._adapters[turn.thread.platform].surface(turn) as surface:
            reply = self._reply(turn, surface)
            try:
                async with asyncio.TaskGroup() as tasks:
                    tasks.create_task(reply.keep_shown())
                    outcome, policy = await self._hear_out(
                        turn, spoken, errand, reply, hearing, halt
                    )
                    outcome = self._called(turn, outcome, policy, reply, started)
                    alerts = await self._finish(turn, outcome, policy)
                    if outcome is WITHDRAWN:
                        reply.withdraw()
                    else:
                        reply.finish(
                            outcome.note, _controls(outcome, policy), outcome.calls
                        )
            except* ThreadGone as errors:
                log.warning("thread.gone thread=%s %s", turn.thread, errors.exceptions)
                if outcome is None:
                    outcome = gone(self._conclude(reply, hearing, stopped=True))
                    await self._finish(turn, outcome)
        assert outcome is not None
        await self._delivered(turn, outcome, started)
        await self._steward.alert(turn, alerts)

    async def _deliver(self, turn: Turn) -> None:
        """Write out an answer that is final already."""
        started = self._clock()
        async with self._adapters[turn.thread.platform].surface(turn) as surface:
            reply = self._reply(turn, surface)
            if turn.text:
                await reply.feed(turn.text)
            policy = await retry_until_success(lambda: self._steward.policy(turn))
            reply.finish(turn.note, _controls(turn, policy), turn.calls)
            with contextlib.suppress(ThreadGone):
                await reply.keep_shown()
        await self._delivered(turn, None, started)

    async def _hear_out(
        self,
        turn: Turn,
        spoken: list[TurnMessage],
        errand: AdmittedTurn | Outcome,
        reply: StreamedReply,
        hearing: _Hearing,
        halt: StopSignal,
    ) -> tuple[Outcome, EffectiveSettings | None]:
        """Ask Claude, let `reply` have what it says, and return how that ended, and
        under which settings."""
        if isinstance(errand, Outcome):
            return errand, None
        errand = await self._steward.settle(turn, spoken, errand)
        request = await self._composer.compose(turn, spoken, errand)
        if request is None:
            return WITHDRAWN, None
        if prompt.is_too_long(request):
            return too_long(), errand.policy
        paid = await self._steward.afford(turn, errand, request)
        if isinstance(paid, Outcome):
            return paid, errand.policy
        going_on = partial(self._steward.go_on, turn, errand)
        stopped = await self._ask(paid, going_on, reply, hearing, halt)
        outcome = self._conclude(reply, hearing, stopped)
        outcome = self._steward.annotated(outcome, errand)
        return self._noted(turn, outcome, errand), errand.policy

    def _called(
        self,
        turn: Turn,
        outcome: Outcome,
        policy: EffectiveSettings | None,
        reply: StreamedReply,
        started: float,
    ) -> Outcome:
        """`outcome`, with who asked to be called if it took long: the first words
        have notified them, and edits do not."""
        after = float(policy["ping"]) if policy else 0.0
        long = after and self._clock() - started >= after and reply.has_posted
        if not long or outcome.ended is Ended.STOPPED:
            return outcome
        return replace(outcome, calls=turn.asker)

    def _noted(self, turn: Turn, outcome: Outcome, errand: AdmittedTurn) -> Outcome:
        """`outcome` with all that is to stand below its answer."""
        policy = errand.policy
        if errand.news:
            outcome = told(outcome, errand.news)
        if policy.on("footer") and outcome.model:
            line = formatting.footer(
                outcome.model, outcome.usage, outcome.cost, bounded=outcome.bounded
            )
            outcome = told(outcome, line)
        hint = self._adapters[turn.thread.platform].limits.hint
        wanted = turn.begins and hint and not policy.on("quiet")
        return told(outcome, hint) if wanted else outcome

    async def _ask(
        self,
        request: Request,
        going_on: _GoingOn,
        reply: StreamedReply,
        hearing: _Hearing,
        halt: StopSignal,
    ) -> bool:
        """Hear Claude out, or until `halt` asks to stop; say whether it did."""
        hearing.asked = True
        async with asyncio.TaskGroup() as tasks:
            listening = tasks.create_task(
                self._listen(request, going_on, reply, hearing)
            )
            stopping = tasks.create_task(halt.wait())
            await asyncio.wait(
                {listening, stopping}, return_when=asyncio.FIRST_COMPLETED
            )
            stopped = not listening.done()
            listening.cancel()
            stopping.cancel()
        return stopped

    def _conclude(
        self, reply: StreamedReply, hearing: _Hearing, stopped: bool
    ) -> Outcome:
        outcome = conclude(
            reply.text, hearing.report, error=hearing.error, stopped=stopped
        )
        # What was written is billed, and only the end of a stream says how much.
        asked = hearing.asked and hearing.error is None
        bill = cost.bill(hearing.report, asked=asked, at=self._now())
        return replace(
            outcome,
            usage=bill.usage,
            cost=bill.cost,
            bounded=bill.bounded,
            first_text=hearing.first_text,
        )

    async def _listen(
        self,
        request: Request,
        going_on: _GoingOn,
        reply: StreamedReply,
        hearing: _Hearing,
    ) -> None:
        try:
            async with contextlib.aclosing(self._model.answer(request)) as answer:
                async for piece in answer:
                    if isinstance(piece, Report):
                        if not piece.ahead:
                            hearing.report = piece
                        if cost.unforeseen(piece):
                            await going_on(piece.calls or ())
                        # Noted only now: without money that request is not made.
                        hearing.report = piece
                        continue
                    if hearing.first_text is None:
                        hearing.first_text = self._now()
                    await reply.feed(piece)
        except ModelError as error:
            hearing.error = error

    async def _finish(
        self, turn: Turn, outcome: Outcome, policy: EffectiveSettings | None = None
    ) -> list[Alert]:
        caps = policy.caps if policy else NO_LIMITS
        return await retry_until_success(
            lambda: self._store.finish(turn, outcome, self._now(), caps)
        )

    async def _delivered(
        self, turn: Turn, outcome: Outcome | None, started: float
    ) -> None:
        await retry_until_success(lambda: self._store.delivered(turn, self._now()))
        if outcome is None:
            log.info("turn.delivered thread=%s turn=%s", turn.thread, turn.key)
            return
        log.info(
            "turn.done thread=%s turn=%s ended=%s seconds=%.2f model=%s"
            " prompt=%d cached=%d output=%d cost=%s request=%s%s",
            turn.thread,
            turn.key,
            outcome.ended.value,
            self._clock() - started,
            outcome.model or "-",
            outcome.usage.prompt,
            outcome.usage.cache_read,
            outcome.usage.output,
            "unknown" if outcome.cost is None else f"{outcome.cost:.6f}",
            outcome.request_id or "-",
            f" reason={outcome.reason!r}" if outcome.reason else "",
        )

    def _reply(self, turn: Turn, surface: Surface) -> StreamedReply:
        platform = turn.thread.platform
        return StreamedReply(
            turn,
            surface,
            store=self._store,
            pacer=self._pacers[platform],
            limits=self._adapters[platform].limits,
            clock=self._clock,
            now=self._now,
        )


def _controls(
    ended: Outcome | Turn, policy: EffectiveSettings | None
) -> tuple[Control, ...]:
    """What stands below an answer that has ended."""
    wanted = policy is not None and policy.on("feedback")
    return buttons.below(ended, feedback=wanted)
