"""Classifies many tickets concurrently, each in its own call.

Rule 1: an answer is stored before the next ticket is taken, so that no answer that was
paid for is lost.
Rule 2: an error that ends the whole run (the key, the budget, no connection) is raised
after the answers of running calls have arrived.
"""

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.claude.client import ClaudeClient
from bot.claude.cost import cost_ceiling
from bot.claude.errors import CallFailed, Fault
from bot.claude.usage import MessageResponse
from bot.domain.completion import Request
from bot.errors import ModelBusy, ModelRejected, PromptTooLong
from bot.schemes.scheme import Scheme
from bot.triage.answer import FAILED, REJECTED, TOO_LONG, Answer
from bot.triage.bulk import request as bulk_request
from bot.triage.bulk.spend_limit import SpendLimit
from bot.triage.bulk.throttle import Throttle

#: The default number of concurrent calls.
AT_ONCE = 50

# The most tries of a ticket that fails while others are answered, and the time limit in
# seconds while nothing is answered.
MOST_TRIES = 8
PATIENCE = 300.0
LONGEST_PAUSE = 30.0


@dataclass(frozen=True, slots=True)
class Question:
    """A ticket to classify, under the name that the caller gave it."""

    name: str
    text: str
    #: The number of earlier tries.
    tries: int = 0


#: Stores an answer; it is durable when the call returns.
StoreAnswer = Callable[[Question, Answer], Awaitable[None]]


