"""Collects code blocks and tables while they arrive, for `bot.rendering.file_blocks`.

Rule: the first lines of a block are shown, and some further lines are held back until
the block ends or exceeds its limit. A block over its limit is a file, and no further
lines of it are shown.
"""

from bot.domain.answer_file import AnswerFile
from bot.messages import answer_files as messages
from bot.rendering import tables
from bot.rendering.markdown import (
    MOST_MARKERS,
    Fence,
    fence_after,
    is_row,
    quote_of,
)
from bot.text import csv_cells

# A longer line of code counts as several lines. Platforms show about this many
# characters in one line.
LINE_CHARS = 80

_MARGIN = " \t>"


class CodeBlock:
    """A code block while it arrives."""

    def __init__(
        self,
        fence: Fence,
        language: str,
        first: float,
        most: float,
        name: str,
        *,
        is_wanted: bool,
    ) -> None:
        self.fence = fence
        self._language = language
        self._first, self._most = first, most
        self.name = name
        self.is_file = is_wanted
        self._is_cut = False
        self._pieces: list[str] = []
        self._held: list[str] = []
        #: The number of complete lines, and of characters in the current line.
        self._lines = self._column = 0
        #: Whether the shown text ends with a line end.
        self._ends_line = True

    @property
    def size(self) -> int:
        """The number of lines, if the block was not cut."""
        return self._lines + (self._column > 0)

    def add(self, text: str) -> str:
        """Take code of one line; return the part to show now."""
        self._pieces.append(text)
        if self._is_cut:
            return ""
        shown: list[str] = []
        while text:
            if self._column == LINE_CHARS and text != "\n":
                self._lines, self._column = self._lines + 1, 0
            if self._lines >= self._most:
                self._is_cut = self.is_file = True
                return "".join(shown) + self._cut()
            piece, text = self._divide(text)
            if self._lines < self._first:
                shown.append(piece)
                self._ends_line = piece.endswith("\n")
            else:
                self._held.append(piece)
            self._column += len(piece)
            if piece.endswith("\n"):
                self._lines, self._column = self._lines + 1, 0
        return "".join(shown)

    def _divide(self, text: str) -> tuple[str, str]:
        """Return the part of `text` that fits into the current line of LINE_CHARS, and
        the rest."""
        room = LINE_CHARS - self._column
        if text == "\n" or (text.endswith("\n") and len(text) - 1 <= room):
            return text, ""
        return text[:room], text[room:]

    def _cut(self) -> str:
        self._held.clear()
        end = "" if self._ends_line else "\n"
        prefix = self.fence.prefix
        note = messages.follows(name=self.name)
        return f"{end}{self.fence.closer}\n{prefix}{note}\n"

    def close(self, closer: str) -> str:
        """Take the line that closes the block, or "" if none does; return the text to
        show."""
        if self._is_cut:
            return ""
        held = "".join(self._held)
        if not self.is_file:
            return held + closer
        note = messages.follows(name=self.name)
        closer = closer or self._closer()
        end = "" if closer.endswith("\n") else "\n"
        return f"{held}{closer}{end}{self.fence.prefix}{note}\n"

    def _closer(self) -> str:
        text = "".join(self._pieces[-1:])
        end = "" if not text or text.endswith("\n") else "\n"
        return f"{end}{self.fence.closer}\n"

    def file(self) -> AnswerFile:
        """Return the block as a file."""
        lines = "".join(self._pieces).splitlines(keepends=True)
        text = "".join([_without_margin(line, self.fence.prefix) for line in lines])
        if text and not text.endswith("\n"):
            text += "\n"
        mark = self.fence.mark
        markdown = f"{mark}{self._language}\n{text}{mark}\n"
        if self._language.lower() in ("csv", "tsv"):
            text = csv_cells.without_formulas(text)
        return AnswerFile(self.name, text, markdown)


class TableBlock:
    """A table while it arrives."""

    def __init__(
        self, head: str, delimiter: str, first: float, most: float, name: str
    ) -> None:
        #: Whether the rows need no pipe at their beginning.
        self.is_loose = not is_row(head)
        self._head = head
        self._delimiter = delimiter
        self._first, self._most = first, most
        self.name = name
        self.is_file = False
        self._rows: list[str] = []
        self._held: list[str] = []

    @property
    def size(self) -> int:
        """The number of lines, without the delimiter row."""
        return 1 + len(self._rows)

    def takes(self, line: str) -> bool:
        """Return True if `line` is a row of this table."""
        is_another = is_row(line)
        if self.is_loose:
            is_another = "|" in line and fence_after(None, line, MOST_MARKERS) is None
        return is_another and depth(line) == depth(self._head)

    def add(self, row: str) -> str:
        """Take the next row; return the text to show now."""
        self._rows.append(row)
        if self.is_file:
            return ""
        if len(self._rows) > self._most:
            self.is_file = True
            self._held.clear()
            quote = quote_of(self._head)
            return f"{quote.rstrip()}\n{quote}{messages.follows(name=self.name)}\n"
        if len(self._rows) <= self._first:
            return row
        self._held.append(row)
        return ""

    def close(self, closer: str) -> str:
        """Return the rows that were held back."""
        return "" if self.is_file else "".join(self._held)

    def file(self) -> AnswerFile:
        """Return the table as CSV."""
        head = tables.texts(self._head)
        rows = [tables.texts(row, len(head)) for row in self._rows]
        text = "".join(map(csv_cells.record, (head, *rows)))
        markdown = "".join((self._head, self._delimiter, *self._rows))
        return AnswerFile(self.name, text, markdown)


def depth(line: str) -> int:
    """Return the number of nested quotes that `line` is in."""
    return quote_of(line).count(">")


def _without_margin(line: str, prefix: str) -> str:
    """Return a line of code without the marks and the indentation of its block."""
    at = 0
    while at < len(prefix) and line[at : at + 1] and line[at] in _MARGIN:
        if line[at] == ">" and ">" not in prefix:
            break
        at += 1
    return line[at:]
