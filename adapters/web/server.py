"""The web server: an aiohttp application in the process of `threadkeep serve`, or one
with health checks only in a gateway or worker."""

import asyncio
import contextlib
import errno
import logging
import socket
import time
from collections.abc import AsyncIterator, Callable, Mapping
from functools import cache
from pathlib import Path

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from adapters.web import actions, api, config, console, events, health, pages, sign_in
from adapters.web.board import Board
from adapters.web.config import WebConfig
from adapters.web.context import Context, Core
from adapters.web.drawing import Drawing
from adapters.web.guards import add_headers, guards
from adapters.web.threads import Threads
from bot.errors import ConfigError
from bot.messages import labels
from bot.messages import web as texts
from bot.ports.api_tokens import TokenList
from bot.ports.host import Host

log = logging.getLogger(__name__)

HERE = Path(__file__).parent

#: The largest request in bytes, files included; larger than one file that Claude reads.
MOST_BYTES = 40_000_000
#: How many ports are tried if nobody chose one.
TRIED = 20
#: Seconds for open streams to end when the server stops.
GRACE = 1.0


#: A module that adds routes.
Routes = Callable[[Context], list[web.RouteDef]]

#: All groups of routes.
GROUPS: tuple[Routes, ...] = (
    pages.routes,
    events.routes,
    actions.routes,
    api.routes,
    sign_in.routes,
    health.routes,
    console.routes,
)


def application(context: Context) -> web.Application:
    """Return the application with all routes and guards."""
    app = web.Application(
        middlewares=[*guards(context), sign_in.admitting(context)],
        client_max_size=MOST_BYTES,
    )
    # This includes streams, whose routes begin the response themselves.
    app.on_response_prepare.append(add_headers)
    for group in GROUPS:
        app.add_routes(group(context))
    app.router.add_static("/static", HERE / "static", append_version=True)
    return app


@cache
def environment() -> Environment:
    """Return the templates, which escape everything that they show. All servers of a
    process share them, because compiling a template takes milliseconds."""
    found = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    found.globals["texts"] = texts
    found.globals["labels"] = labels
    return found


@contextlib.asynccontextmanager
async def serving(
    settings: WebConfig, host: Host, board: Board, threads: Threads
) -> AsyncIterator[str]:
    """Run the server, and yield its address. Raises ConfigError if the address cannot
    be used."""
    templates = environment()
    context = Context(settings, host, board, threads, templates, Drawing(templates))
    async with _running(application(context), settings) as address:
        try:
            yield address
        finally:
            threads.close()


@contextlib.asynccontextmanager
async def monitoring(
    env: Mapping[str, str], tokens: TokenList, host: Host
) -> AsyncIterator[str]:
    """Serve health checks and metrics only, and yield the address. Raises ConfigError
    if the address cannot be used."""
    settings = config.read(env)
    await require_guarded(settings, tokens)
    core = Core(settings, host)
    served = web.Application(middlewares=guards(core))
    served.on_response_prepare.append(add_headers)
    served.add_routes(health.routes(core))
    async with _running(served, settings, texts.health_address_taken) as address:
        yield address


async def require_guarded(settings: WebConfig, tokens: TokenList) -> None:
    """Raise ConfigError if anybody who can reach the address could use the server."""
    if settings.is_loopback or settings.proxies:
        return
    now = time.time()
    if not any(each.is_valid(now) for each in await tokens.tokens()):
        raise ConfigError(texts.open_to_others(address=settings.host))


@contextlib.asynccontextmanager
async def _running(
    served: web.Application,
    settings: WebConfig,
    taken: Callable[..., str] = texts.address_taken,
) -> AsyncIterator[str]:
    """Run the application; yield the address. Raises ConfigError, with the text `taken`
    if another program uses the address."""
    runner = web.AppRunner(
        served,
        access_log=None,
        shutdown_timeout=GRACE,
        handler_cancellation=True,
    )
    await runner.setup()
    try:
        listener = listen(settings, taken)
        await web.SockSite(runner, listener).start()
        address = address_of(settings, listener)
        log.info("web.listening address=%s", address)
        yield address
    finally:
        await runner.cleanup()


def listen(
    settings: WebConfig, taken: Callable[..., str] = texts.address_taken
) -> socket.socket:
    """Return the socket to serve on. Raises ConfigError, with the text `taken` if
    another program uses the address."""
    ports = [settings.port]
    if not settings.is_chosen:
        ports = [*range(settings.port, settings.port + TRIED), 0]
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    for port in ports:
        found = socket.socket(family, socket.SOCK_STREAM)
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            found.bind((settings.host, port))
        except OSError as error:
            found.close()
            if error.errno == errno.EADDRINUSE and port != ports[-1]:
                continue
            where = f"{settings.host}:{settings.port}"
            raise ConfigError(
                taken(address=where)
                if error.errno == errno.EADDRINUSE
                else texts.address_unusable(address=where)
            ) from error
        found.listen(1024)
        found.setblocking(False)
        return found
    raise AssertionError


def address_of(settings: WebConfig, listener: socket.socket) -> str:
    """Return the address that people open."""
    port = listener.getsockname()[1]
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{port}"


async def forever() -> None:
    """Wait until cancelled."""
    await asyncio.Event().wait()
