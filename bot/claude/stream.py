"""Reads a message while the API generates it, from the bytes of the SDK's connection.

The SDK makes the request, with its own authentication, timeouts and errors. Its reader
is not used: it builds several models for each event and a snapshot of the message,
which takes more time than all other work on an answer.
"""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from dataclasses import replace
from typing import Any, cast

import anthropic
import httpx2
from anthropic.types import MessageParam

from bot.claude import mcp_servers, web_tools
from bot.claude.body import Body
from bot.claude.errors import SDK_ERRORS
from bot.claude.events import (
    Delta,
    Event,
    MessageStart,
    StreamedUsage,
    decode,
    parse,
)
from bot.claude.sse import EventReader
from bot.domain.completion import Activity
from bot.domain.mcp import ToolCall
from bot.text.characters import replace_lone_surrogates

# Timeout for reading the end of a stream whose answer is complete, in seconds. If the
# stream is read to its end, the next answer can use the same connection.
DRAIN = 0.5

_PATH = "/v1/messages"

# Replaces a request that was sent, for errors that need one.
_SENT = httpx2.Request("POST", _PATH)

# The response headers that decoding and stream errors need.
_NEEDED = ("content-encoding", "request-id", "retry-after", "x-should-retry")

# The longest body that is passed on whole, in bytes: a question or a short thread.
_WHOLE = 16 * 1024


class Block:
    """A content block that has started."""

    def __init__(self, start: dict[str, Any]) -> None:
        self.type: str = start["type"]
        #: The block as it began: all of it for the result of a tool.
        self.start = start
        #: All deltas of the block, if they are kept.
        self.deltas: list[Delta] = []
        #: The citations in its text so far.
        self.cited: list[Mapping[str, Any]] = []

    def whole(self) -> dict[str, Any]:
        """Return the block with its deltas. Raises ValueError for a tool's input that
        is not JSON."""
        made = dict(self.start)
        match self.type:
            case "text":
                made["text"] = (made.get("text") or "") + self._join("text")
                if cited := [each.citation for each in self._of("citations_delta")]:
                    made["citations"] = [*(made.get("citations") or ()), *cited]
            case "thinking":
                thought = (made.get("thinking") or "") + self._join("thinking")
                made["thinking"] = thought
                for each in self._of("signature_delta"):
                    made["signature"] = each.signature
            case "tool_use" | "server_tool_use" | "mcp_tool_use":
                if written := self._join("partial_json"):
                    made["input"] = parse(written)
        return made

    @property
    def activity(self) -> Activity | None:
        """The API's work in this block, which must be complete; None for other
        blocks."""
        if self.type not in ("server_tool_use", "mcp_tool_use"):
            return None
        with contextlib.suppress(ValueError):
            # Nobody sees the input of a call, so it need not be valid.
            asks = self.type == "mcp_tool_use"
            return web_tools.activity(self.start if asks else self.whole())
        return None

    def _of(self, type: str) -> list[Delta]:
        return [each for each in self.deltas if each.type == type]

    def _join(self, field: str) -> str:
        return replace_lone_surrogates(
            "".join(getattr(each, field) or "" for each in self.deltas)
        )


class StreamedMessage:
    """The part of a message that has arrived."""

    def __init__(self, start: MessageStart) -> None:
        self.model = start.model
        self.usage = start.usage
        self.stop_reason = start.stop_reason
        #: The id of the container in which the model's code ran; "" for none.
        self.container = start.container.id if start.container else ""
        self.content: list[Block] = []
        #: The calls of MCP servers' tools, by id.
        self._calls: dict[str, ToolCall] = {}
        #: The listings of MCP servers.
        self.listings: list[tuple[str, str]] = []

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        """The calls of MCP servers' tools, in order.

        Each counts as failed until its result arrives.
        """
        return tuple(self._calls.values())

    def begin(self, block: dict[str, Any]) -> Block:
        """Take the beginning of a content block. Raises LookupError."""
        self.content.append(begun := Block(block))
        match block["type"]:
            case "mcp_tool_use":
                call = mcp_servers.call_of(block)
                self._calls[str(block.get("id"))] = replace(call, failed=True)
            case "mcp_tool_result":
                id = str(block.get("tool_use_id"))
                if id in self._calls and not mcp_servers.has_failed(block):
                    self._calls[id] = replace(self._calls[id], failed=False)
            case "mcp_tool_listing":
                if listed := mcp_servers.tool_listing(block):
                    self.listings.append(listed)
        return begun

    def param(self) -> MessageParam:
        """Return the message as it is sent back, unchanged (Claude facts 1.6).

        Raises ValueError.
        """
        content = [block.whole() for block in self.content]
        return cast(MessageParam, {"role": "assistant", "content": content})

    def end(self, event: Event) -> None:
        """Apply a `message_delta`. Raises ValueError."""
        if event.delta is None or event.usage is None:
            raise ValueError("a message_delta without delta or usage")
        self.stop_reason = event.delta.stop_reason or self.stop_reason
        if event.delta.container:
            self.container = event.delta.container.id
        _update(self.usage, event.usage)


#: A block that begins, a text, the citations in the preceding text, the API's work
#: before it continues, or the message whenever its usage or stop reason has changed.
Piece = Block | str | tuple[Mapping[str, Any], ...] | Activity | StreamedMessage


