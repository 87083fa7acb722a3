"""The part of Block Kit that Threadkeep uses: validation, and the visible texts.

Rule: the sizes are those of A5.4. A violation is refused as Slack does it, as
`invalid_blocks` with a sentence that points at the block. No I/O.
"""

import copy
import re
from collections.abc import Callable, Iterator
from typing import Any

from tests.emulators.slack import elements, table_blocks
from tests.emulators.slack.elements import words

Json = dict[str, Any]

#: A5.3, A5.4: blocks in one message, modal or home tab.
MOST_BLOCKS = {"message": 50, "modal": 100, "home": 100}
#: A5.4: characters over all markdown blocks of one payload.
MOST_MARKDOWN = 12_000

#: A5.4: characters in the text of a block.
MOST_TEXT = {"section": 3_000, "header": 150}
#: A5.4: elements in a block.
MOST_ELEMENTS = {"context": 10, "actions": 25, "context_actions": 5}
#: slack_sdk's SectionBlock: fields of a section; Slack's page: characters in one.
MOST_FIELDS, MOST_FIELD = 10, 2_000
#: slack_sdk's InputBlock: characters in the label and in the hint of an input.
MOST_HINT = 2_000

TEXTS = ("plain_text", "mrkdwn")

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
        *table_blocks.KINDS,
        "task_card",
        "video",
    }
)

#: Blocks that only messages may have: feedback (A8.2), Markdown (A6), tables and tasks.
ONLY_IN_MESSAGES = {
    "context_actions",
    "markdown",
    "plan",
    "task_card",
    *table_blocks.KINDS,
}

_MENTION = re.compile(r"<@([UW][A-Z0-9]+)>")


def problem(
    blocks: Any, *, surface: str = "message", at: str = "/blocks"
) -> str | None:
    """Return the error about `blocks` on a "message", "modal" or "home", or None.

    `at` is their JSON pointer in the request.
    """
    if not isinstance(blocks, list):
        return "[ERROR] blocks must be a list"
    if len(blocks) > MOST_BLOCKS[surface]:
        return f"[ERROR] no more than {MOST_BLOCKS[surface]} items allowed"
    markdown = 0
    ids: set[str] = set()
    for position, block in enumerate(blocks):
        where = f"[json-pointer:{at}/{position}]"
        if not isinstance(block, dict) or block.get("type") not in TYPES:
            return f"[ERROR] unsupported type {where}"
        name = block.get("block_id")
        if name is not None and (name in ids or len(name) > 255):
            return f"[ERROR] block_id is too long or not unique {where}"
        ids |= {name} if name else set()
        if block["type"] == "markdown":
            markdown += len(block.get("text") or "")
        if wrong := _misplaced(block, surface) or _inside(block):
            return f"[ERROR] {wrong} {where}"
    if markdown > MOST_MARKDOWN:
        return f"[ERROR] must be less than {MOST_MARKDOWN + 1} characters [{at}]"
    if sum(block["type"] == "table" for block in blocks) > 1:
        return f"[ERROR] only one table is allowed [{at}]"
    if table_blocks.size(blocks) > table_blocks.MOST_CHARACTERS:
        return f"[ERROR] tables hold too many characters [{at}]"
    return None


def _misplaced(block: Json, surface: str) -> str | None:
    kind = block["type"]
    element = (block.get("element") or {}).get("type")
    if (surface != "message" and kind in ONLY_IN_MESSAGES) or (
        surface == "message" and kind == "input"
    ):
        return f"unsupported type: {kind}"
    # Slack's page on the element: a home tab accepts no files.
    if surface == "home" and element == "file_input":
        return "unsupported type: file_input"
    return None


def _inside(block: Json) -> str | None:
    kind = block["type"]
    text = words(block)
    if kind in ("markdown", "header") and not text:
        return "must be more than 0 characters"
    if len(text) > MOST_TEXT.get(kind, MOST_MARKDOWN):
        return f"must be less than {MOST_TEXT.get(kind, MOST_MARKDOWN) + 1} characters"
    if kind in table_blocks.KINDS:
        return table_blocks.problem(block)
    if kind == "header":
        return elements.plain(block.get("text"), MOST_TEXT["header"])
    if kind == "section":
        return _section(block)
    if kind == "input":
        return _input(block)
    return _row(block) if kind in MOST_ELEMENTS else None


