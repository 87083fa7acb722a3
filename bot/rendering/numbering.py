"""Writes out the numbers of ordered lists.

Markdown numbers the items itself, so a list may be written as `1. 1. 1.`. A message
that begins in the middle of a list would count from the number that is written there.
So each item is written with the number that it is shown with: the number of the first
item, plus one for each further item.

Rule: the answer arrives in pieces that end anywhere, and the result does not depend on
the pieces. Only the beginning of a line is held back, while it may be a number.
"""

import re
from dataclasses import dataclass

from bot.rendering.markdown import (
    LINES,
    MOST_LINE,
    MOST_MARKERS,
    Fence,
    fence_after,
    is_blank,
)

_ITEM = re.compile(r"\A([ \t>]*+)([0-9]{1,9})([.)])(?=[ \t]|$)")
_ITEM_SO_FAR = re.compile(r"\A[ \t>]*+[0-9]{0,9}[.)]?$")
_INDENT = re.compile(r"[ \t>]*+")
# The deepest nesting of lists.
_DEPTH = 20


@dataclass(slots=True)
class _List:
    """An open list: the quotes and the indent before its numbers, the sign after them,
    and the next number."""

    quotes: int
    indent: int
    sign: str
    next: int


class Numbering:
    """Numbers the items of lists in a text that arrives in pieces."""

    def __init__(self) -> None:
        #: The part of the current line that is held back, and the part that has
        #: arrived, cut to `MOST_LINE` characters.
        self._held = ""
        self._line = ""
        self._is_decided = self._is_item = False
        self._fence: Fence | None = None
        self._lists: list[_List] = []
        self._is_below_blank = False

    def feed(self, text: str) -> str:
        """Take the next piece; return the text that is decided now."""
        return "".join([self._take(piece) for piece in LINES.findall(text)])

    def flush(self) -> str:
        """Complete the text; return the text that was held back."""
        return self._begin(self._held) if self._held else ""

    def _take(self, piece: str) -> str:
        is_over = piece.endswith("\n")
        self._line = (self._line + piece)[:MOST_LINE]
        if not self._is_decided:
            self._held += piece
            start = self._held.removesuffix("\n")
            is_short = len(start) <= MOST_MARKERS
            if not is_over and is_short and _ITEM_SO_FAR.match(start):
                return ""
            piece = self._begin(self._held)
        if is_over:
            line = self._line.removesuffix("\n")
            is_code = self._fence is not None and not self._fence.is_left_by(line)
            if not (self._is_item or is_code or is_blank(line)):
                self._end_lists(line)
            self._fence = fence_after(self._fence, line, MOST_MARKERS)
            self._is_below_blank = self._fence is None and is_blank(line)
            self._line, self._is_decided = "", False
        return piece

    def _begin(self, text: str) -> str:
        """Return the beginning of a line, numbered."""
        self._held, self._is_decided, self._is_item = "", True, False
        line = text.removesuffix("\n")
        if self._fence and not self._fence.is_left_by(line):
            return text
        item = _ITEM.match(line[: MOST_MARKERS + 12])
        if item is None:
            return text
        self._is_item = True
        number = self._number(item[1], int(item[2]), item[3])
        return f"{item[1]}{number}{text[item.end(2) :]}"

    def _number(self, marks: str, number: int, sign: str) -> int:
        quotes, indent = marks.count(">"), _width(marks)
        # Deeper lists have ended.
        while self._lists and (
            self._lists[-1].quotes != quotes or self._lists[-1].indent > indent + 1
        ):
            self._lists.pop()
        found = self._lists[-1] if self._lists else None
        if found is None or indent > found.indent + 1 or found.sign != sign:
            if found is not None and indent <= found.indent + 1:
                self._lists.pop()
            if len(self._lists) >= _DEPTH:
                del self._lists[0]
            self._lists.append(_List(quotes, indent, sign, number + 1))
            return number
        found.next += 1
        return found.next - 1

    def _end_lists(self, line: str) -> None:
        """End the lists that `line`, which is not an item, does not continue."""
        marks = _INDENT.match(line)
        assert marks is not None
        quotes, indent = marks[0].count(">"), _width(marks[0])
        is_paragraph = not self._is_below_blank and not _ends_list(line[marks.end() :])
        while self._lists:
            last = self._lists[-1]
            if quotes == last.quotes and (is_paragraph or indent > last.indent):
                return
            self._lists.pop()


def _ends_list(words: str) -> bool:
    """Return True if a line that begins with `words` does not continue the paragraph
    above: a heading, another list, or code."""
    return words.startswith(("#", "- ", "* ", "+ ", "```", "~~~"))


def _width(marks: str) -> int:
    return len(marks.expandtabs(4))