class MessageStream:
    """One answer that is being generated."""

    def __init__(
        self, response: httpx2.Response, chunks: AsyncIterator[bytes], *, keep: bool
    ) -> None:
        self._response = response
        self._chunks = chunks
        self._keep = keep
        self._message: StreamedMessage | None = None

    @property
    def request_id(self) -> str | None:
        return self._response.headers.get("request-id")

    async def pieces(self) -> AsyncGenerator[Piece, None]:
        """Yield the pieces of the answer until it or the connection ends.

        Raises one of SDK_ERRORS.
        """
        reader = EventReader()
        async for chunk in self._chunks:
            # Deltas that arrive together form one piece, because handling a piece takes
            # more time than reading it.
            text = ""
            try:
                for name, data in reader.feed(chunk):
                    # The SDK ignores an event without a name or data, too.
                    if name == b"error":
                        raise self._error(data)
                    if not name or not data or name == b"ping":
                        continue
                    event = decode(data)
                    if event is None:
                        continue
                    piece = self._take(event)
                    if isinstance(piece, str):
                        text += piece
                        continue
                    if text:
                        yield text
                        text = ""
                    if event.type == "message_stop":
                        await self._drain()
                        return
                    if piece:
                        yield piece
            except SDK_ERRORS:
                if text:
                    yield text
                raise
            if text:
                yield text

    def _take(self, event: Event) -> Piece | None:
        message = self._message
        if event.type == "message_start":
            if event.message is None:
                raise ValueError("a message_start without a message")
            if message is None:
                self._message = message = StreamedMessage(event.message)
            return message
        if message is None:
            return None
        match event.type:
            case "content_block_delta":
                return self._delta(message, event)
            case "content_block_start":
                if event.content_block is None:
                    raise ValueError("a content_block_start without a block")
                return message.begin(event.content_block)
            case "content_block_stop":
                block = _block(message, event)
                return block.activity or tuple(block.cited)
            case "message_delta":
                message.end(event)
                return message
        return None

    def _delta(self, message: StreamedMessage, event: Event) -> Piece | None:
        block, delta = _block(message, event), event.delta
        if delta is None:
            raise ValueError("a content_block_delta without a delta")
        if self._keep:
            block.deltas.append(delta)
        if block.type != "text":
            return None
        if delta.type == "text_delta":
            if delta.text is None:
                raise ValueError("a text_delta without a text")
            return delta.text
        if delta.type == "citations_delta" and isinstance(delta.citation, dict):
            block.cited.append(delta.citation)
        return None

    def _error(self, data: bytes) -> anthropic.APIStatusError:
        text = data.decode(errors="replace")
        body: object = text
        with contextlib.suppress(ValueError):
            body = parse(text)
        return anthropic.APIStatusError("error", response=self._response, body=body)

    async def _drain(self) -> None:
        """Read to the end of the stream, for at most `DRAIN` seconds."""
        with contextlib.suppress(TimeoutError, *SDK_ERRORS):
            async with asyncio.timeout(DRAIN):
                async for _ in self._chunks:
                    pass


@contextlib.asynccontextmanager
async def open_stream(
    sdk: anthropic.AsyncAnthropic,
    body: Body,
    headers: Mapping[str, str],
    *,
    keep: bool,
    model: str = "",
) -> AsyncIterator[MessageStream]:
    """Send `body`, and open the stream of the answer. Leaving closes the connection.

    `keep` is whether `StreamedMessage.param` will be needed, and `model` is named in
    the span of the call. Raises one of SDK_ERRORS.
    """
    # The body is encoded already: the SDK would first copy each message of the thread.
    response = await sdk.post(
        _PATH,
        cast_to=httpx2.Response,
        content=_content(body),
        options=_options({**headers, "content-length": str(body.length)}, model),
        stream=True,
    )
    # The body is no longer needed, and would be a tenth of the memory of many answers.
    del body
    response.request = _SENT
    response.headers = _needed_headers(response.headers)
    try:
        async with contextlib.aclosing(_chunks(response)) as chunks:
            yield MessageStream(response, chunks, keep=keep)
    finally:
        await response.aclose()


def _content(body: Body) -> bytes | AsyncIterator[bytes]:
    """Return the content to send for `body`.

    The SDK's request lives as long as its answer. So all but a short body is sent in
    pieces, which are dropped once they are sent.
    """
    return body.stream() if body.length > _WHOLE else b"".join(body.pieces())


def _needed_headers(headers: httpx2.Headers) -> httpx2.Headers:
    """Return the headers that are needed while the answer streams."""
    names = (name for name in _NEEDED if name in headers)
    return httpx2.Headers({name: headers[name] for name in names})


def _chunks(response: httpx2.Response) -> AsyncGenerator[bytes, None]:
    """Return the bytes of the answer.

    The SDK would pass each chunk through a decoder, which only an encoded answer needs.
    """
    if "content-encoding" in response.headers:
        return response.aiter_bytes()
    # `aiter_raw` would split the chunks again.
    return cast(AsyncGenerator[bytes, None], aiter(cast(Any, response.stream)))


def _options(headers: Mapping[str, str], model: str) -> anthropic.RequestOptions:
    """Return the options of the call, with the names for its span.

    The SDK uses the same names when it encodes the body itself.
    """
    spanned = {
        "headers": dict(headers),
        "span_name": "anthropic.messages.create",
        "span_route": _PATH,
        "span_attributes": {
            "gen_ai.operation.name": "chat",
            "gen_ai.request.model": model,
            "gen_ai.request.stream": True,
        },
    }
    return cast(anthropic.RequestOptions, spanned)


def _block(message: StreamedMessage, event: Event) -> Block:
    """Return the block of `event`.

    Raises LookupError if the block was not started, and ValueError.
    """
    if event.index < 0:
        raise ValueError("a delta without an index")
    return message.content[event.index]


def _update(usage: StreamedUsage, told: StreamedUsage) -> None:
    """Change `usage` to the totals in `told`."""
    usage.output_tokens = told.output_tokens
    for field in (
        *("input_tokens", "cache_creation_input_tokens"),
        *("cache_read_input_tokens", "server_tool_use"),
    ):
        if (value := getattr(told, field)) is not None:
            setattr(usage, field, value)
