"""Asks the API for its own summary of a conversation."""

from collections.abc import Mapping, Sequence
from typing import cast

import anthropic
import httpx2

from bot.claude import compaction, cost
from bot.claude.body import Body
from bot.claude.errors import SDK_ERRORS, Fault, judge
from bot.domain.completion import Report, Request

# In seconds. The answer is not streamed: nothing arrives before it is complete.
_TIMEOUT = httpx2.Timeout(150.0, connect=5.0)


async def ask(
    sdk: anthropic.AsyncAnthropic,
    request: Request,
    body: Body,
    headers: Mapping[str, str],
) -> Sequence[str | Report | Fault]:
    """Send `body`, the body of `request`, and return the text and report of the block.

    If the call failed, return the fault, preceded by a report if it may be billed. Does
    not raise.
    """
    options = {"headers": dict(headers), "timeout": _TIMEOUT}
    try:
        response = await sdk.post(
            "/v1/messages",
            cast_to=httpx2.Response,
            content=b"".join(body.pieces()),
            options=cast(anthropic.RequestOptions, options),
        )
        id = response.headers.get("request-id")
        text, report = compaction.read(await response.aread(), request, id)
    except SDK_ERRORS as error:
        fault = judge(error, request.model)
        lost = Report(request.model, calls=(cost.planned_call(request),))
        return (lost, fault) if fault.billed else (fault,)
    return (text, report) if text else (report,)