def _section(block: Json) -> str | None:
    fields = block.get("fields")
    if block.get("text") is None and fields is None:
        return "missing required field: text or fields"
    if fields is not None and not 1 <= len(fields) <= MOST_FIELDS:
        return f"must have 1 to {MOST_FIELDS} fields"
    for text in [*filter(None, [block.get("text")]), *(fields or [])]:
        if not isinstance(text, dict) or text.get("type") not in TEXTS:
            return "text must be a plain_text or mrkdwn object"
        if not words({"text": text}):
            return "must be more than 0 characters"
    if any(len(words({"text": field})) > MOST_FIELD for field in fields or []):
        return f"field must be less than {MOST_FIELD + 1} characters"
    accessory = block.get("accessory")
    return elements.problem(accessory, "accessory") if accessory else None


def _input(block: Json) -> str | None:
    if wrong := elements.plain(block.get("label"), MOST_HINT):
        return f"label: {wrong}"
    hint = block.get("hint")
    if hint is not None and (wrong := elements.plain(hint, MOST_HINT)):
        return f"hint: {wrong}"
    return elements.problem(block.get("element"), "input")


def _row(block: Json) -> str | None:
    """Return the error about a block that is a row of elements, or None."""
    kind, row = block["type"], block.get("elements") or []
    if not 1 <= len(row) <= MOST_ELEMENTS[kind]:
        return f"must have 1 to {MOST_ELEMENTS[kind]} elements"
    for element in row:
        if wrong := elements.problem(element, kind):
            return wrong
    names = [element["action_id"] for element in row if element.get("action_id")]
    if len(set(names)) < len(names):
        return "action_id already exists for another element"
    return None


def size(blocks: list[Json]) -> int:
    """Return the total number of characters in `blocks`."""
    return sum(len(text) for text in texts(blocks))


def stored(blocks: list[Json] | None, number: Callable[[str], str]) -> list[Json]:
    """Return `blocks` as Slack stores them, with ids where they were missing."""
    kept = copy.deepcopy(blocks or [])
    for block in kept:
        # A6: block_id of a markdown block is ignored.
        if block["type"] not in ("markdown", "rich_text"):
            block.setdefault("block_id", number("b"))
        for element in parts(block):
            if "action_id" not in element:
                element["action_id"] = number("a")
    return kept


def parts(block: Json) -> list[Json]:
    """Return the interactive elements of a block."""
    row = block.get("elements") or []
    alone = filter(None, [block.get("accessory"), block.get("element")])
    kinds = ("actions", "context_actions", "section", "input")
    return [
        element
        for element in [*row, *alone]
        if block["type"] in kinds and element.get("type") != "image"
    ]


def shown(blocks: list[Json]) -> str:
    """Return the text that a reader of `blocks` sees, one block per line."""
    return "\n".join(filter(None, texts(blocks)))


def texts(blocks: list[Json]) -> Iterator[str]:
    """Yield every text in `blocks`, except the labels of buttons and rich text, whose
    content is also in the message's text."""
    for block in blocks:
        if block["type"] == "divider":
            yield "---"
        elif block["type"] == "context":
            yield "  ".join(words(element) for element in block["elements"])
        elif block["type"] == "input":
            yield words({"text": block["label"]})
            yield words({"text": block.get("hint")})
        elif block["type"] not in ("actions", "context_actions", "rich_text"):
            yield words(block)
            yield from (words({"text": field}) for field in block.get("fields", []))


def buttons(blocks: list[Json]) -> dict[str, Json]:
    """Return the buttons of a message by `action_id`, each with its `block_id`."""
    found: dict[str, Json] = {}
    for block in blocks:
        for element in parts(block):
            if element["type"] in ("button", "icon_button"):
                name = str(element.get("action_id", ""))
                found[name] = {"block_id": block.get("block_id", ""), **element}
    return found


def rich_text(text: str) -> list[Json]:
    """Return the `rich_text` block that Slack's composer makes of `text` (A1.1)."""
    elements: list[Json] = []
    for position, piece in enumerate(_MENTION.split(text)):
        if position % 2:
            elements.append({"type": "user", "user_id": piece})
        elif piece:
            elements.append({"type": "text", "text": unescape(piece)})
    section = {"type": "rich_text_section", "elements": elements}
    return [{"type": "rich_text", "block_id": "b1", "elements": [section]}]


def unescape(text: str) -> str:
    """Undo the three escapes in Slack's texts (A6)."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
