"""Checks prompts of the Messages API, and bills them.

Rule: pure. The time is an argument. Numbers in comments point into the facts sheet on
the API ("claude 1.6").
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from bot.claude.catalog import ModelFacts, find
from bot.domain.completion import Usage
from tests.emulators.claude.files import bad_files, tokens_of
from tests.emulators.claude.mcp_servers import bad_servers, toolsets_of
from tests.emulators.claude.schema import bad_format
from tests.emulators.claude.web_tools import bad_tools, needs_container

Body = dict[str, Any]

#: The most messages of a request (claude 1.6).
MOST_MESSAGES = 100_000


def tokens(text: str) -> int:
    """Return an estimate of the tokens of `text`. There is no offline tokenizer (claude
    3.4)."""
    return -(-len(text) // 4)


@dataclass(frozen=True)
class _Block:
    """One cacheable piece of a prompt."""

    key: str
    tokens: int
    #: Seconds for which its breakpoint caches; None without a breakpoint.
    ttl: int | None


@dataclass(frozen=True)
class _Prefix:
    """Everything up to the end of one block."""

    key: str
    tokens: int


_LaidOut = tuple[list[_Block], list[_Prefix], list[int]]

TTLS = {"5m": 300, "1h": 3600}


def _system(body: Body) -> list[Body]:
    """Return the blocks before the messages."""
    form = (body.get("output_config") or {}).get("format")
    # The schema becomes a system prompt. It comes first, because a different schema
    # must not read from the cache (claude 1.8).
    return [*([form] if form else []), *_content(body.get("system") or [])]


def _blocks(body: Body) -> list[_Block]:
    """Return the prompt in cache order: tools, system, messages (claude 3.1). Tools
    count as tokens only if the request defines them."""
    found = [("tools", block) for block in _tools(body)]
    found += [("system", block) for block in _system(body)]
    for message in body["messages"]:
        # Effort and thinking are part of the cache key of messages (claude 3.1).
        under = [message["role"], body.get("output_config"), body.get("thinking")]
        found += [(json.dumps(under), block) for block in _content(message["content"])]
    blocks = []
    for nth, (under_key, block) in enumerate(found, start=1):
        automatic = body.get("cache_control") if nth == len(found) else None
        control = block.get("cache_control") or automatic
        bare = {key: value for key, value in block.items() if key != "cache_control"}
        ttl = TTLS[control.get("ttl", "5m")] if control else None
        key = f"{under_key}{json.dumps(bare)}"
        blocks.append(_Block(key, _size(block), ttl))
    return blocks


def _tools(body: Body) -> list[Body]:
    """Return the toolsets of MCP servers as one block, if there are any."""
    toolsets = toolsets_of(body)
    return [{"type": "tools", "tools": toolsets}] if toolsets else []


def _size(block: Body) -> int:
    if block.get("type") == "text":
        return tokens(block["text"])
    if block.get("type") in ("image", "document"):
        return tokens_of(block)
    return tokens(json.dumps({k: v for k, v in block.items() if k != "cache_control"}))


def size_of(body: Body) -> int:
    """Return the number of tokens of the prompt."""
    size = sum(map(_size, [*_tools(body), *_system(body)]))
    for message in body["messages"]:
        size += sum(map(_size, _content(message["content"])))
    return size


def _content(content: str | list[Body]) -> list[Body]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


class PrefixCache:
    """Prompt caching as it is billed (claude 3.1)."""

    def __init__(self) -> None:
        #: By the hash of model and prefix: (valid until, lifetime in seconds).
        self._entries: dict[str, tuple[float, int]] = {}

    def bill(self, body: Body, now: float) -> Usage:
        """Return the usage billed for this prompt at `now`. Changes nothing."""
        return self._billed(self._laid_out(body), now)

    def write(self, body: Body, now: float) -> None:
        """Store the prefixes of a prompt whose answer has begun, and extend the life of
        a hit."""
        self._written(self._laid_out(body), now)

    def spend(self, body: Body, now: float) -> Usage:
        """Return the usage billed for a prompt whose answer begins at once: `bill`,
        then `write`."""
        laid_out = self._laid_out(body)
        usage = self._billed(laid_out, now)
        self._written(laid_out, now)
        return usage

    def _billed(self, laid_out: _LaidOut, now: float) -> Usage:
        blocks, prefixes, points = laid_out
        hit = max((self._found(prefixes, one, now) for one in points), default=-1)
        read = done = prefixes[hit].tokens if hit >= 0 else 0
        written = dict.fromkeys(TTLS.values(), 0)
        for point in points:
            size = prefixes[point].tokens
            written[blocks[point].ttl or 0] += max(0, size - done)
            done = max(done, size)
        return Usage(
            input=prefixes[-1].tokens - done,
            cache_write_5m=written[TTLS["5m"]],
            cache_write_1h=written[TTLS["1h"]],
            cache_read=read,
        )

    def _written(self, laid_out: _LaidOut, now: float) -> None:
        blocks, prefixes, points = laid_out
        hit = max((self._found(prefixes, one, now) for one in points), default=-1)
        if hit >= 0:
            _, ttl = self._entries[prefixes[hit].key]
            self._entries[prefixes[hit].key] = (now + ttl, ttl)
        for point in points:
            ttl = blocks[point].ttl or 0
            self._entries[prefixes[point].key] = (now + ttl, ttl)

    def _laid_out(self, body: Body) -> _LaidOut:
        """Return the blocks, the prefix that ends with each, and the indices of
        breakpoints."""
        facts = find(body["model"])
        assert facts is not None
        blocks, prefixes = _blocks(body), []
        digest, total = hashlib.sha256(facts.id.encode()), 0
        # A different set of tools does not read from the cache (claude 3.1).
        digest.update(json.dumps(body.get("tools")).encode())
        for block in blocks:
            digest.update(block.key.encode())
            total += block.tokens
            prefixes.append(_Prefix(digest.hexdigest(), total))
        points = [
            nth
            for nth, block in enumerate(blocks)
            if block.ttl and prefixes[nth].tokens >= facts.min_cache
        ]
        return blocks, prefixes, points

    def _found(self, prefixes: Sequence[_Prefix], point: int, now: float) -> int:
        """Return the index of the longest cached prefix that breakpoint `point` sees,
        or -1."""
        for nth in range(point, max(-1, point - 20), -1):
            until, _ = self._entries.get(prefixes[nth].key, (now, 0))
            if until > now:
                return nth
        return -1


#: The HTTP status and the message.
Refusal = tuple[int, str]


def stranger(headers: Mapping[str, str], api_key: str) -> Refusal | None:
    """Return the refusal of a request with these headers, or None."""
    if headers.get("authorization") != f"Bearer {api_key}":
        return 401, "Invalid bearer token"
    if headers.get("anthropic-version") not in (VERSION, SAMPLING_VERSION):
        return 400, "anthropic-version: is not one of those emulated here"
    return None


#: The version of the API that is emulated.
VERSION = "2026-10-21"
_FIELDS = {
    "model", "messages", "max_tokens", "system", "stream", "cache_control",
    "metadata", "output_config", "thinking", "stop_sequences", "service_tier",
    "tools", "tool_choice", "container", "diagnostics", "inference_geo", "speed",
    "mcp_servers",
}  # fmt: skip
#: The last version of the API that knew sampling parameters (claude 1.1).
SAMPLING_VERSION = "2023-06-01"
#: The blocks emulated here that a user message may hold (claude 1.6, 1.7).
_USER_BLOCKS = {"text", "image", "document"}
_NO_CONTAINER = (
    "container_id is required when there are pending tool uses generated by code "
    "execution with tools."
)
_EFFORTS = {"low", "medium", "high", "xhigh", "max"}
_PREFILLED = {"claude-haiku-4-5", "claude-sonnet-4-5"}


def refusal(
    body: Body,
    version: str = VERSION,
    density: float = 1.0,
    *,
    filters: bool = False,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Refusal | None:
    """Return the refusal of a request by `version` of the API, or None (claude 1.6,
    3.1).

    `filters` says whether the model's code may call tools.

    `density` multiplies the estimate of `tokens`: a table of digits has three times as
    many tokens as prose.
    """
    if "model" not in body:
        return 400, "model: Field required"
    facts = find(str(body["model"]))
    if facts is None:
        return 404, f"model: {body['model']}"
    wrong = (
        _bad_fields(body, facts, version)
        or _bad_stops(body)
        or bad_tools(body, filters)
        or bad_servers(body, headers)
        or _bad_messages(body.get("messages"), facts.id in _PREFILLED)
        or (needs_container(body) and _NO_CONTAINER)
        or bad_files(body["messages"], facts)
        or _bad_breakpoints(body)
    )
    if not wrong and (size := int(size_of(body) * density)) > facts.context:
        wrong = f"prompt is too long: {size} tokens > {facts.context} maximum"
    return (400, wrong) if wrong else None


def _bad_fields(body: Body, facts: ModelFacts, version: str) -> str | None:
    # The previous version still accepts it (claude 1.1).
    allowed = _FIELDS | ({"temperature"} if version == SAMPLING_VERSION else set())
    if unknown := sorted(set(body) - allowed):
        # `temperature` gets this error since 2026-10-21 (claude 0.2).
        return f"{unknown[0]}: Extra inputs are not permitted"
    most = body.get("max_tokens")
    if not isinstance(most, int) or most < 1:
        return "max_tokens: Input should be greater than or equal to 1"
    if most > facts.max_output:
        return f"max_tokens: {most} > {facts.max_output}, the most that it may be"
    config = body.get("output_config") or {}
    if not isinstance(config, dict):
        return "output_config: Input should be a valid dictionary"
    if config.get("format") is not None and (wrong := bad_format(config["format"])):
        return wrong
    effort = config.get("effort")
    if effort is not None and not (facts.takes_effort and effort in _EFFORTS):
        return f"output_config.effort: {effort} is not supported on this model"
    warmth = body.get("temperature")
    if warmth is not None and not facts.takes_temperature:
        # From Opus 4.7 on, no version accepts it (claude 1.1).
        return "temperature: is not supported on this model"
    if warmth is not None and not (
        isinstance(warmth, int | float) and 0 <= warmth <= 1
    ):
        return "temperature: Input should be between 0 and 1"
    return None


def _bad_stops(body: Body) -> str | None:
    stops = body.get("stop_sequences") or []
    if not isinstance(stops, list):
        return "stop_sequences: Input should be a valid list"
    for nth, stop in enumerate(stops):
        if not str(stop).strip():
            return f"stop_sequences.{nth}: each must contain non-whitespace"
    return None


def _bad_messages(messages: Any, prefill: bool) -> str | None:
    if not isinstance(messages, list) or not messages:
        return "messages: at least one message is required"
    if len(messages) > MOST_MESSAGES:
        return f"messages: at most {MOST_MESSAGES} items are allowed"
    if messages[0].get("role") != "user":
        return 'messages: first message must use the "user" role'
    for nth, message in enumerate(messages):
        if message.get("role") not in {"user", "assistant", "system"}:
            return f"messages.{nth}.role: Input should be 'user' or 'assistant'"
        content = message.get("content")
        if not content:
            return f"messages.{nth}: all messages must have non-empty content"
        for place, block in enumerate(_content(content)):
            if message["role"] == "user" and block.get("type") not in _USER_BLOCKS:
                # The error of any union that is tagged by a type (claude 1.6).
                where = f"messages.{nth}.content.{place}"
                return f"{where}: Input tag is not one of the expected ones"
        texts = [
            block.get("text", "")
            for block in _content(content)
            if block.get("type") == "text"
        ]
        if not all(texts):
            return "messages: text content blocks must be non-empty"
        if not all(text.strip() for text in texts):
            return "messages: text content blocks must contain non-whitespace text"
    if messages[-1]["role"] == "assistant" and not (prefill or _paused(messages)):
        return (
            "This model does not support assistant message prefill. "
            "The conversation must end with a user message."
        )
    return None


def _paused(messages: list[Body]) -> bool:
    """Return whether the last message returns a paused answer (claude 1.6)."""
    content = messages[-1]["content"]
    return isinstance(content, list) and any(
        block.get("type") in ("server_tool_use", "mcp_tool_use") for block in content
    )


def _bad_breakpoints(body: Body) -> str | None:
    blocks = list(_content(body.get("system") or []))
    for message in body["messages"]:
        blocks += _content(message["content"])
    set_on: list[Body | None] = []
    for block in blocks:
        if block.get("type") == "text" and not block.get("text"):
            if block.get("cache_control"):
                return "cache_control cannot be set for empty text blocks"
            return "system: text content blocks must be non-empty"
        set_on.append(block.get("cache_control"))
    controls = [one for one in [*set_on, body.get("cache_control")] if one]
    if len(controls) > 4:
        return "A maximum of 4 blocks with cache_control may be provided"
    for control in controls:
        if control.get("type") != "ephemeral" or control.get("ttl", "5m") not in TTLS:
            return "cache_control: Input should be ephemeral, for '5m' or '1h'"
    order = [TTLS[control.get("ttl", "5m")] for control in controls]
    if order != sorted(order, reverse=True):
        return "cache_control: a ttl='1h' block must not come after a ttl='5m' block"
    return None
