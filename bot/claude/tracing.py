"""Exports OpenTelemetry spans for the calls to Claude, as the SDK makes them.

Rule: spans hold the model, numbers and ids, but never the text of people, whatever the
environment says. The SDK reads its own variables only if it is given no options.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from importlib.metadata import version

from anthropic import OpenTelemetryOptions
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from bot.domain.tracing import Tracing


@contextlib.asynccontextmanager
async def spans(tracing: Tracing) -> AsyncIterator[OpenTelemetryOptions]:
    """Yield options for the SDK's client that send its spans to a collector.

    The remaining spans are sent at the end.
    """
    resource = Resource.create(
        {"service.name": tracing.service, "service.version": version("threadkeep")}
    )
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(
        endpoint=tracing.endpoint, headers=dict(tracing.headers)
    )
    provider.add_span_processor(BatchSpanProcessor(exporter))
    try:
        yield {
            "tracer_provider": provider,
            # The trace is ours: its id is not sent to Anthropic.
            "propagation": False,
            "traces": {"enabled": True, "content_mode": "metadata_only"},
        }
    finally:
        await asyncio.to_thread(provider.shutdown)
