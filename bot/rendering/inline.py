"""Parses inline Markdown: code, emphasis, links and escapes. Pure.

Rule: each character is examined a bounded number of times. All possible ends of a kind
of mark are listed once, and the end of a mark is looked up in the list. A search from
every mark would take quadratic time.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator

from bot.rendering.images import LINK, MOST_CHARS

_TICKS = re.compile(r"`++")
#: Characters that can begin a mark.
_SPECIAL = re.compile(r"[`\\!\[<*_~]")
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_INLINE_LINK = re.compile(LINK)
_ADDRESS = re.compile(r"<([a-z]++:[^\s<>]++)>")
_SOFT = re.compile(r"([*_])(?![\s*_])([^*_]++)(?<=\S)\1(?!\w)")
#: The marks of emphasis, each with a pattern for the places where it may end.
_ENDS = {
    "**": re.compile(r"(?<=\S)(?=\*\*)"),
    "__": re.compile(r"(?<=\S)(?=__)"),
    "~~": re.compile(r"(?<=\S)(?=~~)"),
}


def plain(text: str) -> str:
    """Return the one line `text` without its Markdown."""
    return _Reader(text).plain()


def code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yield the start and end of each code span in `text`, its backticks included."""
    ends = _CodeEnds(text)
    at = 0
    while opener := _TICKS.search(text, at):
        at = ends.behind(opener) or opener.end()
        if at > opener.end():
            yield opener.start(), at


class _CodeEnds:
    """The positions of runs of backticks, by length."""

    def __init__(self, text: str) -> None:
        self._starts: dict[int, list[int]] = {}
        for run in _TICKS.finditer(text):
            self._starts.setdefault(len(run[0]), []).append(run.start())

    def behind(self, opener: re.Match[str]) -> int | None:
        """Return the end of the code that the run `opener` begins; None if no run of
        the same length follows."""
        length = len(opener[0])
        starts = self._starts.get(length, [])
        nth = bisect_left(starts, opener.end())
        return starts[nth] + length if nth < len(starts) else None


class _Reader:
    """Parses one line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._code = _CodeEnds(text)
        self._ends: dict[str, list[int]] = {}

    def plain(self) -> str:
        text, pieces, at = self._text, [], 0
        while special := _SPECIAL.search(text, at):
            start = special.start()
            found, end = self._read(special[0], start)
            pieces += [text[at:start], found]
            at = end
        return "".join([*pieces, text[at:]])

    def _read(self, sign: str, at: int) -> tuple[str, int]:
        """Return the plain text of the element that the mark `sign` at `at` begins, and
        the element's end."""
        text = self._text
        if sign == "`":
            return self._read_code(at)
        if sign == "\\" and (match := _ESCAPED.match(text, at)):
            return match[1], match.end()
        if sign in "![" and (match := _INLINE_LINK.match(text, at, at + MOST_CHARS)):
            return _link(match), match.end()
        if sign == "<" and (match := _ADDRESS.match(text, at)):
            return match[1], match.end()
        if sign in "*_~":
            return self._read_emphasis(at)
        return sign, at + 1

    def _read_code(self, at: int) -> tuple[str, int]:
        opener = _TICKS.match(self._text, at)
        assert opener is not None
        end = self._code.behind(opener)
        if end is None:
            return opener[0], opener.end()
        return self._text[opener.end() : end - len(opener[0])].strip(), end

    def _read_emphasis(self, at: int) -> tuple[str, int]:
        text, mark = self._text, self._text[at : at + 2]
        inside_word = at > 0 and (text[at - 1].isalnum() or text[at - 1] == "_")
        if mark in _ENDS and not (mark == "__" and inside_word):
            end = self._end_of(mark, at)
            if end is not None:
                return plain(text[at + 2 : end]), end + 2
        if not inside_word and (match := _SOFT.match(text, at)):
            return plain(match[2]), match.end()
        return text[at], at + 1

    def _end_of(self, mark: str, at: int) -> int | None:
        """Return the end of the emphasis that begins at `at`; None if no emphasis
        does."""
        inner = at + 2
        if inner >= len(self._text) or self._text[inner].isspace():
            return None
        if mark not in self._ends:
            found = _ENDS[mark].finditer(self._text)
            self._ends[mark] = [each.start() for each in found]
        ends = self._ends[mark]
        nth = bisect_left(ends, inner + 1)
        return ends[nth] if nth < len(ends) else None


def _link(match: re.Match[str]) -> str:
    text, address = plain(match[1]), match[2].strip("<>")
    return f"{text} ({address})" if text not in ("", address) else address
