"""Faults of connections, and the sending of files."""

import asyncio
import contextlib
import enum
import logging
from typing import Any

from aiohttp import web

# The beginning of an answer whose end does not come.
_HALF = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b'Content-Length: 500\r\n\r\n{"ok": tr'
)


def runner(app: web.Application, **options: Any) -> web.AppRunner:
    """Return what serves `app`, and when it stops ends calls that a test holds."""
    log = logging.getLogger("aiohttp.server")
    log.addFilter(_is_fault)
    return web.AppRunner(app, access_log=None, logger=log, **options)


def _is_fault(record: logging.LogRecord) -> bool:
    """Return whether a record is about a fault. None is the error of a handler that
    ended in the moment in which aiohttp stopped waiting for it."""
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, asyncio.InvalidStateError)


def sever(request: web.Request, *, half: bool) -> None:
    """Reset the connection of `request`, or end it in the middle of an answer."""
    # Nothing is left to break where the client has hung up.
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
    #: More and more, without an end.
    ENDLESS = "endless"
    #: The connection breaks in the middle.
    CUT = "cut"
    #: Nothing more arrives after the middle.
    STALLED = "stalled"
    #: As CUT, and the length was not announced, so that it looks like the end.
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
        # As of HTTP 1.0: neither a length nor pieces.
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
