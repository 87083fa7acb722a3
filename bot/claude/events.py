"""Decodes the events of a streamed message that we use. Pure.

Rule: unknown events, blocks, deltas and fields are ignored. A known event without its
documented form (Claude facts 1.9) raises ValueError.
"""

import json
from typing import Any

import msgspec

_DELTA = "content_block_delta"
_USED = frozenset(
    (
        *("message_start", "message_delta", "message_stop"),
        *("content_block_start", _DELTA, "content_block_stop"),
    )
)
_USED_DELTAS = frozenset(
    (
        *("text_delta", "citations_delta", "input_json_delta"),
        *("thinking_delta", "signature_delta"),
    )
)


class CacheCreation(msgspec.Struct):
    """The cache writes by lifetime."""

    ephemeral_5m_input_tokens: int = 0


class ServerToolUse(msgspec.Struct):
    """The number of calls of tools that the API carried out."""

    web_search_requests: int = 0
    web_fetch_requests: int = 0


class Container(msgspec.Struct):
    """The container in which the model's code runs."""

    id: str


class StreamedUsage(msgspec.Struct):
    """The usage in an event.

    In a `message_delta`, the numbers are totals, and None means unchanged.
    """

    output_tokens: int
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    server_tool_use: ServerToolUse | None = None
    inference_geo: str | None = None


class MessageStart(msgspec.Struct):
    """The message in a `message_start`."""

    model: str
    usage: StreamedUsage
    stop_reason: str | None = None
    container: Container | None = None


class Delta(msgspec.Struct):
    """The delta of a content block or, without a type, of the message."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    citation: Any = None
    stop_reason: str | None = None
    container: Container | None = None


class Event(msgspec.Struct):
    """One event of a stream, of any type that we use."""

    type: str
    index: int = -1
    delta: Delta | None = None
    content_block: dict[str, Any] | None = None
    message: MessageStart | None = None
    usage: StreamedUsage | None = None


_DECODER = msgspec.json.Decoder(Event)


def decode(data: bytes) -> Event | None:
    """Return the event in `data`, or None for an event that we do not use.

    Raises ValueError.
    """
    try:
        return _DECODER.decode(data)
    except (msgspec.DecodeError, RecursionError):
        return _decode_slowly(data)


def _decode_slowly(data: bytes) -> Event | None:
    """Decode an event that the fast decoder rejects.

    It may be an event that we do not use, with fields of other types, or a delta of
    text that ends with half a surrogate pair.
    """
    found = parse(data.decode())
    if not isinstance(found, dict):
        raise ValueError("an event of the stream is no object")
    if found.get("type") not in _USED:
        return None
    delta = found.get("delta")
    is_known = isinstance(delta, dict) and delta.get("type") in _USED_DELTAS
    if found["type"] == _DELTA and not is_known:
        return None
    return msgspec.convert(found, Event)


def parse(text: str) -> Any:
    """Return the JSON value `text`. Raises ValueError, also if it nests too deep."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("JSON of a stream nests too deep") from None
