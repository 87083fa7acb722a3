"""Message Batches: many requests in one call, answered within a day.

Rule: each request is answered once and in order, as `/v1/messages` would answer it at
that moment. Results come in any order. Nothing happens in the background: each call
about a batch brings it up to the emulator's clock. Numbers in comments point into the
facts sheet ("claude 1.8").

    claude.batches.seconds = 3600.0 # one hour, by the emulator's clock
    claude.batches.faults += [Abort()] # the next call takes effect, its response is
    lost
"""

import asyncio
import random
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Sequence
from typing import Any, Protocol

from aiohttp import web

from tests.emulators.claude.batch import (
    Batch,
    Said,
    bad_params,
    bad_requests,
    line_of,
    said_by,
)
from tests.emulators.claude.prompt import Body, PrefixCache, refusal
from tests.emulators.claude.reply import Abort, Asked, Fail, Step, failure

DAY = 86_400.0
#: How many requests are answered, or results written, before other tasks run.
_AT_ONCE = 100


class Host(Protocol):
    """The emulator, as far as batches use it."""

    base_url: str
    remember: bool
    cache: PrefixCache

    def now(self) -> float: ...
    def stamp(self, at: float) -> str: ...
    async def hear(self, request: web.Request, most: int = 0) -> Asked: ...
    def stranger(self, asked: Asked) -> Fail | None: ...
    def answer(self, body: Body) -> Sequence[Step]: ...


_Handler = Callable[
    ["Batches", web.Request, Asked], Coroutine[Any, Any, web.StreamResponse]
]


