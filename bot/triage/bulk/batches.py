"""Classifies many tickets through Message Batches: half the price, within a day.

Rule: a batch is recorded before it is sent. If it is unknown whether the batch arrived,
it is searched for. Its results are stored before it counts as collected. So no ticket
is paid for twice, wherever the process ends.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import TypeVar

from bot.claude.batches import (
    BATCH_SHARE,
    MOST_REQUESTS,
    Batches,
    BatchResult,
    BatchStatus,
    UnknownBatch,
)
from bot.claude.cost import cost_ceiling
from bot.claude.errors import CallFailed
from bot.claude.request import encoded_size
from bot.domain.completion import Request
from bot.errors import ConfigError
from bot.messages import triage_files as messages
from bot.ports.archive import RunnerStore, Sent
from bot.schemes.scheme import Scheme
from bot.triage.answer import CANCELED, EXPIRED, FAILED, REJECTED, Answer
from bot.triage.bulk import request as bulk_request
from bot.triage.bulk.concurrent import Question
from bot.triage.bulk.lost_batches import find_batch
from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit

T = TypeVar("T")

log = logging.getLogger(__name__)

# The API accepts 256 MB. A batch is held in memory while it is sent, and a smaller
# batch ends sooner.
MOST_BYTES = 24_000_000

# In seconds: the time after which a created batch must be listed, and the pauses
# between polls.
_LISTED = 60.0
_FIRST_POLL, _LONGEST_POLL = 2.0, 60.0

_STORED_AT_ONCE = 500

_REASONS = {
    "invalid": REJECTED,
    "failed": FAILED,
    "expired": EXPIRED,
    "canceled": CANCELED,
}


class Expired(ConfigError):
    """The results of a batch no longer exist."""


class Cancelled(ConfigError):
    """A batch was cancelled."""


@dataclass
class BatchClassifier:
    """Classifies the tickets of one run through batches."""

    batches: Batches
    scheme: Scheme
    model: str
    archive: RunnerStore
    run: str
    spend_limit: SpendLimit
    #: Called with the number of results in open batches that are not stored yet.
    on_processed: Callable[[int], None] = lambda count: None
    #: Called with each stored answer.
    on_answer: Callable[[Answer], None] = lambda answer: None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Called with the reason when calls begin to fail.
    on_trouble: Callable[[str], None] = lambda why: None
    most_bytes: int = MOST_BYTES
    #: The number of earlier tries, by the names of questions that had any.
    _tried: dict[str, int] = field(default_factory=dict)

    async def classify(self, questions: Callable[[], AsyncIterator[Question]]) -> None:
        """Classify all tickets that `questions` yields. `questions` is called again
        when all batches are collected, until it yields none.

        Raises BudgetReached, UnknownPrice, Expired, Cancelled, or the ModelError that
        ends the run. Running batches are not cancelled.
        """
        for sent in await self.archive.sent(self.run):
            if not sent.collected and not sent.batch:
                found = await self._find_created(sent, until=sent.at + _LISTED)
                await self.archive.arrived(sent.key, found)
        for sent in await self._open():
            self.spend_limit.reserve_running(sent.most)
        await self._collect()
        while await self._send_all(questions()):
            await self._collect()

    async def _collect(self) -> None:
        """Wait for every batch of the run, and store its results.

        Raises Expired or Cancelled, when all other batches are stored.
        """
        waiting = await self._open()
        lost: list[Expired | Cancelled] = []
        processed: dict[int, int] = {}
        pause = _FIRST_POLL
        while waiting:
            for sent in list(waiting):
                try:
                    status = await self._status(sent)
                    processed[sent.key] = status.processed
                    if not status.ended:
                        continue
                    await self._store(sent, status)
                except (Expired, Cancelled) as error:
                    lost.append(error)
                processed.pop(sent.key, None)
                waiting.remove(sent)
                pause = _FIRST_POLL
            self.on_processed(sum(processed.values()))
            if waiting:
                await self.sleep(pause)
                pause = min(_LONGEST_POLL, pause * 1.5)
        if lost:
            raise lost[0]

    async def _status(self, sent: Sent) -> BatchStatus:
        try:
            return await self._retry(lambda: self.batches.retrieve(sent.batch))
        except UnknownBatch:
            raise await self._record_lost(sent) from None

    async def _open(self) -> list[Sent]:
        sent = await self.archive.sent(self.run)
        return [each for each in sent if each.batch and not each.collected]

    async def _send_all(self, questions: AsyncIterator[Question]) -> bool:
        """Send `questions` in as few batches as possible; return True if there was
        anything to send."""
        chunk: list[tuple[str, Request]] = []
        size, most = 0, 0.0
        sent = False
        async for question in questions:
            if reason := bulk_request.too_long(question.text):
                marked = Answer(reason=reason)
                await self.archive.put(
                    [(question.name, marked)], self.model, self.now(), 0
                )
                self.on_answer(marked)
                continue
            request = self._request(question)
            amount = self.spend_limit.amount_for(
                cost_ceiling(request, self.now(), BATCH_SHARE), self.model
            )
            length = encoded_size(request)
            full = size + length > self.most_bytes or len(chunk) == MOST_REQUESTS
            if chunk and (full or most + amount > self.spend_limit.left):
                await self._send(chunk, most)
                chunk, size, most, sent = [], 0, 0.0, True
            if amount > self.spend_limit.left:
                # Running batches may release some of the budget.
                if not sent:
                    raise BudgetReached
                return True
            chunk.append((question.name, request))
            size, most = size + length, most + amount
        if chunk:
            await self._send(chunk, most)
        return sent or bool(chunk)

    def _request(self, question: Question) -> Request:
        if question.tries:
            self._tried[question.name] = question.tries
        return bulk_request.build_request(
            self.scheme, self.model, question.text, tries=question.tries
        )

    async def _send(self, chunk: list[tuple[str, Request]], most: float) -> None:
        """Create one batch that costs at most `most`. Raises the ModelError of a
        rejection."""
        sent = await self.archive.send(
            Sent(0, self.run, "", self.now(), len(chunk), most)
        )
        await self.spend_limit.reserve(most)
        batch = ""
        while not batch:
            try:
                batch = await self.batches.create(chunk)
                log.info("triage.sent batch=%s requests=%d", batch, len(chunk))
            except CallFailed as failed:
                fault = failed.fault
                if fault.passing:
                    await self.sleep(fault.retry_after or _FIRST_POLL)
                if fault.billed:
                    # The batch may exist, and a second one would be paid for as well.
                    until = self.now() + _LISTED
                    batch = await self._find_created(sent, until=until)
                if not batch and not fault.passing:
                    await self.archive.arrived(sent.key, "")
                    self.spend_limit.release(most, 0.0)
                    raise fault.error from None
        await self.archive.arrived(sent.key, batch)

    async def _find_created(self, sent: Sent, *, until: float) -> str:
        """Return the id of a batch whose creation was cut off, or "" if it is not
        listed by `until` (seconds since 1970)."""
        while not (found := await self._retry(lambda: self._find(sent))):
            if self.now() > until:
                break
            await self.sleep(_FIRST_POLL)
        return found

    async def _find(self, sent: Sent) -> str:
        known = {each.batch for each in await self.archive.sent(None)}
        return await find_batch(self.batches, sent, known)

    async def _store(self, sent: Sent, status: BatchStatus) -> None:
        """Store the results of a batch that has ended. Raises Expired or Cancelled."""
        if not status.readable:
            raise await self._record_lost(sent)
        # After a failure, the results are read again from the first one, and count
        # once.
        cost = await self._retry(lambda: self._read(sent))
        if cost is None:
            await self.archive.lose(self.run, sent.most)
        await self.archive.collected(sent.key)
        self.spend_limit.release(sent.most, cost)
        if status.canceled:
            raise Cancelled(messages.batch_cancelled(batch=sent.batch, run=self.run))

    async def _record_lost(self, sent: Sent) -> Expired:
        """Record a batch without results at its maximum cost; return the error to
        raise."""
        await self.archive.lose(self.run, sent.most)
        await self.archive.collected(sent.key)
        self.spend_limit.release(sent.most, None)
        return Expired(messages.results_gone(batch=sent.batch, run=self.run))

    async def _read(self, sent: Sent) -> float | None:
        """Store the results of a batch; return their cost in USD, or None if the cost
        of one result is unknown."""
        cost, unknown = 0.0, False
        answers: list[tuple[str, Answer]] = []
        results = self.batches.results(sent.batch, self.model, sent.requests)
        async with contextlib.aclosing(results):
            async for result in results:
                answer = self._answer(result)
                cost += answer.cost or 0.0
                unknown = unknown or answer.cost is None
                answers.append((result.name, answer))
                if len(answers) == _STORED_AT_ONCE:
                    await self._put(answers, sent)
                    answers = []
        await self._put(answers, sent)
        return None if unknown else cost

    async def _put(self, answers: list[tuple[str, Answer]], sent: Sent) -> None:
        await self.archive.put(answers, self.model, self.now(), sent.key)
        for _, answer in answers:
            self.on_answer(answer)

    def _answer(self, result: BatchResult) -> Answer:
        tries = self._tried.get(result.name, 0) + 1
        if result.response is not None:
            return bulk_request.read_answer(
                *(self.scheme, result.response),
                now=self.now(),
                tries=tries,
                share=BATCH_SHARE,
            )
        return Answer(reason=_REASONS[result.outcome], tries=tries)

    async def _retry(self, call: Callable[[], Awaitable[T]]) -> T:
        """Return the result of `call`. Retry as long as the API cannot be reached,
        since batches continue in the meantime. Raises the ModelError of a rejection."""
        pause = _FIRST_POLL
        while True:
            try:
                return await call()
            except CallFailed as failed:
                fault = failed.fault
            if not fault.passing:
                raise fault.error
            if pause == _FIRST_POLL:
                self.on_trouble(str(fault.error))
            await self.sleep(fault.retry_after or pause)
            pause = min(_LONGEST_POLL, pause * 2)
