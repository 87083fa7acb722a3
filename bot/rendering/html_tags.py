"""Replaces the HTML tags that Markdown may contain, for platforms that show them as
they were typed.

Rule: a tag in a sentence, as in "put it in <b>", is what the author talks about. So a
tag is replaced only if its element begins and ends on the same line, or, for an element
of several lines, if the tag is alone.
"""

import html
import re
from collections.abc import Iterator

from bot.rendering.images import MOST_CHARS

_NAMES = (
    "br|b|strong|i|em|u|ins|s|del|strike|kbd|code|sub|sup|mark|small|center|details"
    "|summary"
)
_TAG = re.compile(rf"<(/?)({_NAMES})[ \t]*+/?>", re.I)
_TAG_SO_FAR = re.compile(r"</?[A-Za-z]{0,7}[ \t]{0,3}/?$")
_CODE = frozenset(("kbd", "code"))
#: Elements of several lines. Discord cannot fold text.
_BLOCKS = frozenset(("center", "details", "summary"))
#: What replaces the tags of an element, by the name of the element.
_MARKS = {
    **{"b": "**", "strong": "**", "i": "*", "em": "*", "u": "__"},
    **{"ins": "__", "s": "~~", "del": "~~", "strike": "~~", "summary": "**"},
    **{"mark": "", "small": "", "center": "", "sub": "", "sup": "", "details": ""},
}


class Tags:
    """Replaces the tags of one line."""

    def __init__(self) -> None:
        #: The elements whose first tag was replaced.
        self._open: list[str] = []

    def end_line(self) -> None:
        """Forget the elements of the line."""
        self._open.clear()

    def token(
        self, text: str, at: int, last: str, *, line_break: str, unclear: bool
    ) -> tuple[int | None, str | None]:
        """Return the end of the tag that begins at `at` after the character `last`, and
        its replacement, or None to keep the tag. `line_break` replaces `<br>`.

        The end is None while it is undecided, which is possible only if more text
        follows, so that the tag is `unclear`.
        """
        window = min(len(text), at + MOST_CHARS)
        unclear = unclear and window < at + MOST_CHARS
        tag = tag_at(text, at, window)
        if tag is None:
            may = unclear and _TAG_SO_FAR.match(text, at)
            return (None, None) if may else (at + 1, None)
        name, is_end = tag[2].lower(), bool(tag[1])
        if name == "br":
            return tag.end(), line_break
        if is_end and name in self._open:
            self._open.remove(name)
            return tag.end(), _MARKS[name]
        if name in _BLOCKS and unclear and tag.end() == len(text):
            return None, None
        if is_alone(text, tag, last):
            return tag.end(), ""
        if is_end:
            return tag.end(), None
        end = end_of_element(text, tag, window)
        if end is None:
            is_open = unclear and not any(_of(name, text, tag.end(), window))
            return (None, None) if is_open else (tag.end(), None)
        if name in _CODE:
            # The content of code is shown as it is written, so its entities are
            # replaced here.
            code = html.unescape(text[tag.end() : end.start()])
            return (tag.end(), None) if "`" in code else (end.end(), f"`{code}`")
        self._open.append(name)
        return tag.end(), "^" if name == "sup" else _MARKS[name]


def tag_at(text: str, at: int, end: int) -> re.Match[str] | None:
    """Return the tag at `at` in `text`, up to `end`: a slash if it ends an element, and
    the name of the element. Return None if there is none that Markdown may contain."""
    return _TAG.match(text, at, end)


def end_of_element(text: str, tag: re.Match[str], window: int) -> re.Match[str] | None:
    """Return the tag that ends the element of `tag`, up to `window`, or None if `tag`
    is in a sentence about tags: there, no content follows it at once."""
    if tag[1]:
        return None
    end = next(_of(tag[2].lower(), text, tag.end(), window), None)
    if end is None or not end[1]:
        return None
    content = text[tag.end() : end.start()]
    return end if content and content == content.strip() else None


def _of(name: str, text: str, start: int, end: int) -> Iterator[re.Match[str]]:
    """Yield the tags of elements with `name`."""
    tags = _TAG.finditer(text, start, end)
    return (each for each in tags if each[2].lower() == name)


def is_alone(text: str, tag: re.Match[str], last: str) -> bool:
    """Return True if `tag` belongs to an element of several lines, and only tags and
    blanks share its line, as far as `last`, the character before it, and the one behind
    it tell. The last line of an element may end with its tag."""
    is_first = last in ("", ">") or (bool(tag[1]) and not last.isspace())
    behind = text[tag.end() : tag.end() + 1]
    return tag[2].lower() in _BLOCKS and is_first and behind in ("", "\r", "\n", "<")
