"""Converts tables to text, for platforms that do not render tables.

Rule 1: a narrow table becomes a code block with aligned columns. A wider one becomes
records, one paragraph per row, since wrapped lines do not show which cell belongs to
which column.
Rule 2: the width of a column is known only at the end of the table, so rows are held
back until then, or until they have `MOST_HELD` characters. Later rows are laid out with
the widths found by then.
Rule 3: every word of every cell is shown, including cells without a column.
"""

import re

from wcwidth import iter_graphemes, wcswidth

from bot.rendering.inline import code_spans, plain
from bot.rendering.markdown import is_row, quote_of
from bot.rendering.mentions import ZERO_WIDTH_SPACE
from bot.rendering.prose import prose

# The widest code block, in characters. By our estimate, a thread beside a channel shows
# about this many without wrapping. A phone held upright shows somewhat fewer.
MOST_WIDTH = 50

# In records, the name of the column precedes each cell. A longer name is cut from the
# second record on. Otherwise a column name of a thousand characters would turn a short
# table into a hundred messages.
HEAD_CHARS = 40

# The most characters of a table that are held back: about 400 tokens, so that nobody
# waits much more than five seconds for the first row. Tables have 20 rows or more in
# this many characters.
MOST_HELD = 1_500

_COLUMNS = " | "
_PIPE = re.compile(r"(?<!\\)\|")
_THREE_TICKS = re.compile(r"`(?=``)")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)


class Table:
    """A table while it arrives, from its first two lines on."""

    def __init__(self, head: str, delimiter: str) -> None:
        #: Whether the rows need no pipe at their beginning.
        self.is_loose = not is_row(head)
        self._prefix = quote_of(head) if self.is_loose else head[: head.index("|")]
        self._depth = _depth(head)
        self._head = _cells(head)
        self._titles = [_plain(cell).rstrip(":") for cell in self._head]
        self._sides = [_side(cell) for cell in _cells(delimiter)]
        self._rows: list[list[str]] = []
        self._held = len(head) + len(delimiter)
        #: The widths of the columns; None until they are decided.
        self._widths: list[int] | None = None
        self._is_wide = False
        self._has_records = False
        #: The columns with a heading and no text in the rows that decided the layout.
        #: They are usually to be filled in.
        self._blank = set[int]()

    @property
    def is_shown(self) -> bool:
        """True if the layout is decided and the first rows were returned."""
        return self._widths is not None

    def takes(self, line: str) -> bool:
        """Return True if `line` is a row of this table."""
        is_another = "|" in line if self.is_loose else is_row(line)
        return is_another and self.goes_on_with(line)

    def goes_on_with(self, line: str) -> bool:
        """Return True if `line` is in the same quote as this table."""
        return _depth(line) == self._depth

    def add(self, row: str) -> str:
        """Take the next row; return the text to show now."""
        cells = _cells(row, len(self._head))
        if self._widths is not None:
            return self._draw_row(cells)
        self._rows.append(cells)
        self._held += len(row)
        return self._settle() if self._held >= MOST_HELD else ""

    def close(self) -> str:
        """Return the rows that were held back, and the end of the table."""
        text = self._settle() if self._widths is None else ""
        return text if self._is_wide else f"{text}{self._prefix}```\n"

    def _settle(self) -> str:
        """Decide the layout, and return the rows so far."""
        columns = max(len(row) for row in (self._head, *self._rows))
        self._widths = [0] * columns
        for row in (self._head, *self._rows):
            for at, cell in enumerate(row):
                self._widths[at] = max(self._widths[at], _width(_plain(cell)))
        total = sum(self._widths) + len(_COLUMNS) * (columns - 1) + len(self._prefix)
        # Without rows, records would lose the head.
        self._is_wide = total > MOST_WIDTH and bool(self._rows)
        if self._is_wide:
            filled = {at for row in self._rows for at, cell in enumerate(row) if cell}
            self._blank = {at for at, each in enumerate(self._titles) if each} - filled
            return "".join(map(self._record, self._rows))
        rule = "-+-".join("-" * width for width in self._widths)
        lines = [self._line(self._head), f"{self._prefix}{rule}\n"]
        return "".join([f"{self._prefix}```\n", *lines, *map(self._line, self._rows)])

    def _draw_row(self, cells: list[str]) -> str:
        return self._record(cells) if self._is_wide else self._line(cells)

    def _line(self, cells: list[str]) -> str:
        """Return a row as a line of the code block."""
        widths = self._widths or []
        sides = self._sides
        padded = [
            _pad(
                _plain(cell),
                widths[at] if at < len(widths) else 0,
                sides[at] if at < len(sides) else "",
            )
            for at, cell in enumerate(cells)
        ]
        return f"{self._prefix}{_COLUMNS.join(padded).rstrip()}\n"

    def _record(self, cells: list[str]) -> str:
        """Return a row as a paragraph with a line for each cell that has text, or is in
        a blank column: the heading in bold, then the cell."""
        gap = f"{self._prefix}\n" if self._has_records else ""
        lines = []
        missing = len(self._titles) - len(cells)
        for at, cell in enumerate([*cells, *[""] * missing]):
            head = self._title(at)
            value = prose(_BREAK.sub(" ", cell))
            if not value and at not in self._blank:
                continue
            # A cell without a heading usually names its row, so it is bold. A bold cell
            # cannot begin a block either.
            line = f"**{head}:** {value}" if head else f"**{_plain(value)}**"
            lines.append(f"{self._prefix}{line.rstrip()}\n")
        self._has_records = self._has_records or bool(lines)
        return "".join([gap, *lines]) if lines else ""

    def _title(self, at: int) -> str:
        """Return the heading of the cells of column `at`, cut from the second record
        on."""
        title = self._titles[at] if at < len(self._titles) else ""
        if self._has_records and len(title) > HEAD_CHARS:
            return title[: HEAD_CHARS - 1] + "…"
        return title


