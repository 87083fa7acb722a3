"""Writes quotes for platforms that need a blank after the mark of a quote.

On Discord, a line begins a quote only with ">" and a blank (platform facts B5). So the
empty line between two paragraphs of a quote, which has the mark alone, would be shown
as it was typed, and divide the quote.
"""

import re

from bot.rendering.markdown import LINES, MOST_LINE, MOST_MARKERS, Fence, fence_after

_MARK = re.compile(r"[ \t]{0,60}+>")


class Quotes:
    """Adds the missing blanks to a text that arrives in pieces."""

    def __init__(self) -> None:
        #: The part of the current line that has arrived, cut to `MOST_LINE`.
        self._line = ""
        self._fence: Fence | None = None

    def feed(self, text: str) -> str:
        """Take the next piece, and return it with blanks."""
        return "".join([self._take(piece) for piece in LINES.findall(text)])

    def preview(self, text: str) -> str:
        """Return `text`, which may follow the pieces so far, with blanks."""
        quotes = Quotes()
        quotes._line, quotes._fence = self._line, self._fence
        return quotes.feed(text)

    def _take(self, piece: str) -> str:
        before, line = len(self._line), self._line + piece
        mark = _MARK.match(line)
        if self._fence is not None and not self._fence.prefix.lstrip(" \t"):
            mark = None
        if piece.endswith("\n"):
            self._fence = fence_after(self._fence, line[:-1], MOST_MARKERS)
            self._line = ""
        else:
            self._line = line[:MOST_LINE]
        at = mark.end() - before if mark else -1
        if not 0 <= at < len(piece) or piece[at] == " ":
            return piece
        return f"{piece[:at]} {piece[at:]}"