class Batches:
    """The routes of Message Batches, and the settings that tests may change."""

    def __init__(self, host: Host) -> None:
        #: Whether the API key may use batches.
        self.allowed = True
        #: `Batch.seconds` and `Batch.expires` of batches that are created from now on.
        self.seconds = 0.0
        self.expires = DAY
        #: Seconds from the creation of a batch for which results are kept.
        self.kept = 29 * DAY
        self.most_bytes = 256 * 1024 * 1024
        #: Whether the counts of an unfinished batch show its progress. The SDK's
        #: documentation says that they are zero until the batch has ended.
        self.counts_early = True
        #: The number of results after which the connection is cut, once; None for no
        #: cut.
        self.results_cut: int | None = None
        #: The faults of the next calls. A `Fail` is answered before the call has any
        #: effect. An `Abort` lets the call take effect, and then cuts the connection.
        self.faults: deque[Fail | Abort] = deque()
        #: How many of the next lists leave out the newest batch. It is not documented
        #: that a batch is listed at once (?).
        self.unlisted = 0
        #: All batches, including deleted ones, the newest last.
        self.made: list[Batch] = []
        self._host = host

    def add_to(self, router: web.UrlDispatcher) -> None:
        """Serve the routes."""
        path = "/v1/messages/batches"
        router.add_post(path, self._route(Batches._create, lambda: self.most_bytes))
        router.add_get(path, self._route(Batches._list))
        router.add_get(f"{path}/{{id}}", self._route(Batches._retrieve))
        router.add_delete(f"{path}/{{id}}", self._route(Batches._delete))
        router.add_post(f"{path}/{{id}}/cancel", self._route(Batches._cancel))
        router.add_get(f"{path}/{{id}}/results", self._route(Batches._results))

    def _route(
        self, handler: _Handler, most: Callable[[], int] = lambda: 0
    ) -> Callable[[web.Request], Coroutine[Any, Any, web.StreamResponse]]:
        """Return `handler` behind the checks and faults of every call."""

        async def serve(request: web.Request) -> web.StreamResponse:
            asked = await self._host.hear(request, most())
            problem = self._host.stranger(asked)
            if problem is None and not self.allowed:
                problem = Fail(403, message="Your API key may not use Message Batches")
            fault = self.faults.popleft() if self.faults and not problem else None
            if isinstance(fault, Fail):
                problem = fault
            try:
                if problem:
                    raise _Refused(problem)
                response = await handler(self, request, asked)
            except _Refused as refused:
                return failure(refused.fail, asked.id)
            if isinstance(fault, Abort) and request.transport is not None:
                request.transport.abort()
            return response

        return serve

    async def _create(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        body = asked.body
        requests = body.get("requests") if isinstance(body, dict) else None
        if wrong := bad_requests(requests):
            raise _Refused(Fail(400, message=wrong))
        assert requests is not None
        batch = Batch(
            id=f"msgbatch_{len(self.made) + 1:06d}",
            requests=list(requests),
            version=asked.headers.get("anthropic-version", ""),
            created=asked.at,
            seconds=self.seconds,
            expires=self.expires,
        )
        self.made.append(batch)
        return self._told(batch)

    async def _list(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        found = [batch for batch in reversed(self.made) if not batch.deleted]
        if self.unlisted:
            self.unlisted -= 1
            found = found[1:]
        page, more = _page(found, request.query)
        for batch in page:
            await self._look(batch)
        return web.json_response(
            {
                "data": [self._described(batch) for batch in page],
                "has_more": more,
                "first_id": page[0].id if page else None,
                "last_id": page[-1].id if page else None,
            }
        )

    async def _retrieve(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        batch = self._found(request)
        await self._look(batch)
        return self._told(batch)

    async def _delete(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        batch = self._found(request)
        await self._look(batch)
        if batch.ended is None:
            message = f"Batch {batch.id} is still in progress: cancel it first"
            raise _Refused(Fail(400, message=message))
        batch.deleted = True
        return web.json_response({"id": batch.id, "type": "message_batch_deleted"})

    async def _cancel(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        batch = self._found(request)
        if batch.cancelled is None:
            await self._look(batch)
            # The response for a batch that has ended is not documented (?).
            if batch.ended is None:
                batch.cancelled = self._host.now()
        return self._told(batch)

    async def _results(self, request: web.Request, asked: Asked) -> web.StreamResponse:
        batch = self._found(request)
        await self._look(batch)
        if batch.ended is None or self._archived(batch):
            message = f"Batch {batch.id} has no results"
            raise _Refused(Fail(404, message=message))
        kind = {"content-type": "application/x-jsonl", "request-id": asked.id}
        response = web.StreamResponse(headers=kind)
        await response.prepare(request)
        order = list(range(len(batch.requests)))
        random.Random(batch.id).shuffle(order)
        cut, self.results_cut = self.results_cut, None
        # All results if there is no cut.
        for chunk in _chunks(order[:cut], _AT_ONCE):
            await response.write(b"".join(line_of(batch, nth) for nth in chunk))
        if cut is not None:
            await _cut(request)
        return response

    def _found(self, request: web.Request) -> Batch:
        id = request.match_info["id"]
        for batch in self.made:
            if batch.id == id and not batch.deleted:
                return batch
        raise _Refused(Fail(404, message=f"Message batch {id} not found"))

    async def _look(self, batch: Batch) -> None:
        """Bring `batch` up to the emulator's clock."""
        if batch.ended is not None:
            return
        if batch.cancelled is not None:
            batch.ended = self._host.now()
            return
        passed = min(self._host.now() - batch.created, batch.expires)
        share = min(1.0, passed / batch.seconds) if batch.seconds > 0 else 1.0
        due = int(share * len(batch.requests))
        while len(batch.outcomes) < due and batch.cancelled is None:
            outcome = self._outcome(batch, len(batch.outcomes))
            batch.outcomes.append(outcome)
            batch.errored += isinstance(outcome, Fail)
            if len(batch.outcomes) % _AT_ONCE == 0:
                await asyncio.sleep(0)
        lasts = min(batch.seconds, batch.expires)
        if passed >= lasts and batch.cancelled is None and batch.ended is None:
            batch.ended = batch.created + lasts

    def _outcome(self, batch: Batch, nth: int) -> Said | Fail:
        """Answer the `nth` request of `batch`. Return the result."""
        request = batch.requests[nth]
        body = request["params"]
        if not self._host.remember:
            batch.requests[nth] = {"custom_id": request["custom_id"]}
        if wrong := bad_params(body) or refusal(body, batch.version):
            return Fail(wrong[0], message=wrong[1])
        said = said_by(self._host.answer(body))
        if isinstance(said, Fail):
            return said
        at = batch.created + batch.seconds * nth / len(batch.requests)
        return Said(body["model"], *said, self._host.cache.spend(body, at))

    def _archived(self, batch: Batch) -> bool:
        return self._host.now() >= batch.created + self.kept

    def _told(self, batch: Batch) -> web.Response:
        return web.json_response(self._described(batch))

    def _described(self, batch: Batch) -> Body:
        gone, ended = self._archived(batch), batch.ended is not None
        url = f"{self._host.base_url}/v1/messages/batches/{batch.id}/results"
        return {
            "id": batch.id,
            "type": "message_batch",
            "processing_status": batch.status,
            "request_counts": self._counts(batch),
            "created_at": self._host.stamp(batch.created),
            "expires_at": self._host.stamp(batch.created + batch.expires),
            "ended_at": self._stamp(batch.ended),
            "cancel_initiated_at": self._stamp(batch.cancelled),
            "archived_at": self._stamp(batch.created + self.kept) if gone else None,
            "results_url": url if ended and not gone else None,
        }

    def _stamp(self, at: float | None) -> str | None:
        return None if at is None else self._host.stamp(at)

    def _counts(self, batch: Batch) -> dict[str, int]:
        ended = batch.ended is not None
        done = len(batch.outcomes) if ended or self.counts_early else 0
        errored = batch.errored if done else 0
        rest = len(batch.requests) - done
        return {
            "processing": 0 if ended else rest,
            "succeeded": done - errored,
            "errored": errored,
            "canceled": rest if ended and batch.cancelled is not None else 0,
            "expired": rest if ended and batch.cancelled is None else 0,
        }


class _Refused(Exception):
    def __init__(self, fail: Fail) -> None:
        super().__init__(fail.message)
        self.fail = fail


def _page(found: list[Batch], query: Any) -> tuple[list[Batch], bool]:
    """Return the page of `found` that `query` asks for, and whether more pages
    follow."""
    limit = str(query.get("limit", "20"))
    if not limit.isdecimal() or not 1 <= int(limit) <= 1000:
        raise _Refused(Fail(400, message="limit: should be from 1 to 1000"))
    ids = [batch.id for batch in found]
    after, before = query.get("after_id"), query.get("before_id")
    for cursor in (after, before):
        if cursor and cursor not in ids:
            raise _Refused(Fail(400, message=f"{cursor} is not in this list"))
    if before:
        until = ids.index(before)
        start = max(0, until - int(limit))
        return found[start:until], start > 0
    start = ids.index(after) + 1 if after else 0
    end = start + int(limit)
    return found[start:end], end < len(found)


def _chunks(numbers: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(numbers), size):
        yield numbers[start : start + size]


async def _cut(request: web.Request) -> None:
    """Cut the connection when the write buffer is empty."""
    transport = request.transport
    while transport is not None and transport.get_write_buffer_size():  # noqa: ASYNC110
        await asyncio.sleep(0)
    if transport is not None:
        transport.abort()
