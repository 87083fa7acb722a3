"""Block Kit as far as Threadkeep meets it: what is valid, and what one sees.

Rule: the sizes are those of A5.4; each is refused the way Slack does it, as
`invalid_blocks` with a sentence that points at the block. No I/O.
"""

import re
from collections.abc import Iterator
from typing import Any

Json = dict[str, Any]

#: A5.3: blocks in one message.
MOST_BLOCKS = 50
#: A5.4: characters over all markdown blocks of one payload.
MOST_MARKDOWN = 12_000

#: A5.4: characters in the text of a block.
MOST_TEXT = {"section": 3_000, "header": 150}
#: A5.4: elements in a block.
MOST_ELEMENTS = {"context": 10, "actions": 25, "context_actions": 5}

#: The block types that slack_sdk 3.47 knows (A5.4).
TYPES = frozenset(
    {
        "actions",
        "alert",
        "auth_provider",
        "call",
        "card",
        "carousel",
        "container",
        "context",
        "context_actions",
        "divider",
        "file",
        "header",
        "image",
        "input",
        "markdown",
        "plan",
        "rich_text",
        "section",
        "table",
        "task_card",
        "video",
    }
)

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")


def problem(blocks: Any) -> str | None:
    """Say what is wrong with `blocks`, or None."""
    if not isinstance(blocks, list):
        return "[ERROR] blocks must be a list"
    if len(blocks) > MOST_BLOCKS:
        return f"[ERROR] no more than {MOST_BLOCKS} items allowed"
    markdown = 0
    ids: set[str] = set()
    for position, block in enumerate(blocks):
        where = f"[json-pointer:/blocks/{position}]"
        if not isinstance(block, dict) or block.get("type") not in TYPES:
            return f"[ERROR] unsupported type {where}"
        name = block.get("block_id")
        if name is not None and (name in ids or len(name) > 255):
            return f"[ERROR] block_id is too long or not unique {where}"
        ids |= {name} if name else set()
        if block["type"] == "markdown":
            markdown += len(block.get("text") or "")
        if wrong := _inside(block):
            return f"[ERROR] {wrong} {where}"
    if markdown > MOST_MARKDOWN:
        return f"[ERROR] must be less than {MOST_MARKDOWN + 1} characters [/blocks]"
    return None


def _inside(block: Json) -> str | None:
    kind = block["type"]
    text = _text(block)
    if kind in ("markdown", "header") and not text:
        return "must be more than 0 characters"
    if len(text) > MOST_TEXT.get(kind, MOST_MARKDOWN):
        return f"must be less than {MOST_TEXT.get(kind, MOST_MARKDOWN) + 1} characters"
    elements = block.get("elements", [])
    if kind in MOST_ELEMENTS and not 1 <= len(elements) <= MOST_ELEMENTS[kind]:
        return f"must have 1 to {MOST_ELEMENTS[kind]} elements"
    actions = [element for element in elements if "action_id" in element]
    for element in [*actions, *filter(None, [block.get("accessory")])]:
        if len(element.get("action_id", "")) > 255:
            return "action_id must be less than 256 characters"
        if element.get("type") == "button" and not 1 <= len(_text(element)) <= 75:
            return "button text must have 1 to 75 characters"
        if len(element.get("value", "")) > 2_000:
            return "value must be less than 2001 characters"
    return None


def shown(blocks: list[Json]) -> str:
    """The text that a reader of `blocks` sees, one block per line."""
    return "\n".join(filter(None, texts(blocks)))


def texts(blocks: list[Json]) -> Iterator[str]:
    """Every piece of text in `blocks`: no buttons, nor what a person's composer
    made of the text, since that is in the text as well."""
    for block in blocks:
        if block["type"] == "divider":
            yield "---"
        elif block["type"] == "context":
            yield "  ".join(_text(element) for element in block["elements"])
        elif block["type"] not in ("actions", "rich_text"):
            yield _text(block)
            yield from (_text(field) for field in block.get("fields", []))


def buttons(blocks: list[Json]) -> dict[str, Json]:
    """The buttons of a message by `action_id`, each with its `block_id`."""
    found: dict[str, Json] = {}
    for block in blocks:
        for element in block.get("elements", []):
            if element.get("type") == "button":
                name = str(element.get("action_id", ""))
                found[name] = {"block_id": block.get("block_id", ""), **element}
    return found


def rich_text(text: str) -> list[Json]:
    """What a person's composer makes of `text`: A1.1's `rich_text` block."""
    elements: list[Json] = []
    for position, piece in enumerate(_MENTION.split(text)):
        if position % 2:
            elements.append({"type": "user", "user_id": piece})
        elif piece:
            elements.append({"type": "text", "text": unescape(piece)})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "b1", "elements": [section]}]


def unescape(text: str) -> str:
    """Undo the three escapes that Slack's text has (A6)."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _text(holder: Json) -> str:
    """The text of a block, an element or a text object."""
    text = holder.get("text") or ""
    return str(text.get("text", "")) if isinstance(text, dict) else str(text)
