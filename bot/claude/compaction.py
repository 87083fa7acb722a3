"""The API's own summary of a conversation: compaction on demand (Claude facts 1.8).

Rule 1: a compaction block is sent back unchanged, before all messages, to the model
that made it. Every other model reads the text that represents the block.

Rule 2: only the iterations report the usage of a block, and all of them are booked.

Pure; `bot.claude.compacting` makes the call.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import msgspec

from bot.claude import cost
from bot.claude.events import CacheCreation
from bot.domain.completion import ChatMessage, Report, Request, Usage
from bot.text.characters import replace_lone_surrogates

BETA = "compact-2026-09-04"

#: The stop reason of an answer that is a compaction block.
STOP_REASON = "compaction"


class _Iteration(msgspec.Struct):
    """The usage of one call of a model."""

    input_tokens: int = 0
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens: int = 0


class _CompactionUsage(msgspec.Struct):
    """The usage of the request. All numbers besides the iterations are 0."""

    iterations: list[_Iteration] | None = None
    inference_geo: str | None = None


class _Answer(msgspec.Struct):
    """The parts of the answer's message that are used here."""

    model: str
    content: list[msgspec.Raw]
    usage: _CompactionUsage
    stop_reason: str | None = None


class _Block(msgspec.Struct):
    type: str
    content: str | None = None


def is_read(message: ChatMessage, model: str) -> bool:
    """Return whether `model` reads a block in place of the text of `message`."""
    return message.compaction is not None and message.compaction.model == model


def message_of(message: ChatMessage) -> dict[str, Any]:
    """Return the API's message for the block of `message`."""
    assert message.compaction is not None
    block = msgspec.json.decode(message.compaction.block)
    return {"role": "assistant", "content": [block]}


def is_used(request: Request) -> bool:
    """Return whether `request` asks for a block, or contains one."""
    first = request.messages[:1]
    return request.compacts or any(is_read(each, request.model) for each in first)


def without_blocks(request: Request) -> Request:
    """Return `request` with texts in place of its blocks."""
    messages = (replace(each, compaction=None) for each in request.messages)
    return replace(request, messages=tuple(messages))


def parameters(made: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a request for a block.

    `made` are the parameters of the same request for an answer.
    """
    # The API rejects stop sequences in a request for a block.
    rest = {name: value for name, value in made.items() if name != "stop_sequences"}
    return {**rest, "compaction": {"type": "summarize"}}


def read(data: bytes, request: Request, request_id: str | None) -> tuple[str, Report]:
    """Return the text of the block in the answer `data`, and the report of its cost.

    The text is "" if there is no block. Raises ValueError.
    """
    try:
        answer = msgspec.json.decode(data, type=_Answer)
        blocks = [msgspec.json.decode(each, type=_Block) for each in answer.content]
    except msgspec.MsgspecError as error:
        raise ValueError("an answer that is no compaction") from error
    used = sum(map(_usage, answer.usage.iterations or ()), Usage())
    region = answer.usage.inference_geo
    call = cost.finished_call(
        request.model, answer.model, used, region, wrote=bool(answer.content)
    ) or cost.planned_call(request)
    text, block = "", ""
    for raw, found in zip(answer.content, blocks, strict=True):
        if found.type == STOP_REASON and found.content:
            text, block = found.content, bytes(raw).decode()
    report = Report(
        *(answer.model, request_id, used, answer.stop_reason, (call,)), block=block
    )
    return replace_lone_surrogates(text), report


def headers(request: Request, others: Mapping[str, str]) -> dict[str, str]:
    """Return `others`, the other headers of `request`, with the header for
    compaction."""
    if not is_used(request):
        return dict(others)
    betas = filter(None, (others.get("anthropic-beta"), BETA))
    return {**others, "anthropic-beta": ",".join(betas)}


def _usage(used: _Iteration) -> Usage:
    written = used.cache_creation_input_tokens or 0
    split = used.cache_creation
    short = min(split.ephemeral_5m_input_tokens if split else 0, written)
    return Usage(
        input=used.input_tokens,
        cache_write_5m=short,
        cache_write_1h=written - short,
        cache_read=used.cache_read_input_tokens or 0,
        output=used.output_tokens,
    )
