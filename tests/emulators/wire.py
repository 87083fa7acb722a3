"""How a connection breaks, whatever was said over it."""

import asyncio

from aiohttp import web

# The beginning of an answer whose end does not come.
_HALF = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    b'Content-Length: 500\r\n\r\n{"ok": tr'
)


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
