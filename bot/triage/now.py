"""Asks about many tickets at once, each in a call of its own.

Rule 1: an answer is kept before the next ticket is taken, so that what was paid for is
not lost.
Rule 2: what ends the whole run (the key, the budget, no connection) is raised after the
answers that were under way have come.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

import anthropic
import httpx2
from anthropic.types import Message

from bot.errors import (
    ModelBusy,
    ModelDenied,
    ModelRejected,
    PromptTooLong,
    ThreadkeepError,
)
from bot.faults import ELSEWHERE, GARBLED, Fault, judge
from bot.triage import asking
from bot.triage.scheme import Scheme
from bot.triage.throttle import Throttle
from bot.triage.values import FAILED, TOO_LONG, Answer

#: How many calls run at once at the most, if nobody says otherwise.
AT_ONCE = 50

# How often one ticket is tried while Claude's side fails on it and answers others, and
# for how many seconds it is gone on while nothing is answered at all.
MOST_TRIES = 8
PATIENCE = 300.0
LONGEST_PAUSE = 30.0


class BudgetReached(ThreadkeepError):
    """The next call could pass the budget."""

    def __init__(self) -> None:
        super().__init__(
            "The budget leaves no room for what the next ticket may cost at the most. "
            "What was answered is kept; a higher --budget goes on."
        )


@dataclass(frozen=True, slots=True)
class Question:
    """A ticket that is to be asked about, by whatever name it has above."""

    name: str
    text: str
    #: How often it was asked about before.
    tries: int = 0


class Purse:
    """What may be spent. Set aside before a call is made: the most that it can cost.

    `note` is told, before a call is made, how much more may be billed than was noted
    so far, so that a process that is killed leaves no call uncounted; `close` takes
    back what was not.
    """

    def __init__(
        self,
        budget: float | None = None,
        spent: float = 0.0,
        note: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self._budget = budget
        self.spent = spent
        #: Of what was spent, that which no answer tells of: calls that failed, and may
        #: be billed.
        self.lost = 0.0
        self._aside = 0.0
        self._calls = 0
        self._changed = asyncio.Event()
        self._note = note
        self._noted = 0.0
        self._noting = asyncio.Lock()

    @property
    def left(self) -> float:
        """What is neither spent nor set aside, in USD."""
        if self._budget is None:
            return float("inf")
        return self._budget - self.spent - self._aside

    async def take(self, most: float) -> None:
        """Set `most` aside. Raises BudgetReached when there is not so much left, and
        no call is under way that could leave some; and what `note` does."""
        while most > self.left:
            if not self._calls:
                raise BudgetReached
            self._changed.clear()
            await self._changed.wait()
        self.hold(most)
        try:
            await self._note_all()
        except BaseException:
            self.settle(most, 0.0)
            raise

    def hold(self, most: float) -> None:
        """Set `most` aside for what is under way already, whatever is left."""
        self._calls += 1
        self._aside += most

    def settle(self, most: float, cost: float | None) -> None:
        """Put `most` back and pay `cost`, or all of it where that is not known."""
        self._calls -= 1
        self._aside = self._aside - most if self._calls else 0.0
        self.spent += most if cost is None else cost
        self.lost += most if cost is None else 0.0
        self._changed.set()

    async def close(self) -> None:
        """Have no more noted than what was lost; no call is under way any more."""
        if self._note is not None and self._noted != self.lost:
            await self._note(self.lost - self._noted)
            self._noted = self.lost

    async def _note_all(self) -> None:
        async with self._noting:
            needed = self._aside + self.lost
            if self._note is None or needed <= self._noted:
                return
            # Twice as much, so that a growing number of calls takes few writes.
            more = 2 * needed - self._noted
            await self._note(more)
            self._noted += more


#: Is given each answer, and has it kept when it returns.
Keep = Callable[[Question, Answer], Awaitable[None]]


@dataclass
class Direct:
    """Asks about tickets through the Messages API."""

    client: anthropic.AsyncAnthropic
    scheme: Scheme
    model: str
    at_once: int = AT_ONCE
    purse: Purse = field(default_factory=Purse)
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    #: Set it, and nothing more is asked; what is under way still comes.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    #: Told once of each time in which nothing is answered, why.
    troubled: Callable[[str], None] = lambda why: None

    def __post_init__(self) -> None:
        self.throttle = Throttle(
            self.at_once,
            clock=self.clock,
            sleep=self._nap,
            waived=self.stopping.is_set,
        )
        self._answered = self._told = False
        self._heard_at = self.clock()
        self._failure: Exception | None = None

    async def sort(self, questions: AsyncIterator[Question], keep: Keep) -> None:
        """Ask about each of `questions`; hand what comes of it to `keep`, as it comes.

        An answer that is not `done` is followed by another one. Raises BudgetReached,
        or the ModelError for which nothing more can be asked.
        """
        source = _Shared(questions)
        self._heard_at = self.clock()
        # One alone first: it says whether the key and the scheme are taken, and what it
        # writes to the cache the others read.
        await self._work(source, keep, most=1)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._work(source, keep))
        if self._failure is not None:
            raise self._failure

    async def _work(
        self, source: "_Shared", keep: Keep, most: int | None = None
    ) -> None:
        done = 0
        while not self.stopping.is_set() and done != most:
            question = await source.take()
            if question is None:
                return
            done += 1
            try:
                await self._settle(question, keep)
            except Exception as error:
                # Whatever it is, the answers that are under way still come.
                self._failure = self._failure or error
                self.stopping.set()

    async def _settle(self, question: Question, keep: Keep) -> None:
        tries = question.tries
        while not self.stopping.is_set():
            tries += 1
            answer = await self._ask(question, tries)
            if answer is not None:
                await keep(question, answer)
            if answer is None or answer.done:
                return

    async def _ask(self, question: Question, tries: int) -> Answer | None:
        """One try; None if nothing more is to be asked."""
        if reason := asking.too_long(question.text):
            return Answer(reason=reason, tries=tries)
        call = asking.parameters(
            self.scheme, self.model, question.text, tries=tries - 1
        )
        most = asking.most(call, self.now())
        held, lost, failed = most or 0.0, 0.0, 0
        while True:
            await self.purse.take(held)
            cost: float | None = 0.0
            try:
                async with self.throttle.turn() as began:
                    if self.stopping.is_set():
                        return None
                    # Whatever breaks it off now, it may be billed.
                    cost = None
                    made = await self._call(call)
                    if isinstance(made, Message):
                        told = self._read(made, most, tries)
                        cost = told.cost
                        return self._with_lost(told, lost)
                    cost = None if made.billed else 0.0
                    self._slow_down(made, began, failed)
            finally:
                self.purse.settle(held, cost)
            lost += held if made.billed else 0.0
            failed += 1
            if marked := self._given_up(made, failed, tries):
                return self._with_lost(marked, lost)

    def _read(self, message: Message, most: float | None, tries: int) -> Answer:
        told = asking.read(
            self.scheme, message, model=self.model, now=self.now(), tries=tries
        )
        return told if told.cost is not None else replace(told, cost=most)

    def _with_lost(self, answer: Answer, lost: float) -> Answer:
        """`answer`, with what the tries before it may be billed at."""
        self.purse.lost -= lost
        cost = answer.cost
        return replace(answer, cost=cost + lost if cost is not None else None)

    async def _nap(self, seconds: float) -> None:
        """Sleep, unless nothing more is to be asked."""
        nap = asyncio.ensure_future(self.sleep(seconds))
        stopped = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({nap, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            nap.cancel()
            stopped.cancel()

    async def _call(self, call: dict[str, Any]) -> Message | Fault:
        try:
            raw = await self.client.messages.with_raw_response.create(**call)
            message: object = await raw.parse()
        except (anthropic.APIError, httpx2.HTTPError, *GARBLED) as error:
            return judge(error, self.model)
        # The SDK hands over what is not JSON as it is, for example a proxy's page.
        if not isinstance(message, Message):
            return Fault(ModelDenied(ELSEWHERE))
        self._answered, self._told = True, False
        self._heard_at = self.clock()
        used = asking.used(message)
        # What is read from the cache does not count (Claude facts 1.5).
        counted = (float(used.prompt - used.cache_read), float(used.output))
        self.throttle.succeeded(raw.headers, counted)
        return message

    def _slow_down(self, fault: Fault, began: float, failed: int) -> None:
        if not fault.passing:
            return
        # Limits are no trouble: they are what the pace comes from.
        if not (self._told or isinstance(fault.error, ModelBusy)):
            self._told = True
            self.troubled(str(fault.error))
        wait = min(LONGEST_PAUSE, 2.0**failed) * (0.5 + self.chance() / 2)
        if fault.retry_after is not None:
            wait = fault.retry_after + self.chance()
        self.throttle.refuse(began, wait)

    def _given_up(self, fault: Fault, failed: int, tries: int) -> Answer | None:
        """What is said of a ticket that is not tried any more; None to go on.

        Raises the error if nothing more can be asked at all.
        """
        error = fault.error
        if isinstance(error, PromptTooLong):
            return Answer(reason=TOO_LONG, tries=tries)
        if isinstance(error, ModelRejected) and self._answered:
            return asking.rejected(tries)
        if not fault.passing:
            raise error
        if self.clock() - self._heard_at > PATIENCE:
            raise error
        if isinstance(error, ModelBusy) or failed < MOST_TRIES or not self._answered:
            return None
        return Answer(reason=FAILED, tries=tries)


class _Shared:
    """One source that many take from."""

    def __init__(self, questions: AsyncIterator[Question]) -> None:
        self._questions = questions
        self._lock = asyncio.Lock()

    async def take(self) -> Question | None:
        async with self._lock:
            return await anext(self._questions, None)
