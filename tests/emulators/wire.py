"""Breaks connections, and sends files."""

import asyncio
import contextlib
import enum
import logging
from typing import Any

from aiohttp import web

# The beginning of a response that breaks off.
_HALF = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b'Content-Length: 500\r\n\r\n{"ok": tr'
)


def runner(app: web.Application, **options: Any) -> web.AppRunner:
    """Return a runner for `app`. When it stops, it ends calls that a test holds."""
    log = logging.getLogger("aiohttp.server")
    log.addFilter(_is_fault)
    return web.AppRunner(app, access_log=None, logger=log, **options)


def _is_fault(record: logging.LogRecord) -> bool:
    """Return whether a log record is about a fault. An InvalidStateError is not: its
    handler ended just when aiohttp stopped waiting for it."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.InvalidStateError)


def sever(request: web.Request, *, half: bool) -> None:
    """Reset the connection of `request` or, with `half`, end it in the middle of a
    response."""
    # The client may have closed the connection already.
    if not isinstance(request.transport, asyncio.Transport):
        return
    if half:
        request.transport.write(_HALF)
        request.transport.close()
    else:
        request.transport.abort()


class Body(enum.Enum):
    """The way in which the body of a file arrives."""

    WHOLE = "whole"
    #: The body never ends.
    ENDLESS = "endless"
    #: The connection breaks in the middle.
    CUT = "cut"
    #: Nothing arrives after the middle.
    STALLED = "stalled"
    #: Like CUT, but without a Content-Length, so that the cut looks like the end.
    UNMARKED = "unmarked"


async def send(
    request: web.Request, content: bytes, body: Body, content_type: str
) -> web.StreamResponse:
    """Answer `request` with a file."""
    headers = {"Content-Type": content_type}
    if body is Body.WHOLE:
        return web.Response(body=content, headers=headers)
    half, transport = content[: len(content) // 2], request.transport
    response = web.StreamResponse(headers=headers)
    if body is Body.UNMARKED and isinstance(transport, asyncio.Transport):
        # As in HTTP 1.0: neither a length nor chunks.
        transport.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n" + half)
        transport.close()
        return response
    if body is not Body.ENDLESS:
        response.content_length = len(content)
    await response.prepare(request)
    with contextlib.suppress(ConnectionError):
        await response.write(half)
        while body is Body.ENDLESS:
            await response.write(bytes(2**16))
        if body is Body.STALLED:
            await asyncio.Event().wait()
        if transport is not None:
            transport.close()
    return response
