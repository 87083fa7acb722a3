"""Makes the targets of misleading links visible. Pure.

Rule: a Markdown link whose text reads as an address other than its target is taken
apart, so that people see both. No text gets longer by this. Platforms disagree about
where the text of a link begins, so every possible beginning is checked.
"""

import re
from collections.abc import Callable, Iterator

# The end of a link's text and the beginning of its address, up to the host. A platform
# may accept blanks, an angle bracket or a backslash between them.
_TARGET = re.compile(r"\]\([\s<\\]*+([A-Za-z][A-Za-z0-9+.-]*+:[^\s<>()\[\]]++)")
# The form of almost all links.
_SIMPLE = re.compile(r"\[([^\[\]]*+)\]\(([^\s()<>]++)\)")
# The end of a text that may become a link, or another one. Links with other brackets in
# their text begin at the bracket that ends their text, since nothing before it changes.
_OPEN = re.compile(
    r"\[[^\[\]\n]{0,300}+(?:\](?:\([\s<\\]{0,3}+[^\s()]*+)?+)?+\Z"
    r"|\](?:\([\s<\\]{0,3}+[^\s()]*+)?+\Z"
)
# The characters of a text in which such an end is looked for. Few addresses are longer.
_MOST_OPEN = 2_500
# A bracket that is not escaped by a backslash.
_BRACKET = re.compile(r"\\.|([\[\]])", re.DOTALL)

#: The longest text of a link. A link with a longer text is always taken apart.
MOST_TEXT = 300

# The beginning of an address as people read it: a scheme, or a name with dots.
_ADDRESS = re.compile(
    r"(?<![a-z0-9+.-])(?:[a-z][a-z0-9+.-]*+://|www[.])[^\s<>\[\]]++"
    r"|(?<![\w-])[\w-]++(?:[.][\w-]++)++",
    re.IGNORECASE,
)
# Emphasis marks and invisible characters, which may occur within a word.
_UNSEEN = re.compile(
    r"[*_~|`\\\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u206f\ufeff]"
)
_DOTS = re.compile(r"[\u3002\uff0e\uff61\u2024]")
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*+:)?+/*+(?:[^/?#\s]*@)?+([^/?#:\s)]++)")
# File name endings that are not top-level domains.
_FILES = {
    *("css", "csv", "cpp", "exe", "gif", "htm", "html", "java", "jpg", "js", "json"),
    *("jsx", "log", "pdf", "png", "sql", "svg", "toml", "ts", "tsx", "txt", "xml"),
    *("yaml", "yml"),
}


#: Returns whether a text from one index to another is code, in which nothing is a link;
#: None if text that follows decides. It is called with ascending ends.
IsCode = Callable[[int, int], bool | None]


def _never(start: int, end: int) -> bool | None:
    return False


def unmask_misleading(text: str, is_code: IsCode = _never) -> str:
    """Return `text` with its misleading links taken apart.

    The text of a link that is code is no link. The result ends before the first of
    which `is_code` cannot tell yet.
    """
    return _unmask(text, is_code, misleading_only=True)


def unmask(text: str) -> str:
    """Return `text` with all links taken apart."""
    return _unmask(text, _never, misleading_only=False)


def without_open_link(text: str) -> str:
    """Return the beginning `text` of a longer text without a link at its end that may
    still change."""
    at = max(0, len(text) - _MOST_OPEN)
    found = _OPEN.search(text, at)
    shown = text[: found.start()] if found else text
    return shown if shown.strip() else text


def _unmask(text: str, is_code: IsCode, *, misleading_only: bool) -> str:
    if "](" not in text:
        return text
    pieces, end = list[str](), 0
    for target in _TARGET.finditer(text):
        at = target.start()
        before = text[max(0, at - MOST_TEXT) : at]
        if misleading_only and not _is_misleading(before, target[1]):
            continue
        start = text.rfind("[", end, at)
        opening = _opening(before)
        code = opening is not None and is_code(at - len(before) + opening, at)
        if code is None:
            return "".join([*pieces, text[end : at - len(before) + (opening or 0)]])
        if code:
            continue
        simple = _SIMPLE.match(text, start) if start >= 0 else None
        if simple is not None and simple.end(1) == at:
            pieces += [text[end:start], f"{simple[1]} ({simple[2]})"]
            end = simple.end()
        else:
            pieces += [text[end:at], "] "]
            end = at + 2
    return "".join([*pieces, text[end:]])


def _is_misleading(before: str, address: str) -> bool:
    """Return True if the text of a link to `address` may read as another address.

    The text of the link is at the end of `before`.
    """
    host = _host(address)
    for label in _possible_labels(before):
        if len(label) >= MOST_TEXT:
            return True
        shown = _DOTS.sub(".", _UNSEEN.sub("", label))
        if any(_host(each[0]) not in ("", host) for each in _ADDRESS.finditer(shown)):
            return True
    return False


def _opening(before: str) -> int | None:
    """Return the index of the bracket that opens the link at the end of `before`; None
    if it is not in `before`."""
    depth = 0
    for bracket in reversed(list(_BRACKET.finditer(before))):
        if bracket[1] == "]":
            depth += 1
        elif bracket[1] == "[":
            if depth == 0:
                return bracket.start()
            depth -= 1
    return None


def _possible_labels(before: str) -> Iterator[str]:
    """Yield the possible texts of the link at the end of `before`.

    A text begins at the bracket that opens the link or at a bracket within it. Without
    an opening bracket, all of `before` may be the text.
    """
    depth = 0
    for bracket in reversed(list(_BRACKET.finditer(before))):
        if bracket[1] == "]":
            depth += 1
        elif bracket[1] == "[":
            yield before[bracket.end() :]
            if depth == 0:
                return
            depth -= 1
    yield before


def _host(address: str) -> str:
    """Return the normalised host of an address; "" if there is none."""
    match = _HOST.match(address.lower())
    host = match[1].strip(".").removeprefix("www.") if match else ""
    last = host.rpartition(".")[2]
    is_end = len(last) > 1 and last not in _FILES and not last.isdecimal()
    return host if ("." in host and is_end) or "://" in address else ""
