"""Map a `Request` to the parameters of the Messages API. Pure."""

import json
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from anthropic.types import CacheControlEphemeralParam, MessageParam

from bot.domain.completion import Request

# The last version of the API that accepts a temperature, on some models.
SAMPLING_VERSION = "2023-06-01"

# The parameters of a count of tokens; the others concern the answer.
_COUNTED = ("model", "system", "messages", "tools", "output_config")


def parameters(request: Request, rounds: Sequence[MessageParam] = ()) -> dict[str, Any]:
    """Return the body of a message request, or of one request of a batch.

    `rounds` are the assistant messages of an answer that paused, to be continued.
    Without `thinking`: its default works on every model. Without a temperature: see
    `sampling_options`.
    """
    cached = CacheControlEphemeralParam(type="ephemeral", ttl=request.cache_ttl)
    made: dict[str, Any] = {
        "model": request.model,
        "max_tokens": request.max_tokens,
        "messages": [
            *(
                {"role": each.role, "content": each.content}
                for each in request.messages
            ),
            *rounds,
        ],
    }
    # An empty block is rejected.
    if request.system:
        block = {"type": "text", "text": request.system, "cache_control": cached}
        made["system"] = [block]
    if request.cache_messages:
        made["cache_control"] = cached
    if request.user:
        made["metadata"] = {"user_id": request.user}
    if config := _output_config(request):
        made["output_config"] = config
    if request.stop_sequences:
        made["stop_sequences"] = list(request.stop_sequences)
    if request.searches:
        tool = {"type": "web_search_20250305", "name": "web_search"}
        made["tools"] = [tool | {"max_uses": request.searches}]
    return made


def document_options(request: Request) -> dict[str, Any]:
    """Return what is added to every document block of `request`, so that the answer
    cites its documents: all of them or none, and none where the answer has a schema
    (Claude facts 1.7)."""
    return {} if request.schema else {"citations": {"enabled": True}}


def sampling_options(request: Request) -> dict[str, Any]:
    """Return the SDK's call options for a temperature, which the current version of the
    API rejects on every model (Claude facts 1.1); empty without one."""
    if request.temperature is None:
        return {}
    return {
        "extra_headers": {"anthropic-version": SAMPLING_VERSION},
        "extra_body": {"temperature": request.temperature},
    }


def encoded(request: Request, rounds: Sequence[MessageParam] = ()) -> bytes:
    """Return the JSON of a message request whose answer streams; `rounds` is as in
    `parameters`. Raises UnicodeEncodeError for half a character."""
    made = parameters(request, rounds) | {"stream": True}
    made |= sampling_options(request).get("extra_body", {})
    return msgspec.json.encode(made)


def sampling_headers(request: Request) -> dict[str, str]:
    """Return the headers of a request for an answer that streams."""
    headers: dict[str, str] = sampling_options(request).get("extra_headers", {})
    return headers


def count_parameters(request: Request) -> dict[str, Any]:
    """Return the body of a request that counts the tokens of the prompt."""
    made = parameters(request)
    return {name: made[name] for name in _COUNTED if name in made}


def encoded_size(request: Request) -> int:
    """Return the size of the request's JSON in bytes."""
    return len(msgspec.json.encode(parameters(request)))


def _output_config(request: Request) -> dict[str, Any]:
    config: dict[str, Any] = {}
    if request.effort:
        config["effort"] = request.effort
    if request.schema:
        config["format"] = {"type": "json_schema", "schema": _schema(request.schema)}
    return config


# Cached so that the requests of a batch share one object: parsed for each of them, the
# schema would take as much memory as the tickets.
@lru_cache(maxsize=8)
def _schema(text: str) -> Any:
    return json.loads(text)
