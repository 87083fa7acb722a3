"""Map a `Request` to the parameters of the Messages API. Pure."""

import json
from typing import Any, cast

import anthropic
from anthropic.lib.streaming import AsyncMessageStream
from anthropic.types import (
    CacheControlEphemeralParam,
    Message,
    MessageParam,
    OutputConfigParam,
    TextBlockParam,
    WebSearchTool20250305Param,
)

from bot.domain.completion import Request

# Everything that we send is either frozen or grows at its end, and people answer
# each other within the hour rather than within five minutes.
CACHED: CacheControlEphemeralParam = {"type": "ephemeral", "ttl": "1h"}

# The last version of the API that lets some models be sampled differently.
SAMPLING_VERSION = "2023-06-01"


def output_config(request: Request) -> OutputConfigParam | anthropic.Omit:
    said: dict[str, Any] = {}
    if request.effort:
        said["effort"] = request.effort
    if request.schema:
        schema = json.loads(request.schema)
        said["format"] = {"type": "json_schema", "schema": schema}
    return cast(OutputConfigParam, said) if said else anthropic.omit


def system_blocks(request: Request) -> list[TextBlockParam] | anthropic.Omit:
    # An empty block may not be cached, nor sent.
    if not request.system:
        return anthropic.omit
    return [TextBlockParam(type="text", text=request.system, cache_control=CACHED)]


def message_params(request: Request) -> list[MessageParam]:
    return [
        cast(MessageParam, {"role": said.role, "content": said.content})
        for said in request.messages
    ]


def tool_params(request: Request) -> list[WebSearchTool20250305Param] | anthropic.Omit:
    if not request.searches:
        return anthropic.omit
    return [
        WebSearchTool20250305Param(
            type="web_search_20250305", name="web_search", max_uses=request.searches
        )
    ]


def assistant_message(stream: AsyncMessageStream[Any]) -> MessageParam:
    """What the model said so far, to be handed back unchanged (Claude facts 1.6)."""
    message = snapshot(stream)
    content = [block.to_dict() for block in message.content]
    return cast(MessageParam, {"role": "assistant", "content": content})


def snapshot(stream: AsyncMessageStream[Any]) -> Message:
    return cast(Message, stream.current_message_snapshot)