def columns(line: str) -> int:
    """Return the number of cells of `line`, read as a row."""
    return len(_cells(line))


def texts(row: str, columns: int | None = None) -> list[str]:
    """Return the cells of `row` without their Markdown. `columns` is as in `_cells`."""
    return [_plain(cell) for cell in _cells(row, columns)]


def _cells(row: str, columns: int | None = None) -> list[str]:
    """Return the cells of `row`, with their escaped pipes restored.

    A pipe divides cells, even in code, unless it is escaped. But if there are more
    cells than `columns`, and exactly `columns` cells when pipes in code do not count,
    they do not count.
    """
    inner = row.lstrip(" \t>").removeprefix("|").strip()
    cells = _split_row(inner)
    if columns is not None and len(cells) > columns:
        whole = _split_row(_with_whole_code(inner))
        cells = whole if len(whole) == columns else cells
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _with_whole_code(row: str) -> str:
    """Return `row` with the pipes in its code escaped."""
    pieces, at = [], 0
    for start, end in code_spans(row):
        pieces += [row[at:start], _PIPE.sub(r"\\|", row[start:end])]
        at = end
    return "".join([*pieces, row[at:]])


def _split_row(row: str) -> list[str]:
    """Return the cells of `row`, without the blanks after the pipe at its end."""
    cells = _PIPE.split(row)
    return cells[:-1] if len(cells) > 1 and not cells[-1].strip() else cells


def _side(delimiter: str) -> str:
    """Return the alignment of a column: "<", "^" or ">"."""
    if not delimiter.endswith(":"):
        return "<"
    return "^" if delimiter.startswith(":") else ">"


def _plain(cell: str) -> str:
    """Return `cell` without its Markdown."""
    text = plain(prose(_BREAK.sub(" ", cell))).replace("\t", " ")
    # Discord ends a code block at the next three backticks, wherever they are and
    # however many opened it, so a longer fence would not help.
    return _THREE_TICKS.sub(f"`{ZERO_WIDTH_SPACE}", text)


def _pad(text: str, width: int, side: str) -> str:
    gap = max(0, width - _width(text))
    left = {"^": gap // 2, ">": gap}.get(side, 0)
    return " " * left + text + " " * (gap - left)


def _width(text: str) -> int:
    """Return the number of columns of a fixed-width font that `text` takes."""
    # Measure graphemes one by one, since wcswidth takes time quadratic in the number of
    # flags in a text. It returns -1 for a control character.
    return sum(max(0, wcswidth(each)) for each in iter_graphemes(text))


def _depth(line: str) -> int:
    return quote_of(line).count(">")
