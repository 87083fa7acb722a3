"""Asks about many tickets through Message Batches: half the price, within a day.

Rule: a batch is noted before it is sent, and looked for when nobody knows whether it
arrived; what it has is kept before it counts as collected. So whatever breaks off
where, no ticket is paid for twice. (Claude facts 1.8: what a batch promises.)
"""

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import anthropic
import httpx2
from anthropic.pagination import AsyncPage
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from bot.claude.errors import GARBLED, Fault, judge
from bot.errors import ConfigError, ModelDenied, ModelError
from bot.ports.archive import Archive, Sent
from bot.schemes.scheme import Scheme
from bot.triage.answer import CANCELED, EXPIRED, FAILED, REJECTED, Answer
from bot.triage.bulk import request as bulk_request
from bot.triage.bulk.concurrent import Question
from bot.triage.bulk.spend_limit import BudgetReached, SpendLimit

T = TypeVar("T")

log = logging.getLogger(__name__)

#: What a batch costs, of the price of as many calls.
SHARE = 0.5

# The API takes 100,000 requests and 256 MB (Claude facts 1.8). A batch is held in
# memory while it is sent, and a smaller one ends sooner.
MOST_REQUESTS = 100_000
MOST_BYTES = 24_000_000

# Seconds: to send one, until a lost one must have arrived, and between two looks.
_SENDING = 600.0
_SETTLED = 60.0
_FIRST_LOOK, _LONGEST_LOOK = 2.0, 60.0
# By how much two clocks may differ, in looking for a batch by when it was made.
_SKEW = timedelta(minutes=10)

_KEPT_AT_ONCE = 500

_ERRORS = (anthropic.APIError, httpx2.HTTPError, *GARBLED)


class Expired(ConfigError):
    """What a batch had to say is there no more."""


class Cancelled(ConfigError):
    """Somebody cancelled a batch."""


class _Unknown(ModelDenied):
    """Claude does not know a batch."""


