"""Finds the notifications caused by a message of the app, and the addresses that Slack
fetches for previews.

Rule: where Slack's behaviour is not documented (A6), the emulator takes the harmful
case, so that a product that relies on luck fails.

According to Slack, a `markdown` block holds standard Markdown (A6), in which code is
literal: entities and names in code are not interpreted. It is not documented whether
Slack's notation `<!channel>` notifies there, so here it does. markdown-it decides what
is code, with and without tables and HTML. Text counts as code only if all variants
agree.
"""

import html
import re
from collections.abc import Iterator
from functools import cache

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline, backtick
from markdown_it.token import Token

from tests.emulators.slack.blocks import Json

#: Slack's own notation (A6), in texts and in objects of type mrkdwn.
PING = re.compile(
    r"<(!(?:channel|here|everyone)|!subteam\^\w+|@[UW][A-Z0-9]+)(?:\|.*?)?>"
)
# The same in Markdown: in any case, with or without a label.
_LOOSE = re.compile(
    r"<(!\s*(?:channel|here|everyone)|!subteam\^\w+|@[UW][A-Z0-9]+)\s*(?:\|[^>]*)?>",
    re.IGNORECASE,
)
# Bare names, which Slack parses in a text with `link_names` or `parse` "full", in an
# edit without `parse`, and in a mrkdwn object that is not `verbatim` (slack.dev,
# "Formatting message text" and "chat.update").
_BARE = re.compile(r"@(channel|here|everyone)\b", re.IGNORECASE)
_ADDRESS = re.compile(r"https?://[^\s<>|]+")


def in_text(text: str, *, parsed: bool) -> Iterator[str]:
    """Yield the mentions in a message's `text`; if `parsed`, bare names count too."""
    yield from PING.findall(text)
    if parsed:
        yield from (f"!{name.lower()}" for name in _BARE.findall(text))


def in_blocks(blocks: list[Json]) -> Iterator[str]:
    """Yield the mentions in `blocks`."""
    for block in blocks:
        if block["type"] == "rich_text":
            continue
        if block["type"] == "markdown":
            # It is not documented whether entities, other cases and bare names count.
            text = str(block["text"])
            yield from _LOOSE.findall(html.unescape(text))
            yield from (f"!{name.lower()}" for name in _bare_names(text))
        for each in _mrkdwn(block):
            yield from in_text(each["text"], parsed=not each.get("verbatim"))


def addresses(text: str, blocks: list[Json]) -> Iterator[str]:
    """Yield the addresses that Slack fetches for previews of a message."""
    for each in (text, *_texts(blocks)):
        yield from _ADDRESS.findall(each)


def _bare_names(text: str) -> set[str]:
    """Return the bare names in the Markdown `text` that are outside code."""
    if not _BARE.search(html.unescape(text)):
        return set()
    return {
        name
        for parser in _parsers()
        for words in _outside_code(parser, text)
        for name in _BARE.findall(html.unescape(words))
    }


@cache
def _parsers() -> tuple[MarkdownIt, ...]:
    parsers = tuple(
        MarkdownIt("commonmark", {"html": html}).enable(["table"] if tables else [])
        for html in (True, False)
        for tables in (True, False)
    )
    for parser in parsers:
        parser.inline.ruler.at("backticks", _located)
    return parsers


def _located(state: StateInline, silent: bool) -> bool:
    """Parse inline code, and record its position."""
    start = state.pos
    found = backtick(state, silent)
    if found and not silent and state.tokens and state.tokens[-1].type == "code_inline":
        state.tokens[-1].meta.setdefault("place", (start, state.pos))
    return found


def _outside_code(parser: MarkdownIt, text: str) -> Iterator[str]:
    """Yield the parts of `text` outside code, as typed."""
    lines: list[str | None] = [
        *text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ]
    for token in parser.parse(text):
        if token.type in ("fence", "code_block", "inline") and token.map:
            for nth in range(token.map[0], min(token.map[1], len(lines))):
                lines[nth] = None
        if token.type == "inline":
            yield _without_spans(token)
    # Definitions, HTML and the like.
    yield from (line for line in lines if line is not None)


def _without_spans(token: Token) -> str:
    """Return the text of a paragraph without its inline code."""
    pieces, at = [], 0
    for child in token.children or ():
        if child.type == "code_inline":
            start, end = child.meta["place"]
            pieces.append(token.content[at:start])
            at = end
    return "\0".join([*pieces, token.content[at:]])


def _mrkdwn(part: object) -> Iterator[Json]:
    """Yield the mrkdwn objects in a block, wherever they are."""
    if isinstance(part, dict):
        if part.get("type") == "mrkdwn":
            yield part
        for each in part.values():
            yield from _mrkdwn(each)
    elif isinstance(part, list):
        for each in part:
            yield from _mrkdwn(each)


def _texts(part: object) -> Iterator[str]:
    """Yield every visible text in blocks."""
    if isinstance(part, dict):
        for name, each in part.items():
            if name == "text" and isinstance(each, str):
                yield each
            else:
                yield from _texts(each)
    elif isinstance(part, list):
        for each in part:
            yield from _texts(each)
