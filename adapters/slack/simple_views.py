"""Reduces a view to its text, for use when Slack refuses its layout. Pure.

If Slack does not accept one block of a view, it refuses the whole view (facts A5.4,
A10).
"""

from collections.abc import Iterator, Mapping, Sequence
from html import unescape
from typing import Any

from adapters.slack.blocks import SECTION_CHARS, TITLE_CHARS, VIEW_BLOCKS, plain
from bot.messages import labels
from bot.messages.controls import FORM_REFUSED

Json = Mapping[str, Any]


def simplify(view: Json) -> dict[str, Any]:
    """Return a view with the text of `view` as plain text. It has neither inputs nor
    controls, since it cannot be submitted."""
    written = text(view)
    pieces = [
        written[start : start + SECTION_CHARS]
        for start in range(0, len(written), SECTION_CHARS)
    ][:VIEW_BLOCKS]
    blocks = [{"type": "section", "text": plain(each)} for each in pieces]
    if view["type"] == "home":
        return {"type": "home", "blocks": blocks}
    title = (view.get("title") or {}).get("text") or labels.SETTINGS
    return {
        "type": "modal",
        "title": plain(title[:TITLE_CHARS]),
        "close": plain(labels.CLOSE),
        "blocks": blocks,
    }


def text(view: Json) -> str:
    """Return the text of `view`, including the values of its inputs."""
    lines = [FORM_REFUSED] if "submit" in view else []
    for block in view.get("blocks") or ():
        lines += filter(str.strip, _lines(block))
    return "\n".join(lines) or labels.SETTINGS


def _lines(block: Json) -> Iterator[str]:
    if block.get("type") == "input":
        if value := _value(block.get("element") or {}):
            yield f"{_read(block.get('label'))}: {value}"
        return
    yield _read(block.get("text"))
    for each in (*(block.get("fields") or ()), *(block.get("elements") or ())):
        if each.get("type") in ("mrkdwn", "plain_text"):
            yield _read(each)


def _value(element: Json) -> str:
    if value := element.get("initial_value"):
        return str(value)
    chosen: Sequence[Any] = element.get("initial_options") or ()
    if one := element.get("initial_option"):
        chosen = [one]
    named = [_read(each.get("text")) for each in chosen]
    return ", ".join([*named, *(element.get("initial_users") or ())])


def _read(text: Any) -> str:
    if isinstance(text, str):
        return text
    found = str((text or {}).get("text") or "")
    return unescape(found) if (text or {}).get("type") == "mrkdwn" else found
