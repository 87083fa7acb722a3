"""Maps the API's messages and usage to our values. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from anthropic.types import Message

from bot.claude import cost
from bot.domain.completion import Call, Request, Usage

#: The stop reason of an answer that Claude declined to write, or to go on with.
DECLINED = "refusal"


class _CacheCreation(Protocol):
    @property
    def ephemeral_5m_input_tokens(self) -> int: ...


class _ServerToolUse(Protocol):
    @property
    def web_search_requests(self) -> int: ...
    @property
    def web_fetch_requests(self) -> int: ...


class _Usage(Protocol):
    @property
    def input_tokens(self) -> int | None: ...
    @property
    def cache_creation_input_tokens(self) -> int | None: ...
    @property
    def cache_read_input_tokens(self) -> int | None: ...
    @property
    def cache_creation(self) -> _CacheCreation | None: ...
    @property
    def output_tokens(self) -> int | None: ...
    @property
    def server_tool_use(self) -> _ServerToolUse | None: ...


class ReportedMessage(Protocol):
    """A message as the API reports it: the SDK's `Message`, or one that streams."""

    @property
    def model(self) -> str: ...
    @property
    def stop_reason(self) -> str | None: ...
    @property
    def content(self) -> Sequence[object]: ...
    @property
    def usage(self) -> _Usage: ...


@dataclass(frozen=True, slots=True)
class MessageResponse:
    """A whole answer that was not streamed."""

    text: str
    stop_reason: str | None
    usage: Usage
    #: None if the reported usage cannot be true.
    call: Call | None
    #: The HTTP headers, which report rate limits; empty for a result of a batch.
    headers: Mapping[str, str] = field(default_factory=dict)

    def cost(self, at: float, share: float = 1.0) -> float | None:
        """Return the cost at `at` (seconds since 1970), in USD; None if it is unknown.

        `share` is the part of the list price that is paid.
        """
        return cost.price((self.call,), at, share) if self.call else None


def response_of(
    message: Message, requested: str, headers: Mapping[str, str] | None = None
) -> MessageResponse:
    """Return `message` as a MessageResponse; `requested` is the model of its
    request."""
    used = usage_of(message)
    return MessageResponse(
        "".join(block.text for block in message.content if block.type == "text"),
        message.stop_reason,
        used,
        _finished_call(message, used, requested),
        headers or {},
    )


def call_of(
    message: ReportedMessage, used: Usage, request: Request, planned: Call
) -> Call:
    """Return the call for `request`, as far as `message` reports it.

    `used` is the usage so far, and `planned` the result of `cost.planned_call`.
    """
    finished = None
    if message.stop_reason is not None:
        finished = _finished_call(message, used, request.model)
    if finished is not None:
        return finished
    return cost.started_call(request, message.model, used, _region(message), planned)


def usage_of(message: ReportedMessage) -> Usage:
    """Return the usage that the API has reported for one request so far.

    Only the first event of a stream splits the cache writes by lifetime, and the total
    may grow after it. Writes that the split does not assign to five minutes count as an
    hour, which costs more.
    """
    used = message.usage
    written = used.cache_creation_input_tokens or 0
    split = used.cache_creation
    short = min(split.ephemeral_5m_input_tokens if split else 0, written)
    tools = used.server_tool_use
    return Usage(
        input=used.input_tokens or 0,
        cache_write_5m=short,
        cache_write_1h=written - short,
        cache_read=used.cache_read_input_tokens or 0,
        output=used.output_tokens or 0,
        searches=tools.web_search_requests if tools else 0,
        fetches=tools.web_fetch_requests if tools else 0,
    )


def _finished_call(
    message: ReportedMessage, used: Usage, requested: str
) -> Call | None:
    wrote = bool(message.content)
    if message.stop_reason == DECLINED and not wrote:
        # Not billed (Claude facts 1.6).
        return Call((requested,), Usage(), exact=True)
    return cost.finished_call(
        requested, message.model, used, _region(message), wrote=wrote
    )


def _region(message: ReportedMessage) -> str | None:
    return getattr(message.usage, "inference_geo", None)
