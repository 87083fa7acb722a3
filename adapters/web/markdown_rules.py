"""Rules for Markdown on pages that markdown-it lacks: addresses without brackets, the
HTML tags that answers contain, checkboxes, and highlighted quotes. Pure."""

import re

from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token

from bot.rendering.html_tags import end_of_element, is_alone, tag_at

#: The element that replaces each one; "" to show the content only.
_ELEMENTS = {
    **{"b": "strong", "strong": "strong", "i": "em", "em": "em", "summary": "strong"},
    **{"u": "u", "ins": "u", "s": "s", "del": "s", "strike": "s"},
    **{each: each for each in ("kbd", "code", "sub", "sup", "mark", "small")},
    **{"center": "", "details": ""},
}
#: The tags of these elements.
TAGS = set(_ELEMENTS.values()) - {""}

_ADDRESS = re.compile(r"(?<![A-Za-z0-9])https?://[^\s<>\"`]{1,2000}+", re.IGNORECASE)
# Characters that end a sentence rather than an address.
_ENDS = ".,;:!?'*_~|…。，、；：！？"
_PAIRS = {")": "(", "]": "[", "}": "{"}
_ALERT = re.compile(r"\[!(NOTE|TIP|IMPORTANT|WARNING|CAUTION)\][ \t]*")
_TASK = re.compile(r"\[([ xX])\](?=[ \t])")


def tag(state: StateInline, silent: bool) -> bool:
    """Parse an element that Markdown may contain, or a tag that is alone."""
    text, at = state.src, state.pos
    found = tag_at(text, at, state.posMax) if text[at] == "<" else None
    if found is None:
        return False
    name = found[2].lower()
    if name == "br":
        if not silent:
            state.push("hardbreak", "br", 0)
        state.pos = found.end()
        return True
    end = end_of_element(text, found, state.posMax)
    if end is not None:
        if not silent:
            _push(state, _ELEMENTS[name], found.end(), end.start())
        state.pos = end.end()
        return True
    last = text[at - 1].strip("\n") if at else ""
    if not is_alone(text, found, last):
        return False
    state.pos = found.end()
    return True


def _push(state: StateInline, element: str, begin: int, end: int) -> None:
    """Parse the content of an element."""
    most, state.pos, state.posMax = state.posMax, begin, end
    if element:
        state.push("element_open", element, 1)
    state.md.inline.tokenize(state)
    if element:
        state.push("element_close", element, -1)
    state.posMax = most


def addresses(state: StateCore) -> None:
    """Turn addresses in text into links."""
    for token in state.tokens:
        if token.type != "inline" or "://" not in token.content:
            continue
        children: list[Token] = []
        links = 0
        for child in token.children or ():
            links += (child.type == "link_open") - (child.type == "link_close")
            if child.type == "text" and not links:
                children += _linked(state, child)
            else:
                children.append(child)
        token.children = children


def _linked(state: StateCore, text: Token) -> list[Token]:
    pieces, at = list[Token](), 0
    for found in _ADDRESS.finditer(text.content):
        address = _without_end(found[0])
        href = state.md.normalizeLink(address)
        if not state.md.validateLink(href):
            continue
        end = found.start() + len(address)
        pieces += [
            text.copy(content=text.content[at : found.start()]),
            Token("link_open", "a", 1, attrs={"href": href}, level=text.level),
            text.copy(content=address, level=text.level + 1),
            Token("link_close", "a", -1, level=text.level),
        ]
        at = end
    return [*pieces, text.copy(content=text.content[at:])] if pieces else [text]


def _without_end(address: str) -> str:
    """Return `address` without punctuation and brackets that belong to the sentence."""
    while address:
        last = address[-1]
        opening = _PAIRS.get(last)
        is_open = opening and address.count(last) > address.count(opening)
        if last not in _ENDS and not is_open:
            break
        address = address[:-1]
    return address


def tasks(state: StateCore) -> None:
    """Show the checkboxes of task items."""
    before = ""
    for token in state.tokens:
        found = _TASK.match(token.content) if before == "list_item_open" else None
        if token.type == "inline" and found and token.children:
            first = token.children[0]
            box = "☐" if found[1] == " " else "☑"
            first.content = box + first.content[found.end() :]
        if token.type != "paragraph_open":
            before = token.type


def alerts(state: StateCore) -> None:
    """Show the title of a highlighted quote in bold, on a line of its own."""
    for at, token in enumerate(state.tokens):
        before = [each.type for each in state.tokens[max(0, at - 2) : at]]
        if before != ["blockquote_open", "paragraph_open"]:
            continue
        children = token.children or []
        found = _ALERT.fullmatch(children[0].content) if children else None
        if found is None or (len(children) > 1 and children[1].type != "softbreak"):
            continue
        text = children[0].copy(content=found[1].title())
        token.children = [
            Token("strong_open", "strong", 1),
            text,
            Token("strong_close", "strong", -1),
            *(Token("hardbreak", "br", 0) for _ in children[1:2]),
            *children[2:],
        ]
