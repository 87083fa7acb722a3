"""Looks at links that read otherwise than they lead. Pure.

Rule: a Markdown link whose text reads as another address than the one it leads to is
taken apart, so that people see both; and no text becomes longer by that. Where the text
of a link begins is told otherwise by each platform's Markdown, so wherever it may begin
is looked at.
"""

import re
from collections.abc import Iterator

# Where the text of a link ends and its address begins, as far as its host. A platform
# may read blanks, an angle bracket or a backslash between them.
_TARGET = re.compile(r"\]\([\s<\\]*+([A-Za-z][A-Za-z0-9+.-]*+:[^\s<>()\[\]]++)")
# A link as nearly all are.
_SIMPLE = re.compile(r"\[([^\[\]]*+)\]\(([^\s()<>]++)\)")
# A bracket, unless it stands behind a backslash.
_BRACKET = re.compile(r"\\.|([\[\]])", re.DOTALL)

#: The longest text of a link: a longer one is taken apart in any case.
MOST_TEXT = 300

# An address as people read one: with a scheme, or a name with dots in it.
_ADDRESS = re.compile(
    r"(?<![a-z0-9+.-])(?:[a-z][a-z0-9+.-]*+://|www[.])[^\s<>\[\]]++"
    r"|(?<![\w-])[\w-]++(?:[.][\w-]++)++",
    re.IGNORECASE,
)
# Signs of emphasis, and what nobody sees, which may stand in the middle of a word.
_UNSEEN = re.compile(
    r"[*_~|`\\\u00ad\u034f\u061c\u180e\u200b-\u200f\u2060-\u206f\ufeff]"
)
_DOTS = re.compile(r"[\u3002\uff0e\uff61\u2024]")
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*+:)?+/*+(?:[^/?#\s]*@)?+([^/?#:\s)]++)")
# Endings of the names of files that are no ends of addresses.
_FILES = {
    *("css", "csv", "cpp", "exe", "gif", "htm", "html", "java", "jpg", "js", "json"),
    *("jsx", "log", "pdf", "png", "sql", "svg", "toml", "ts", "tsx", "txt", "xml"),
    *("yaml", "yml"),
}


def unmask_misleading(text: str) -> str:
    """`text` with the links taken apart whose text reads as another address."""
    return _unmask(text, misleading_only=True)


def unmask(text: str) -> str:
    """`text` with all of its links taken apart."""
    return _unmask(text, misleading_only=False)


def _unmask(text: str, *, misleading_only: bool) -> str:
    if "](" not in text:
        return text
    pieces, end = [], 0
    for target in _TARGET.finditer(text):
        at = target.start()
        before = text[max(0, at - MOST_TEXT) : at]
        if misleading_only and not _is_misleading(before, target[1]):
            continue
        start = text.rfind("[", end, at)
        simple = _SIMPLE.match(text, start) if start >= 0 else None
        if simple is not None and simple.end(1) == at:
            pieces += [text[end:start], f"{simple[1]} ({simple[2]})"]
            end = simple.end()
        else:
            pieces += [text[end:at], "] "]
            end = at + 2
    return "".join([*pieces, text[end:]])


def _is_misleading(before: str, address: str) -> bool:
    """Whether the text of a link to `address`, which is at the end of `before`, may
    read as another one."""
    host = _host(address)
    for label in _possible_labels(before):
        if len(label) >= MOST_TEXT:
            return True
        shown = _DOTS.sub(".", _UNSEEN.sub("", label))
        if any(_host(each[0]) not in ("", host) for each in _ADDRESS.finditer(shown)):
            return True
    return False


def _possible_labels(before: str) -> Iterator[str]:
    """What the text of a link may be that is at the end of `before`: from the bracket
    that opens it on, or from one between them; all of it where there is none."""
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
    """The host that an address leads to, as it is compared; "" for none."""
    match = _HOST.match(address.lower())
    host = match[1].strip(".").removeprefix("www.") if match else ""
    last = host.rpartition(".")[2]
    is_end = len(last) > 1 and last not in _FILES and not last.isdecimal()
    return host if ("." in host and is_end) or "://" in address else ""
