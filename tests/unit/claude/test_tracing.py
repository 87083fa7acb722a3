"""Spans of the calls to Claude: where the operator wants them, and without words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
)

from bot.claude.client import connect
from bot.claude.tracing import spans
from bot.config import Config
from bot.domain.tracing import Tracing
from bot.errors import ConfigError, ModelError
from tests.emulators.claude.emulator import ClaudeEmulator
from tests.emulators.claude.reply import Fail
from tests.support.claude_harness import ASK, SECRET, text_of


class Collector:
    """Takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.headers: list[str] = []
        self.address = ""

    async def take(self, request: web.Request) -> web.Response:
        self.bodies.append(await request.read())
        self.headers.append(request.headers.get("authorization", ""))
        return web.Response()

    @property
    def spans(self) -> dict[str, dict[str, str]]:
        """The attributes of each span, as text, by name."""
        found = {}
        for body in self.bodies:
            for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
                for scope in resource.scope_spans:
                    for span in scope.spans:
                        found[span.name] = {
                            each.key: str(each.value) for each in span.attributes
                        }
        return found


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    app = web.Application()
    app.router.add_post("/v1/traces", collector.take)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    collector.address = f"http://{host}:{port}"
    try:
        yield collector
    finally:
        await runner.cleanup()


def read(collector: Collector, **more: str) -> Tracing:
    env = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.address,
        "OTEL_EXPORTER_OTLP_HEADERS": "Authorization=Bearer%20abc",
        **more,
    }
    found = Config.from_env(env).tracing
    assert found is not None
    return found


async def test_a_call_is_a_span_with_numbers_and_no_words(
    claude: ClaudeEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever sets this for other programs must not get what people wrote here.
    monkeypatch.setenv("ANTHROPIC_OPEN_TELEMETRY_TRACES_CONTENT_MODE", "content")
    claude.script("The secret answer.")
    async with collecting() as collector:
        async with (
            spans(read(collector)) as options,
            connect(claude.api_key, claude.base_url, {}, options) as model,
        ):
            assert await text_of(model) == "The secret answer."
        assert collector.headers[0] == "Bearer abc"
        [(name, attributes)] = collector.spans.items()
    assert name == "anthropic.messages.create"
    assert ASK.model in attributes["gen_ai.request.model"]
    for body in collector.bodies:
        for word in (SECRET, "secret answer", "You are kind", claude.api_key):
            assert word.encode() not in body
        assert b"threadkeep" in body


async def test_an_error_is_in_the_span_without_its_words(
    claude: ClaudeEmulator,
) -> None:
    claude.script(Fail(400, "invalid_request_error", f"no {SECRET}"))
    async with collecting() as collector:
        async with (
            spans(read(collector)) as options,
            connect(claude.api_key, claude.base_url, {}, options) as model,
        ):
            with pytest.raises(ModelError):
                await text_of(model)
        assert collector.spans
    assert all(SECRET.encode() not in body for body in collector.bodies)


async def test_a_collector_that_is_not_there_changes_no_answer(
    claude: ClaudeEmulator,
) -> None:
    claude.script("Yes.")
    nowhere = Tracing("http://127.0.0.1:9/v1/traces")
    async with (
        asyncio.timeout(60),
        spans(nowhere) as options,
        connect(claude.api_key, claude.base_url, {}, options) as model,
    ):
        assert await text_of(model) == "Yes."


@pytest.mark.parametrize(
    ("env", "endpoint"),
    [
        ({}, None),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}, "http://c:4318/v1/traces"),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/x"}, "http://c/x"),
        (
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318",
                "OTEL_SDK_DISABLED": "TRUE",
            },
            None,
        ),
    ],
)
def test_the_usual_variables_switch_it_on(
    env: dict[str, str], endpoint: str | None
) -> None:
    found = Config.from_env(env).tracing
    assert (found and found.endpoint) == endpoint


def test_what_is_no_address_is_named() -> None:
    with pytest.raises(ConfigError, match="OTEL_EXPORTER_OTLP_ENDPOINT"):
        Config.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "not an address"})
