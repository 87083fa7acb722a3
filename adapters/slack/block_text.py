"""Converts the visible text of blocks to mrkdwn. Pure.

Rule 1: a `Reading` limits the characters, parts and depth that are read, whatever
somebody sends. Text over the limits is left out, and the `Reading` records that.
Rule 2: the result is mrkdwn as in a message's `text`, so that `mrkdwn.readable` can
name the people in it. The fields that hold text are listed in platform facts A1.5.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from adapters.slack import json_values, mrkdwn
from adapters.slack.json_values import mapping, mappings, sequence

# The most characters that are read of one message in addition to its `text`, which may
# have as many (facts A5.4); the most blocks, elements and cells (a table may have 2,000
# cells, facts A5.4); and the deepest nesting (a cell of a table in a container is at
# 6).
MOST_CHARS = 40_000
MOST_PARTS = 5_000
MOST_DEPTH = 12
# The deepest indentation of a list that Slack's composer offers.
MOST_INDENT = 8

DIVIDER = "---"

# Types of elements that show a label, by the field that holds the label.
_BUTTONS = {"button", "workflow_button", "icon_button", "link_button"}
_CHOICES = {"checkboxes", "radio_buttons"}
_PLAIN = {"plain_text", "raw_text", "raw_number"}
# Blocks that show their elements on one line.
_ROWS = {"context", "actions", "context_actions"}

# The fields of other blocks and elements that hold text, in the order in which Slack
# shows them (facts A1.5).
_WORDS = (
    *("title", "rich_text_title", "label", "subtitle", "caption", "text"),
    *("description", "body", "fields", "rows", "elements", "element", "accessory"),
    *("hero_image", "child_blocks", "blocks", "cards", "tasks", "details", "output"),
    *("sources", "actions", "positive_button", "negative_button", "hint"),
)

_STYLES = {"code": "`", "bold": "*", "italic": "_", "strike": "~"}

# An `&` that Slack has not escaped.
_BARE = re.compile(r"&(?!(?:amp|lt|gt);)")
# A mention in the escaped text of a markdown block.
_MENTION = re.compile(r"&lt;([@#!][^&<>\s]{1,100}+)&gt;")


class Reading:
    """The characters and parts that may still be read of one message."""

    def __init__(self) -> None:
        self._chars = MOST_CHARS
        self._parts = MOST_PARTS
        #: Whether something was left out.
        self.cut = False

    def part(self, depth: int = 0) -> bool:
        """Count one more part. Return False if that part exceeds a limit."""
        if self._parts <= 0 or self._chars <= 0 or depth > MOST_DEPTH:
            self.cut = True
            return False
        self._parts -= 1
        return True

    def text(self, value: object) -> str:
        """Return as much of the text `value` as may be read; "" if `value` is not a
        text."""
        text = json_values.text(value)
        if len(text) > self._chars:
            self.cut = True
            text = text[: self._chars]
        self._chars -= len(text)
        return text


def texts(blocks: object, reading: Reading) -> Iterator[tuple[str, str]]:
    """Yield the type and the text of each block that has text."""
    for block in mappings(blocks):
        if not reading.part():
            return
        if text := _block(block, reading, 0).strip():
            yield str(block.get("type")), text


def literal(text: str) -> str:
    """Return plain text as mrkdwn. Slack has escaped some of it already."""
    return _BARE.sub("&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def link(url: str, label: str) -> str:
    """Return a link with a `label` in mrkdwn, or the label alone if `url` is blank."""
    url = url.strip().replace("|", "%7C").replace("<", "%3C").replace(">", "%3E")
    label = " ".join(label.split())
    if not url:
        return label
    return f"<{url}|{label}>" if label else f"<{url}>"


def _block(block: Mapping[str, Any], reading: Reading, depth: int) -> str:
    kind = str(block.get("type") or "")
    if kind.startswith("rich_text"):
        return _rich(block, reading, depth)
    if kind == "divider":
        return DIVIDER
    if kind in ("table", "data_table"):
        rows = [_visible_text(block.get("caption"), reading, depth + 1)]
        rows += [_row(row, reading, depth + 1) for row in sequence(block.get("rows"))]
        return "\n".join(filter(None, rows))
    if kind == "markdown":
        text = literal(reading.text(block.get("text")))
        return _MENTION.sub(r"<\1>", text)
    if kind == "call":
        return _call(block, reading)
    if kind == "file":
        return _name_thing("file", reading, mapping(block.get("file")), "title", "name")
    if kind == "video":
        title = _visible_text(block.get("title"), reading, depth + 1)
        named = link(reading.text(block.get("title_url")), title)
        about = _visible_text(block.get("description"), reading, depth + 1)
        shown = named or literal(reading.text(block.get("alt_text")))
        author = literal(reading.text(block.get("author_name")))
        return "\n".join(filter(None, [f"(video: {shown})", author, about]))
    return _element(block, reading, depth)


def _element(part: Mapping[str, Any], reading: Reading, depth: int) -> str:
    """Return the visible text of a block or an element."""
    kind = str(part.get("type") or "")
    if kind == "mrkdwn":
        return reading.text(part.get("text"))
    if kind in _PLAIN:
        return literal(reading.text(part.get("text")))
    if kind == "image":
        title = _visible_text(part.get("title"), reading, depth + 1)
        alt = literal(reading.text(part.get("alt_text")))
        words = [title, alt if alt != title else ""]
        return (
            f"(image: {' – '.join(filter(None, words))})" if any(words) else "(image)"
        )
    if kind in _BUTTONS:
        label = _visible_text(part.get("text"), reading, depth + 1)
        shown = link(reading.text(part.get("url")), label)
        return f"[Button: {shown}]" if shown else ""
    if kind in _CHOICES:
        offered = sequence(part.get("options"))
        labels = [_visible_text(each, reading, depth + 1) for each in offered]
        return "\n".join(f"[Choice: {label}]" for label in labels if label)
    if kind.endswith(("_select", "picker", "_input")):
        chosen = part.get("initial_option") or part.get("placeholder")
        label = _visible_text(chosen, reading, depth + 1)
        return f"[Field: {label}]" if label else ""
    found = [
        _visible_text(part[name], reading, depth + 1)
        for name in _WORDS
        if part.get(name)
    ]
    if kind in _ROWS:
        return " ".join(filter(None, found)).replace("\n", " ")
    return "\n".join(filter(None, found))


def _visible_text(part: object, reading: Reading, depth: int) -> str:
    """Return the visible text of any part of a block: a text, an element, or a list."""
    if isinstance(part, str | int | float):
        return literal(reading.text(part))
    if isinstance(part, Mapping):
        return _block(part, reading, depth) if reading.part(depth) else ""
    found = []
    for each in sequence(part):
        if not reading.part(depth):
            break
        found.append(_visible_text(each, reading, depth + 1))
    return "\n".join(filter(None, found))


def _row(row: object, reading: Reading, depth: int) -> str:
    cells = [_visible_text(cell, reading, depth + 1) for cell in sequence(row)]
    return " | ".join(cell.replace("\n", " ") for cell in cells)


def _call(block: Mapping[str, Any], reading: Reading) -> str:
    call = mapping(mapping(block.get("call")).get("v1"))
    named = literal(reading.text(call.get("name")))
    return f"(call: {link(reading.text(call.get('join_url')), named)})"


def _name_thing(
    kind: str, reading: Reading, thing: Mapping[str, Any], *names: str
) -> str:
    found = (literal(reading.text(thing.get(name))) for name in names)
    name = next(filter(None, found), "")
    return f"({kind}: {name})" if name else f"({kind})"


# Rich text.


def _rich(part: Mapping[str, Any], reading: Reading, depth: int) -> str:
    kind = part.get("type")
    if kind == "rich_text_section":
        return _line(part, reading)
    if kind == "rich_text_preformatted":
        return f"```\n{_line(part, reading).strip(chr(10))}\n```"
    if kind == "rich_text_quote":
        return _quote(_line(part, reading))
    if kind == "rich_text_list":
        return _items(part, reading, depth)
    found = []
    for each in mappings(part.get("elements")):
        if not reading.part(depth):
            break
        found.append(_rich(each, reading, depth + 1).removesuffix("\n"))
    return "\n".join(found)


def _items(part: Mapping[str, Any], reading: Reading, depth: int) -> str:
    ordered = part.get("style") == "ordered"
    first = _number(part.get("offset")) + 1
    blank = "    " * min(_number(part.get("indent")), MOST_INDENT)
    lines = []
    for number, item in enumerate(mappings(part.get("elements")), first):
        if not reading.part(depth):
            break
        mark = f"{number}." if ordered else "•"
        said = _line(item, reading).replace("\n", f"\n{blank}  ")
        lines.append(f"{blank}{mark} {said}")
    listed = "\n".join(lines)
    return _quote(listed) if part.get("border") else listed


def _quote(text: str) -> str:
    return "\n".join(f"&gt; {line}" for line in text.strip("\n").split("\n"))


def _line(part: Mapping[str, Any], reading: Reading) -> str:
    said = []
    for each in mappings(part.get("elements")):
        if not reading.part():
            break
        said.append(_inline(each, reading))
    return "".join(said)


def _inline(part: Mapping[str, Any], reading: Reading) -> str:
    def field(name: str) -> str:
        return reading.text(part.get(name))

    match part.get("type"):
        case "text":
            return _style(mrkdwn.escape(field("text")), part.get("style"))
        case "user":
            return f"<@{field('user_id')}>"
        case "channel":
            return f"<#{field('channel_id')}>"
        case "usergroup":
            return f"<!subteam^{field('usergroup_id')}>"
        case "broadcast":
            return f"<!{field('range')}>"
        case "link":
            label = mrkdwn.escape(field("text"))
            return _style(link(field("url"), label), part.get("style"))
        case "emoji":
            return f":{field('name')}:"
        case "color":
            return field("value")
        case "file":
            return "(file)"
    return literal(field("fallback") or field("text"))


def _style(text: str, style: object) -> str:
    """Return `text` between the marks of its styles. Blanks at its ends stay outside,
    since Slack ignores a mark beside a blank."""
    inner = text.strip()
    if not inner or not isinstance(style, Mapping):
        return text
    marks = "".join(mark for name, mark in _STYLES.items() if style.get(name) is True)
    start = text.index(inner)
    end = start + len(inner)
    return f"{text[:start]}{marks[::-1]}{inner}{marks}{text[end:]}"


def _number(value: object) -> int:
    return value if isinstance(value, int) and 0 <= value < 1_000_000 else 0
