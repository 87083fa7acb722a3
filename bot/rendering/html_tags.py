"""Replaces the HTML tags that Markdown may contain, for platforms that show them as
they were typed.

Rule: a tag in a sentence, as in "put it in <b>", is what the author talks about. So a
tag is replaced only if its element begins and ends on the same line, or, for an element
of several lines, if the tag is alone.
"""

import html
import re

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
    **{"mark": "", "small": "", "center": "", "sub": "", "sup": ""},
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
        tag = _TAG.match(text, at, window)
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
        if name in _BLOCKS and _is_alone(text, tag, last):
            return tag.end(), ""
        if is_end or name not in _MARKS.keys() | _CODE:
            return tag.end(), None
        others = _TAG.finditer(text, tag.end(), window)
        end = next((each for each in others if each[2].lower() == name), None)
        if end is None and unclear:
            return None, None
        content = text[tag.end() : end.start()] if end and end[1] else ""
        if end is None or not content or content != content.strip():
            return tag.end(), None
        if name in _CODE:
            # The content of code is shown as it is written, so its entities are
            # replaced here.
            code = html.unescape(content)
            return (tag.end(), None) if "`" in code else (end.end(), f"`{code}`")
        self._open.append(name)
        return tag.end(), "^" if name == "sup" else _MARKS[name]


def _is_alone(text: str, tag: re.Match[str], last: str) -> bool:
    """Return True if only tags and blanks share the line with `tag`, as far as `last`,
    the character before it, and the one behind it tell. The last line of an element may
    end with its tag."""
    is_first = last in ("", ">") or (bool(tag[1]) and not last.isspace())
    return is_first and text[tag.end() : tag.end() + 1] in ("", "\r", "\n", "<")
