"""Sends Message Batches: half the price, with results within a day.

Rule: a call is made once and never retried here. Each failure is a CallFailed. (Claude
facts 1.8 lists what the API promises for batches.)
"""

import contextlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal

import anthropic
from anthropic.types.messages import MessageBatch, MessageBatchIndividualResponse

from bot.claude.client import ClaudeClient
from bot.claude.errors import SDK_ERRORS, CallFailed, Fault, judge
from bot.claude.request import parameters
from bot.claude.usage import MessageResponse, response_of
from bot.domain.completion import Request
from bot.errors import ModelDenied, ModelUnreachable
from bot.messages import claude as messages

#: The price of a call in a batch, as a share of the list price.
BATCH_SHARE = 0.5

# The most requests of a batch, by the API's limit. A batch also has at most 256 MB.
MOST_REQUESTS = 100_000

# The time limit for sending a batch, in seconds.
_SENDING = 600.0
# Batches on a page of the list.
_PAGE = 100

#: The outcome of one request of a batch: "invalid" means that the API rejects the
#: request, "failed" that the API had an error.
Outcome = Literal["succeeded", "invalid", "failed", "expired", "canceled"]


class UnknownBatch(ModelDenied):
    """The API does not know a batch."""


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """The progress of a batch."""

    id: str
    created_at: datetime
    #: The number of requests, of requests with a result, and of canceled requests among
    #: the latter.
    requests: int
    processed: int
    canceled: int
    ended: bool
    #: Whether the results can be read: the API keeps them for 29 days.
    readable: bool


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The result of one request."""

    #: The name of the request.
    name: str
    outcome: Outcome
    #: The answer, if the request succeeded.
    response: MessageResponse | None = None


class Batches:
    """The batches of one API key."""

    def __init__(self, client: ClaudeClient) -> None:
        self._batches = client.sdk.messages.batches

    async def create(self, requests: Sequence[tuple[str, Request]]) -> str:
        """Send `requests` as a batch, and return the id of the batch.

        Each request has a name of at most 64 letters, digits, - and _. Raises
        CallFailed.
        """
        items: list[Any] = [
            {"custom_id": name, "params": parameters(request)}
            for name, request in requests
        ]
        with _translated():
            made = await self._batches.create(requests=items, timeout=_SENDING)
            return made.id

    async def retrieve(self, id: str) -> BatchStatus:
        """Return the status of batch `id`. Raises CallFailed."""
        with _translated():
            return _status(await self._batches.retrieve(id))

    async def newest(self) -> AsyncGenerator[BatchStatus, None]:
        """Yield all batches, the newest first. Raises CallFailed."""
        with _translated():
            async for each in await self._batches.list(limit=_PAGE):
                yield _status(each)

    async def results(
        self, id: str, requested: str, count: int
    ) -> AsyncGenerator[BatchResult, None]:
        """Yield the `count` results of batch `id`, in any order.

        `requested` is the model of the requests. Raises CallFailed, also if results are
        missing.
        """
        read = 0
        with _translated():
            async for each in await self._batches.results(id):
                yield _result(each, requested)
                read += 1
        if read < count:
            text = messages.RESULTS_CUT
            raise CallFailed(Fault(ModelUnreachable(text), passing=True))

    async def cancel(self, id: str) -> bool:
        """Cancel batch `id`; return False if it has ended or does not exist.

        Existing results stay. Raises a ModelError.
        """
        try:
            with _translated():
                if _status(await self._batches.retrieve(id)).ended:
                    return False
                await self._batches.cancel(id)
        except CallFailed as failed:
            if isinstance(failed.fault.error, UnknownBatch):
                return False
            raise failed.fault.error from None
        return True


def _status(batch: MessageBatch) -> BatchStatus:
    counts = batch.request_counts
    processed = counts.succeeded + counts.errored + counts.canceled + counts.expired
    return BatchStatus(
        batch.id,
        batch.created_at,
        requests=processed + counts.processing,
        processed=processed,
        canceled=counts.canceled,
        ended=batch.processing_status == "ended",
        readable=batch.archived_at is None and bool(batch.results_url),
    )


def _result(each: MessageBatchIndividualResponse, requested: str) -> BatchResult:
    result = each.result
    if result.type == "succeeded":
        response = response_of(result.message, requested)
        return BatchResult(each.custom_id, "succeeded", response)
    if result.type == "errored":
        invalid = result.error.error.type == "invalid_request_error"
        return BatchResult(each.custom_id, "invalid" if invalid else "failed")
    return BatchResult(each.custom_id, result.type)


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """Raise CallFailed for any error of the SDK."""
    try:
        yield
    except SDK_ERRORS as error:
        raise CallFailed(_fault(error)) from None


def _fault(error: Exception) -> Fault:
    fault = judge(error, "batches")
    if isinstance(error, anthropic.PermissionDeniedError):
        text = messages.key_may_not_batch(status=error.status_code)
        return replace(fault, error=ModelDenied(text))
    if isinstance(error, anthropic.NotFoundError) and error.type:
        text = messages.UNKNOWN_BATCH
        return replace(fault, error=UnknownBatch(text))
    return fault
