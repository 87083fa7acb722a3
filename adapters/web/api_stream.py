"""Streams answers, each from the position of its reader to the end.

A stream always ends with `done` or `error`. If it ends without one, because the network
or the server failed, the reader resumes it with the last event id.
"""

import asyncio
import logging
import socket

from aiohttp import web

from adapters.web import api_values as values
from adapters.web.context import Context, Refused
from adapters.web.event_stream import (
    END,
    HEARTBEAT,
    RECEIPT,
    RETRY,
    TEXT,
    Cursor,
    Position,
    event,
)
from adapters.web.live_answers import Live, LiveAnswers
from adapters.web.threads import TooManyReaders
from adapters.web.tokens import Caller, Callers
from bot.domain.api_thread import AnswerSoFar
from bot.domain.api_token import TokenScope
from bot.domain.scope import ThreadKey
from bot.domain.turn import Ended
from bot.errors import StorageError
from bot.messages import web as page_texts
from bot.messages import web_api as texts

log = logging.getLogger(__name__)

#: Seconds without an event after which a comment is sent, and the token is checked
#: again. Proxies close a connection that is silent for a minute.
HEARTBEAT_EVERY = 15.0
#: Seconds that a reader may take to read sent data before it is disconnected.
PATIENCE = 30.0
#: The size, in bytes, of the kernel's send buffer for one reader; the kernel doubles
#: it. The server's own buffer has the same size.
BUFFER = 64 * 1024

HEADERS = {
    "Content-Type": "text/event-stream; charset=utf-8",
    "Cache-Control": "no-store",
    # Without this header, nginx would buffer the stream.
    "X-Accel-Buffering": "no",
}

_ERRORS = {
    Ended.REFUSED: ("refused", texts.REFUSED),
    Ended.FAILED: ("failed", texts.FAILED),
    Ended.INTERRUPTED: ("interrupted", texts.INTERRUPTED),
}


class Streams:
    """The open streams."""

    def __init__(self, context: Context, callers: Callers) -> None:
        self._api = context.host.api
        self._callers = callers
        self._live = LiveAnswers(context.host.api.answer, context.threads)

    async def send(
        self, request: web.Request, caller: Caller, thread: ThreadKey, begin: Position
    ) -> web.StreamResponse:
        """Send the answer to the message of `begin`, from that position on. Raises
        Refused if there is no answer, or if too many streams are open."""
        try:
            async with self._live.reading(thread, begin.message) as live:
                await _first(live)
                if live.answer is None:
                    if begin.offset:
                        raise Refused(404, "not_found", texts.NO_SUCH_ANSWER)
                    raise Refused(409, "not_answered", texts.NOT_ANSWERED)
                response = web.StreamResponse(headers=HEADERS)
                await response.prepare(request)
                _bound_buffer(request)
                stream = _Stream(response, request, thread, Cursor(begin))
                try:
                    await self._pass_on(stream, live, caller)
                except TimeoutError:
                    # The reader does not read. Discard the data that waits for it.
                    log.info("web.reader_cut_off thread=%s", thread)
                    if request.transport is not None:
                        request.transport.abort()
                return response
        except TooManyReaders:
            headers = {"Retry-After": "60"}
            text = texts.TOO_MANY_STREAMS
            raise Refused(503, "too_many_streams", text, headers) from None

    async def _pass_on(self, stream: "_Stream", live: Live, caller: Caller) -> None:
        """Send the stored text, then each change, until the end of the answer."""
        await stream.write(RETRY)
        await stream.begin()
        version = -1
        while True:
            if live.version != version:
                version, answer = live.version, live.answer
                if answer is None:
                    await stream.error("deleted", texts.DELETED)
                    return
                await stream.text(answer.text)
                if answer.is_final:
                    await self._finish(stream, answer)
                    return
            elif live.ended:
                # The server stops; the reader reconnects to the next one.
                return
            try:
                async with asyncio.timeout(HEARTBEAT_EVERY):
                    await live.changed(version)
            except TimeoutError:
                if not await self._may_go_on(caller):
                    await stream.error("unauthorized", texts.BAD_TOKEN)
                    return
                await stream.write(HEARTBEAT)

    async def _finish(self, stream: "_Stream", answer: AnswerSoFar) -> None:
        if stream.cursor.stage == TEXT:
            try:
                receipt = await self._api.receipt(stream.thread, answer.turn)
            except StorageError:
                # The answer is complete without its receipt.
                receipt = None
            if receipt is not None:
                await stream.receipt(values.receipt_event(receipt))
        note = plain(answer.note)
        if answer.ended in _ERRORS:
            code, text = _ERRORS[answer.ended]
            await stream.error(code, note or text, answer.turn)
        else:
            await stream.done(answer, note)

    async def _may_go_on(self, caller: Caller) -> bool:
        try:
            return await self._callers.still_may(caller, TokenScope.CHAT)
        except StorageError:
            return True


class _Stream:
    """Writes the events of one stream."""

    def __init__(
        self,
        response: web.StreamResponse,
        request: web.Request,
        thread: ThreadKey,
        cursor: Cursor,
    ) -> None:
        self._response = response
        self.thread = thread
        self.cursor = cursor

    async def begin(self) -> None:
        """Send the id of the thread, before the answer has text."""
        data = {"text": "", "thread": self.thread.thread}
        await self.write(event("delta", data, self.cursor.id))

    async def text(self, text: str) -> None:
        """Send the part of `text` that the reader does not have."""
        while sent := self.cursor.take(text):
            await self.write(sent)

    async def receipt(self, data: dict[str, object]) -> None:
        self.cursor.stage = RECEIPT
        await self.write(event("receipt", data, self.cursor.id))

    async def done(self, answer: AnswerSoFar, note: str) -> None:
        self.cursor.stage = END
        data = values.done_event(self.thread.thread, answer, note)
        await self.write(event("done", data, self.cursor.id))

    async def error(self, code: str, text: str, turn: str = "") -> None:
        self.cursor.stage = END
        data = {"code": code, "message": text, "thread": self.thread.thread}
        await self.write(event("error", {**data, "turn": turn}, self.cursor.id))

    async def write(self, data: bytes) -> None:
        """Send `data`. Raises TimeoutError if the reader does not read."""
        async with asyncio.timeout(PATIENCE):
            await self._response.write(data)


async def _first(live: Live) -> None:
    """Wait until the answer was read from the store once. Raises Refused if that
    fails."""
    try:
        async with asyncio.timeout(PATIENCE):
            await live.changed(0)
    except TimeoutError:
        raise Refused(503, "storage", StorageError.user_text) from None


def _bound_buffer(request: web.Request) -> None:
    """Limit the data that the kernel buffers for a reader that does not read. By
    default, the kernel would buffer some megabytes for each."""
    if request.transport is None:
        return
    connection = request.transport.get_extra_info("socket")
    if connection is not None:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)


def plain(note: str) -> str:
    """Return the note below an answer as plain text, without the hint for people in a
    chat."""
    lines = [line.strip("⚠\ufe0f _") for line in note.splitlines()]
    return " ".join(line for line in lines if line and line != page_texts.HINT)
