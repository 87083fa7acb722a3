"""Spans of OpenTelemetry for the calls to Claude, as the SDK makes them.

Rule: spans hold the model, numbers and ids, and never what people wrote, whatever the
environment says: the SDK reads its own variables only where it is given no options.
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
    """Yield options of the SDK's client with which its spans go to a collector; send
    those that are left in the end."""
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
            # The trace is ours: Anthropic is not told of it.
            "propagation": False,
            "traces": {"enabled": True, "content_mode": "metadata_only"},
        }
    finally:
        await asyncio.to_thread(provider.shutdown)
