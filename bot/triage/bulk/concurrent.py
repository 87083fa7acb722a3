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

from bot.claude.errors import ELSEWHERE, GARBLED, Fault, judge
from bot.errors import ModelBusy, ModelDenied, ModelRejected, PromptTooLong
from bot.schemes.scheme import Scheme
from bot.triage.answer import FAILED, TOO_LONG, Answer
from bot.triage.bulk import request
from bot.triage.bulk.spend_limit import SpendLimit
from bot.triage.bulk.throttle import Throttle

#: How many calls run at once at the most, if nobody says otherwise.
AT_ONCE = 50

# How often one ticket is tried while Claude's side fails on it and answers others, and
# for how many seconds it is gone on while nothing is answered at all.
MOST_TRIES = 8
PATIENCE = 300.0
LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """A ticket that is to be asked about, by whatever name it has above."""

    name: str
    text: str
    #: How often it was asked about before.
    tries: int = 0


#: Is given each answer, and has it kept when it returns.
Keep = Callable[[Question, Answer], Awaitable[None]]


@dataclass
class ConcurrentClassifier:
    """Asks about tickets through the Messages API."""

    client: anthropic.AsyncAnthropic
    scheme: Scheme
    model: str
    at_once: int = AT_ONCE
    purse: SpendLimit = field(default_factory=SpendLimit)
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
        if reason := request.too_long(question.text):
            return Answer(reason=reason, tries=tries)
        call = request.parameters(
            self.scheme, self.model, question.text, tries=tries - 1
        )
        most = request.most(call, self.now())
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
        told = request.read(
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
        used = request.used(message)
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
            return request.rejected(tries)
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