@dataclass
class ConcurrentClassifier:
    """Classifies tickets through the Messages API."""

    client: ClaudeClient
    scheme: Scheme
    model: str
    at_once: int = AT_ONCE
    spend_limit: SpendLimit = field(default_factory=SpendLimit)
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    chance: Callable[[], float] = random.random
    #: When set, no new call is made; running calls are finished.
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
    #: Called with the reason, once for each period in which nothing is answered.
    on_trouble: Callable[[str], None] = lambda why: None

    def __post_init__(self) -> None:
        self.throttle = Throttle(
            self.at_once,
            clock=self.clock,
            sleep=self._sleep_unless_stopped,
            waived=self.stopping.is_set,
        )
        self._answered = self._reported = False
        self._answered_at = self.clock()
        self._failure: Exception | None = None

    async def classify(
        self, questions: AsyncIterator[Question], store: StoreAnswer
    ) -> None:
        """Classify each of `questions`, and pass each answer to `store` when it
        arrives.

        After an answer that is not `done`, the ticket is tried again. Raises
        BudgetReached, UnknownPrice, or the ModelError that ends the run.
        """
        source = _SharedIterator(questions)
        self._answered_at = self.clock()
        # The first call runs alone: it shows whether the key and the scheme are
        # accepted, and writes the prompt to the cache for the others.
        await self._work(source, store, most=1)
        async with asyncio.TaskGroup() as group:
            for _ in range(self.at_once):
                group.create_task(self._work(source, store))
        if self._failure is not None:
            raise self._failure

    async def _work(
        self, source: "_SharedIterator", store: StoreAnswer, most: int | None = None
    ) -> None:
        done = 0
        while not self.stopping.is_set() and done != most:
            question = await source.take()
            if question is None:
                return
            done += 1
            try:
                await self._answer(question, store)
            except Exception as error:
                # Any error is kept until the answers of running calls have arrived.
                self._failure = self._failure or error
                self.stopping.set()

    async def _answer(self, question: Question, store: StoreAnswer) -> None:
        tries = question.tries
        while not self.stopping.is_set():
            tries += 1
            answer = await self._ask(question, tries)
            if answer is not None:
                await store(question, answer)
            if answer is None or answer.done:
                return

    async def _ask(self, question: Question, tries: int) -> Answer | None:
        """Return the answer of one try, or None if the run is stopping."""
        if reason := bulk_request.too_long(question.text):
            return Answer(reason=reason, tries=tries)
        request = bulk_request.build_request(
            self.scheme, self.model, question.text, tries=tries - 1
        )
        ceiling = cost_ceiling(request, self.now())
        reserved = self.spend_limit.amount_for(ceiling, self.model)
        lost, failures = 0.0, 0
        while True:
            await self.spend_limit.reserve(reserved)
            cost: float | None = 0.0
            try:
                async with self.throttle.turn() as began:
                    if self.stopping.is_set():
                        return None
                    # From here on the call may be billed, even if it is cut off.
                    cost = None
                    response = await self._call(request)
                    if isinstance(response, MessageResponse):
                        answer = self._read(response, ceiling, tries)
                        cost = answer.cost
                        return self._with_lost(answer, lost)
                    cost = None if response.billed else 0.0
                    self._slow_down(response, began, failures)
            finally:
                self.spend_limit.release(reserved, cost)
            lost += reserved if response.billed else 0.0
            failures += 1
            if marked := self._give_up(response, failures, tries):
                return self._with_lost(marked, lost)

    def _read(
        self, response: MessageResponse, ceiling: float | None, tries: int
    ) -> Answer:
        """Return the answer in `response`; if its cost is unknown, it costs
        `ceiling`."""
        answer = bulk_request.read_answer(
            self.scheme, response, now=self.now(), tries=tries
        )
        return answer if answer.cost is not None else replace(answer, cost=ceiling)

    def _with_lost(self, answer: Answer, lost: float) -> Answer:
        """Return `answer` with the cost of the failed calls before it."""
        self.spend_limit.unanswered -= lost
        cost = answer.cost
        return replace(answer, cost=cost + lost if cost is not None else None)

    async def _sleep_unless_stopped(self, seconds: float) -> None:
        slept = asyncio.ensure_future(self.sleep(seconds))
        stopped = asyncio.ensure_future(self.stopping.wait())
        try:
            await asyncio.wait({slept, stopped}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            slept.cancel()
            stopped.cancel()

    async def _call(self, request: Request) -> MessageResponse | Fault:
        try:
            response = await self.client.complete(request)
        except CallFailed as failed:
            return failed.fault
        self._answered, self._reported = True, False
        self._answered_at = self.clock()
        used = response.usage
        # Cache reads do not count towards the limits (Claude facts 1.5).
        counted = (float(used.prompt - used.cache_read), float(used.output))
        self.throttle.succeeded(response.headers, counted)
        return response

    def _slow_down(self, fault: Fault, began: float, failures: int) -> None:
        if not fault.passing:
            return
        # Rate limits are not reported as trouble: the throttle adapts to them.
        if not (self._reported or isinstance(fault.error, ModelBusy)):
            self._reported = True
            self.on_trouble(str(fault.error))
        wait = min(LONGEST_PAUSE, 2.0**failures) * (0.5 + self.chance() / 2)
        if fault.retry_after is not None:
            wait = fault.retry_after + self.chance()
        self.throttle.refuse(began, wait)

    def _give_up(self, fault: Fault, failures: int, tries: int) -> Answer | None:
        """Return the answer for a ticket that is not tried again, or None to try again.

        Raises the error if it ends the run.
        """
        error = fault.error
        if isinstance(error, PromptTooLong):
            return Answer(reason=TOO_LONG, tries=tries)
        if isinstance(error, ModelRejected) and self._answered:
            return Answer(reason=REJECTED, tries=tries)
        if not fault.passing:
            raise error
        if self.clock() - self._answered_at > PATIENCE:
            raise error
        busy = isinstance(error, ModelBusy)
        if busy or failures < MOST_TRIES or not self._answered:
            return None
        return Answer(reason=FAILED, tries=tries)


class _SharedIterator:
    """An iterator that several tasks share."""

    def __init__(self, questions: AsyncIterator[Question]) -> None:
        self._questions = questions
        self._lock = asyncio.Lock()

    async def take(self) -> Question | None:
        async with self._lock:
            return await anext(self._questions, None)
