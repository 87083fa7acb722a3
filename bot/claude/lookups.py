"""Looks up models at the API: which a key may use, and what each can do."""

import asyncio
from collections.abc import Mapping
from typing import Any, cast

import anthropic
import httpx2
from anthropic.types import ModelInfo

from bot.claude import compaction
from bot.claude.errors import SDK_ERRORS, judge, names_of, standing
from bot.claude.model_status import ModelStatus
from bot.messages import claude as messages


async def examine(
    sdk: anthropic.AsyncAnthropic, model: str, timeout: float
) -> ModelStatus:
    """Ask the API once whether our key may use `model`. Never raises.

    Waits for at most `timeout` seconds.
    """
    try:
        found = await sdk.models.retrieve(model, timeout=timeout)
    except SDK_ERRORS as error:
        fault = judge(error, model)
        reason = str(fault.error)
        if isinstance(error, anthropic.APIConnectionError | httpx2.HTTPError):
            reason = messages.claude_unreachable(errors=names_of(error))
        return ModelStatus(model, standing(error, fault), reason=reason)
    # The SDK returns a body that is not JSON unchanged, such as a proxy's page.
    if not isinstance(cast(object, found), ModelInfo):
        return ModelStatus(model, "unreachable", reason=messages.NOT_THE_API)
    lifecycle = getattr(found, "lifecycle", "")
    retires = found.retires_at.date() if found.retires_at else None
    if lifecycle == "retired":
        reason = messages.model_retired(model=model)
        return ModelStatus(model, "unknown", found.display_name, reason=reason)
    return ModelStatus(model, "accepted", found.display_name, lifecycle, retires)


async def list_models(
    sdk: anthropic.AsyncAnthropic, timeout: float
) -> list[Mapping[str, Any]] | None:
    """Return all models that our key may use, in the API's form.

    Return None if they cannot be read within `timeout` seconds.
    """
    try:
        async with asyncio.timeout(timeout):
            try:
                # Only this beta reports whether a model compacts (Claude facts 1.8).
                return await _list_models(sdk, betas=[compaction.BETA])
            except anthropic.BadRequestError:
                # The server is a gateway that does not know the beta.
                return await _list_models(sdk)
    except (TimeoutError, *SDK_ERRORS):
        return None


async def _list_models(
    sdk: anthropic.AsyncAnthropic, **options: Any
) -> list[Mapping[str, Any]]:
    """Return the models on all pages. Raises one of `SDK_ERRORS`."""
    found = list[Mapping[str, Any]]()
    while True:
        # Creating the SDK's objects for the list took a fifth of the time of a start.
        answer = await sdk.beta.models.with_raw_response.list(**options)
        page = answer.http_response.json()
        found += [each for each in page["data"] if isinstance(each, Mapping)]
        if not (page.get("has_more") and page["data"] and page.get("last_id")):
            return found
        options["after_id"] = page["last_id"]
