"""Health checks and metrics, for a supervisor and for monitoring.

Rule: a supervisor sends a request every few seconds, without a token. Only callers who
may see the pages learn why the process is not ready; others learn that it is not.
Unless the server is open, metrics need a token with the scope read.
"""

import contextlib

from aiohttp import web
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import choose_encoder

from adapters.web.context import Core
from adapters.web.metrics import Metrics
from adapters.web.tokens import Callers
from bot.domain.api_token import TokenScope
from bot.errors import StorageError


def routes(context: Core) -> list[web.RouteDef]:
    """Return the routes of health checks and metrics."""
    callers = Callers(context)
    monitor = context.host.reports.monitor

    async def alive(request: web.Request) -> web.Response:
        return web.json_response({"alive": True})

    async def ready(request: web.Request) -> web.Response:
        problems = await monitor.unready()
        said: dict[str, object] = {"ready": not problems}
        # If the database fails, the caller is unknown.
        with contextlib.suppress(StorageError):
            caller = await callers.visitor(request)
            if caller is not None and caller.allows(TokenScope.ADMIN):
                said["problems"] = problems
        return web.json_response(said, status=503 if problems else 200)

    async def metrics(request: web.Request) -> web.Response:
        await callers.program(request, TokenScope.READ)
        registry = CollectorRegistry()
        registry.register(
            Metrics(
                monitor.vitals(),
                await monitor.open_turns(),
                await monitor.calls(),
                await monitor.unready(),
            )
        )
        encode, kind = choose_encoder(request.headers.get("Accept", ""))
        return web.Response(body=encode(registry), headers={"Content-Type": kind})

    return [
        web.get("/healthz", alive),
        web.get("/readyz", ready),
        web.get("/metrics", metrics),
    ]
