"""Compaction on demand: requests that are answered with a signed summary, and requests
that begin with such a summary (claude 1.8).

Rule: pure. Where the facts are silent, the strictest reading holds: a block is alone in
the first message, and any change of its text or model breaks its signature.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

from bot.domain.completion import Usage
from tests.emulators.claude.message import message_of, usage_of
from tests.emulators.claude.reply import Fail

Body = dict[str, Any]

BETA = "compact-2026-09-04"
#: The prefixes of the ids of models that support compaction. Haiku supports it from 5.5
#: on.
MODELS = (
    *("claude-fable-5", "claude-opus-5", "claude-sonnet-5", "claude-haiku-5"),
    *("claude-opus-4-6", "claude-opus-4-7", "claude-opus-4-8", "claude-sonnet-4-6"),
)
#: Models for which support is not documented (?).
_NOT_SAID = ("claude-fable-5-2",)
#: Parameters that compaction cannot be combined with.
_AGAINST = ("context_management", "stop_sequences", "stream")


def has(model: str) -> bool:
    """Return whether `model` supports compaction."""
    return model.startswith(MODELS) and not model.startswith(_NOT_SAID)


def is_asked(body: Body) -> bool:
    """Return whether `body` asks for a compaction."""
    return body.get("compaction") is not None


def wrong(body: Body, headers: Mapping[str, str]) -> Fail | None:
    """Return the API's refusal of a request's compaction, or None."""
    places = [
        (nth, place)
        for nth, message in enumerate(body.get("messages") or [])
        for place, block in enumerate(_blocks(message))
        if block.get("type") == "compaction"
    ]
    if not places and "compaction" not in body:
        return None
    if BETA not in headers.get("anthropic-beta", "").split(","):
        field = "compaction" if "compaction" in body else "messages.0.content.0"
        return Fail(400, message=f"{field}: Extra inputs are not permitted")
    if not has(str(body.get("model"))):
        return Fail(400, message="compaction: is not supported on this model")
    if is_asked(body) and (fail := _bad_request(body, has_block=bool(places))):
        return fail
    if len(places) > 1:
        return _fail("compaction_block_ambiguous")
    if not places:
        return None
    first = body["messages"][0]
    if places != [(0, 0)] or first["role"] != "assistant" or len(_blocks(first)) > 1:
        return _fail("compaction_block_misplaced")
    block = _blocks(first)[0]
    if block.get("signature") != _signature(body["model"], str(block.get("content"))):
        return _fail("compaction_signature_invalid")
    if block.get("tool_changes") != []:
        return _fail("compaction_tool_changes_mismatch")
    return None


def _bad_request(body: Body, *, has_block: bool) -> Fail | None:
    if body["compaction"].get("type") != "summarize":
        return Fail(400, message="compaction.type: Input should be 'summarize'")
    for field in _AGAINST:
        if body.get(field):
            return Fail(400, message=f"{field}: cannot be combined with compaction")
    if (body.get("output_config") or {}).get("format"):
        return Fail(400, message="output_config.format: cannot be combined with it")
    if len(body["messages"]) <= has_block:
        return _fail("compaction_nothing_to_summarize")
    if body["messages"][-1]["role"] != "assistant":
        return _fail("compaction_incomplete_turn")
    return None


def plain(body: Body) -> Body:
    """Return `body` without compaction, for all other checks."""
    messages = [
        {"role": "user", "content": str(_blocks(each)[0].get("content"))}
        if _blocks(each) and _blocks(each)[0].get("type") == "compaction"
        else each
        for each in body.get("messages") or []
    ]
    if is_asked(body):
        messages.append({"role": "user", "content": "Summarise."})
    rest = {name: value for name, value in body.items() if name != "compaction"}
    return {**rest, "messages": messages}


def message(id: str, model: str, text: str, used: Usage) -> Body:
    """Return the answer, which is one block with `text`. Its usage is only in the
    iterations."""
    block: Body = {
        "type": "compaction",
        "content": text or None,
        "encrypted_content": None,
        "signature": _signature(model, text),
        "tool_changes": [],
    }
    spent = usage_of(used, output=used.output, thought=0)
    names = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    iteration = {name: spent[name] for name in (*names, "cache_creation")}
    usage = usage_of(Usage(), output=0, thought=0)
    usage["iterations"] = [
        {"type": "compaction", **iteration, "output_tokens": used.output}
    ]
    return message_of(
        id=id, model=model, content=[block], usage=usage, reason="compaction"
    )


def _blocks(message: Body) -> list[Body]:
    content = message.get("content")
    return content if isinstance(content, list) else []


def _signature(model: str, text: str) -> str:
    return hashlib.sha256(f"{model}\n{text}".encode()).hexdigest()


def _fail(code: str) -> Fail:
    return Fail(400, message=code.replace("_", " "), error_code=code)
