"""The API's own summary of a conversation: compaction on demand (Claude facts 1.8).

Rule 1: the block that it makes is sent back as it came, first of all messages, to the
model that made it. Every other model reads the text that stands for it.
Rule 2: its usage is in the iterations alone, and all of them are booked.

Pure; `bot.claude.compacting` asks for one.
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

#: The stop reason of an answer that is a block.
STOP_REASON = "compaction"


class _Iteration(msgspec.Struct):
    """The usage of one call of a model."""

    input_tokens: int = 0
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    cache_creation: CacheCreation | None = None
    output_tokens: int = 0


class _Used(msgspec.Struct):
    """The usage of the request; what stands beside the iterations is 0."""

    iterations: list[_Iteration] | None = None
    inference_geo: str | None = None


class _Answer(msgspec.Struct):
    """The message that is the answer, as far as it is used."""

    model: str
    content: list[msgspec.Raw]
    usage: _Used
    stop_reason: str | None = None


class _Block(msgspec.Struct):
    type: str
    content: str | None = None


def is_read(message: ChatMessage, model: str) -> bool:
    """Return whether `model` reads a block in place of the text of `message`."""
    return message.compaction is not None and message.compaction.model == model


def message_of(message: ChatMessage) -> dict[str, Any]:
    """Return the message with the block of `message`."""
    assert message.compaction is not None
    block = msgspec.json.decode(message.compaction.block)
    return {"role": "assistant", "content": [block]}


def is_used(request: Request) -> bool:
    """Return whether `request` asks for a block, or has one."""
    first = request.messages[:1]
    return request.compacts or any(is_read(each, request.model) for each in first)


def without_blocks(request: Request) -> Request:
    """Return `request` with the texts that stand for its blocks."""
    messages = (replace(each, compaction=None) for each in request.messages)
    return replace(request, messages=tuple(messages))


def parameters(made: dict[str, Any]) -> dict[str, Any]:
    """Return the parameters of a request for a block, where `made` are those of one for
    an answer."""
    # Both refuse what a block has to be without.
    rest = {name: value for name, value in made.items() if name != "stop_sequences"}
    return {**rest, "compaction": {"type": "summarize"}}


def read(data: bytes, request: Request, request_id: str | None) -> tuple[str, Report]:
    """Return the text of the block in the answer `data` to `request`, "" for none, and
    the report of its cost. Raises ValueError."""
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
    """Return `others`, the headers of `request`, with its own."""
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