@dataclass
class BatchClassifier:
    """Asks about the tickets of one run through batches."""

    client: anthropic.AsyncAnthropic
    scheme: Scheme
    model: str
    archive: Archive
    run: str
    purse: SpendLimit
    #: Told how many requests of the open batches are answered and not read yet.
    moved: Callable[[int], None] = lambda done: None
    #: Told of each answer that was kept.
    noted: Callable[[Answer], None] = lambda answer: None
    now: Callable[[], float] = time.time
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    #: Told of each time in which Claude does not answer, why.
    troubled: Callable[[str], None] = lambda why: None
    most_bytes: int = MOST_BYTES
    #: How often a ticket was asked about before, where it was.
    _tried: dict[str, int] = field(default_factory=dict)

    async def sort(self, questions: Callable[[], AsyncIterator[Question]]) -> None:
        """Ask about all that `questions` gives, until it gives none; it is asked anew
        once all batches are collected.

        Raises BudgetReached, Expired, or the ModelError for which nothing more can be
        asked. Batches that are under way stay so.
        """
        for sent in await self.archive.sent(self.run):
            if not sent.collected and not sent.batch:
                await self._look_for(sent)
        for sent in await self._open():
            self.purse.hold(sent.most)
        await self._collect()
        while await self._send_all(questions()):
            await self._collect()

    async def _collect(self) -> None:
        """Wait for every batch of the run, and keep what they have."""
        waiting = await self._open()
        answered: dict[int, int] = {}
        pause = _FIRST_LOOK
        while waiting:
            for sent in list(waiting):
                found = await self._look_at(sent)
                answered[sent.key] = _processed(found)
                if found.processing_status == "ended":
                    await self._keep(sent, found)
                    del answered[sent.key]
                    waiting.remove(sent)
                    pause = _FIRST_LOOK
            self.moved(sum(answered.values()))
            if waiting:
                await self.sleep(pause)
                pause = min(_LONGEST_LOOK, pause * 1.5)

    async def _look_at(self, sent: Sent) -> MessageBatch:
        async def look() -> MessageBatch:
            return await self.client.messages.batches.retrieve(sent.batch)

        try:
            return await self._insist(look)
        except _Unknown:
            raise await self._gone(sent) from None

    async def _open(self) -> list[Sent]:
        sent = await self.archive.sent(self.run)
        return [each for each in sent if each.batch and not each.collected]

    async def _send_all(self, questions: AsyncIterator[Question]) -> bool:
        """Send what `questions` gives in as few batches as it takes; say whether there
        was anything to send."""
        chunk: list[dict[str, Any]] = []
        size, most = 0, 0.0
        sent = False
        async for question in questions:
            if reason := bulk_request.too_long(question.text):
                marked = Answer(reason=reason)
                await self.archive.put(
                    [(question.name, marked)], self.model, self.now(), 0
                )
                self.noted(marked)
                continue
            request, dearest = self._request(question)
            length = len(json.dumps(request["params"], ensure_ascii=False).encode())
            over = size + length > self.most_bytes or len(chunk) == MOST_REQUESTS
            broke = most + dearest > self.purse.left
            if chunk and (over or broke):
                await self._send(chunk, most)
                chunk, size, most, sent = [], 0, 0.0, True
            if dearest > self.purse.left:
                # What is under way may leave some; without any, that is all.
                if not sent:
                    raise BudgetReached
                return True
            chunk.append(request)
            size, most = size + length, most + dearest
        if chunk:
            await self._send(chunk, most)
        return sent or bool(chunk)

    def _request(self, question: Question) -> tuple[dict[str, Any], float]:
        """The request for `question`, and the most that it can cost."""
        params = bulk_request.parameters(
            self.scheme, self.model, question.text, tries=question.tries
        )
        if question.tries:
            self._tried[question.name] = question.tries
        dearest = bulk_request.most(params, self.now(), SHARE) or 0.0
        return {"custom_id": question.name, "params": params}, dearest

    async def _send(self, chunk: list[dict[str, Any]], most: float) -> None:
        sent = await self.archive.send(
            Sent(0, self.run, "", self.now(), len(chunk), most)
        )
        await self.purse.take(most)
        while True:
            try:
                made = await self.client.messages.batches.create(
                    requests=chunk,  # type: ignore[arg-type]
                    timeout=_SENDING,
                )
                await self.archive.arrived(sent.key, made.id)
                log.info("triage.sent batch=%s requests=%d", made.id, len(chunk))
                return
            except _ERRORS as error:
                fault = _judged(error, self.model)
                refused = isinstance(error, anthropic.APIStatusError)
                if refused and not fault.passing:
                    await self.archive.arrived(sent.key, "")
                    self.purse.settle(most, 0.0)
                    raise fault.error from None
                await self.sleep(fault.retry_after or _FIRST_LOOK)
                if not refused and (found := await self._arrived(sent, fault)):
                    await self.archive.arrived(sent.key, found)
                    return

    async def _arrived(self, sent: Sent, fault: Fault) -> str:
        """Claude's id of a batch whose sending ended with `fault`; "" if it did not
        arrive. It is looked for until it must have, for a second one would be paid for,
        too."""
        slept = 0.0
        while not (found := await self._find(sent)):
            if not fault.billed or slept >= _SETTLED:
                break
            await self.sleep(_FIRST_LOOK)
            slept += _FIRST_LOOK
        return found

    async def _look_for(self, sent: Sent) -> None:
        """Find out whether a batch arrived whose sending broke off."""
        while not (found := await self._find(sent)):
            if self.now() - sent.at > _SETTLED:
                break
            await self.sleep(_FIRST_LOOK)
        await self.archive.arrived(sent.key, found)

    async def _find(self, sent: Sent) -> str:
        """Claude's id of a batch that may have arrived; "" if it did not."""
        known = {each.batch for each in await self.archive.sent(None)}
        earliest = datetime.fromtimestamp(sent.at, UTC) - _SKEW

        async def look() -> AsyncPage[MessageBatch]:
            return await self.client.messages.batches.list(limit=100)

        page = await self._insist(look)
        async for each in page:
            if each.created_at < earliest:
                return ""
            counts = each.request_counts
            total = _processed(each) + counts.processing
            if total == sent.requests and each.id not in known:
                return each.id
        return ""

    async def _keep(self, sent: Sent, found: MessageBatch) -> None:
        """Keep all results of a batch that has ended."""
        if found.archived_at is not None or not found.results_url:
            raise await self._gone(sent)
        cost: float | None = None
        while True:
            try:
                cost = await self._read(sent)
                break
            except _ERRORS as error:
                fault = _judged(error, self.model)
                if not fault.passing:
                    raise fault.error from None
                # They are read again from the first on, and count once.
                await self.sleep(fault.retry_after or _FIRST_LOOK)
        if cost is None:
            await self.archive.lose(self.run, sent.most)
        await self.archive.collected(sent.key)
        self.purse.settle(sent.most, cost)
        if found.request_counts.canceled:
            raise Cancelled(
                f"Batch {sent.batch} was cancelled. What it had answered is kept; "
                f"`threadkeep triage resume {self.run}` asks about the rest."
            )

    async def _gone(self, sent: Sent) -> Expired:
        await self.archive.lose(self.run, sent.most)
        await self.archive.collected(sent.key)
        self.purse.settle(sent.most, None)
        return Expired(
            f"The results of batch {sent.batch} are gone: Claude keeps them for 29 "
            f"days, or until it is deleted. `threadkeep triage resume {self.run}` asks "
            "about its tickets anew."
        )

    async def _read(self, sent: Sent) -> float | None:
        """Keep the results of a batch; return what they cost, in USD, or None where
        that is not known of all."""
        cost, kept, unknown = 0.0, 0, False
        batch: list[tuple[str, Answer]] = []
        results = await self.client.messages.batches.results(sent.batch)
        async for result in results:
            answer = self._answer(result)
            cost += answer.cost or 0.0
            unknown = unknown or answer.cost is None
            batch.append((result.custom_id, answer))
            kept += 1
            if len(batch) == _KEPT_AT_ONCE:
                await self._put(batch, sent)
                batch = []
        await self._put(batch, sent)
        if kept < sent.requests:
            # The stream ended before the results did.
            raise anthropic.APIConnectionError(request=results.http_response.request)
        return None if unknown else cost

    async def _put(self, batch: list[tuple[str, Answer]], sent: Sent) -> None:
        await self.archive.put(batch, self.model, self.now(), sent.key)
        for _, answer in batch:
            self.noted(answer)

    def _answer(self, result: MessageBatchIndividualResponse) -> Answer:
        said = result.result
        tries = self._tried.get(result.custom_id, 0) + 1
        if said.type == "succeeded":
            return bulk_request.read(
                self.scheme,
                said.message,
                model=self.model,
                now=self.now(),
                tries=tries,
                share=SHARE,
            )
        if said.type == "errored":
            invalid = said.error.error.type == "invalid_request_error"
            return Answer(reason=REJECTED if invalid else FAILED, tries=tries)
        reason = EXPIRED if said.type == "expired" else CANCELED
        return Answer(reason=reason, tries=tries)

    async def _insist(self, call: Callable[[], Awaitable[T]]) -> T:
        """What `call` returns, however long Claude cannot be reached: a batch goes on
        in the meantime. Raises the ModelError of a refusal."""
        pause = _FIRST_LOOK
        while True:
            try:
                return await call()
            except _ERRORS as error:
                fault = _judged(error, self.model)
                if not fault.passing:
                    raise fault.error from None
                if pause == _FIRST_LOOK:
                    self.troubled(str(fault.error))
                await self.sleep(fault.retry_after or pause)
                pause = min(_LONGEST_LOOK, pause * 2)


async def cancel(client: anthropic.AsyncAnthropic, ids: Sequence[str]) -> None:
    """Ask for batches to be cancelled. Raises a ModelError."""
    for each in ids:
        try:
            await client.messages.batches.cancel(each)
        except _ERRORS as error:
            raise _judged(error, "batches").error from None


def _processed(batch: MessageBatch) -> int:
    counts = batch.request_counts
    return counts.succeeded + counts.errored + counts.canceled + counts.expired


def _judged(error: Exception, model: str) -> Fault:
    """What `error` means where batches are asked for."""
    fault = judge(error, model)
    denied: ModelError | None = None
    if isinstance(error, anthropic.PermissionDeniedError):
        denied = ModelDenied(
            "the key in ANTHROPIC_API_KEY may not use batches: leave out --batch, or "
            f"use another key ({error.status_code})"
        )
    elif isinstance(error, anthropic.NotFoundError) and error.type:
        denied = _Unknown(
            "Claude does not know this batch: it was deleted, or belongs to another "
            "workspace than the key in ANTHROPIC_API_KEY"
        )
    return replace(fault, error=denied) if denied else fault
