"""Tables as text, for platforms that render none.

Rule 1: a narrow table becomes a code block with aligned columns; a wider one becomes
records, one paragraph per row, since wrapped lines do not show which cell belongs to
which column.
Rule 2: the width of a column is known at the end of the table only, so rows are held
back until then, or until there are `MOST_HELD` characters of them. Later rows are laid
out with the widths found by then.
Rule 3: every word of every cell is shown, also of cells without a column.
"""

import re

from wcwidth import iter_graphemes, wcswidth

from bot.rendering.inline import code_spans, plain
from bot.rendering.markdown import is_row, quote_of
from bot.rendering.mentions import ZERO_WIDTH_SPACE
from bot.rendering.prose import prose

# The widest code block, in characters: about what a thread beside a channel shows
# without wrapping, by our estimate; an upright phone shows somewhat less.
MOST_WIDTH = 50

# In records, each cell is headed by the name of its column. A longer name is cut from
# the second record on: a column name of a thousand characters would make a hundred
# messages of a short table.
HEAD_CHARS = 40

# The most of a table that is held back, in characters: about 400 tokens, so that nobody
# waits much more than five seconds for the first row, and 20 rows or more.
MOST_HELD = 1_500

_COLUMNS = " | "
_PIPE = re.compile(r"(?<!\\)\|")
_THREE_TICKS = re.compile(r"`(?=``)")
_BREAK = re.compile(r"<br ?/?>", re.IGNORECASE)


class Table:
    """A table while it arrives, from its first two lines on."""

    def __init__(self, head: str, delimiter: str) -> None:
        #: Whether its lines need no pipe at their beginning.
        self.is_loose = not is_row(head)
        self._prefix = quote_of(head) if self.is_loose else head[: head.index("|")]
        self._depth = _depth(head)
        self._head = _cells(head)
        self._titles = [_plain(cell).rstrip(":") for cell in self._head]
        self._sides = [_side(cell) for cell in _cells(delimiter)]
        self._rows: list[list[str]] = []
        self._held = len(head) + len(delimiter)
        #: The widths of the columns, once they are decided.
        self._widths: list[int] | None = None
        self._is_wide = False
        self._has_records = False

    @property
    def is_shown(self) -> bool:
        """True if the layout is decided and the first rows were returned."""
        return self._widths is not None

    def takes(self, line: str) -> bool:
        """Return True if `line` is a row of this table."""
        is_another = "|" in line if self.is_loose else is_row(line)
        return is_another and self.goes_on_with(line)

    def goes_on_with(self, line: str) -> bool:
        """Return True if `line` is not in another quote."""
        return _depth(line) == self._depth

    def add(self, row: str) -> str:
        """Take the next row; return what is to be shown now."""
        cells = _cells(row, len(self._head))
        if self._widths is not None:
            return self._shown(cells)
        self._rows.append(cells)
        self._held += len(row)
        return self._settle() if self._held >= MOST_HELD else ""

    def close(self) -> str:
        """Return what was held back, and the end of the table."""
        text = self._settle() if self._widths is None else ""
        return text if self._is_wide else f"{text}{self._prefix}```\n"

    def _settle(self) -> str:
        """Decide the layout and return the rows so far."""
        columns = max(len(row) for row in (self._head, *self._rows))
        self._widths = [0] * columns
        for row in (self._head, *self._rows):
            for at, cell in enumerate(row):
                self._widths[at] = max(self._widths[at], _width(_plain(cell)))
        total = sum(self._widths) + len(_COLUMNS) * (columns - 1) + len(self._prefix)
        # Without rows, records would lose the head.
        self._is_wide = total > MOST_WIDTH and bool(self._rows)
        if self._is_wide:
            return "".join(map(self._record, self._rows))
        rule = "-+-".join("-" * width for width in self._widths)
        lines = [self._line(self._head), f"{self._prefix}{rule}\n"]
        return "".join([f"{self._prefix}```\n", *lines, *map(self._line, self._rows)])

    def _shown(self, cells: list[str]) -> str:
        return self._record(cells) if self._is_wide else self._line(cells)

    def _line(self, cells: list[str]) -> str:
        """Return a row as a line of the code block."""
        widths = self._widths or []
        sides = self._sides
        padded = [
            _padded(
                _plain(cell),
                widths[at] if at < len(widths) else 0,
                sides[at] if at < len(sides) else "",
            )
            for at, cell in enumerate(cells)
        ]
        return f"{self._prefix}{_COLUMNS.join(padded).rstrip()}\n"

    def _record(self, cells: list[str]) -> str:
        """Return a row as a paragraph: the heading of each cell in bold, and the
        cell."""
        gap = f"{self._prefix}\n" if self._has_records else ""
        lines = []
        for at, cell in enumerate(cells):
            head = self._title(at)
            value = prose(_BREAK.sub(" ", cell))
            if not value:
                continue
            # A cell without a heading usually names its row. In bold, it cannot begin a
            # block either.
            line = f"**{head}:** {value}" if head else f"**{_plain(value)}**"
            lines.append(f"{self._prefix}{line}\n")
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
    """Return the cells of `row` without their Markdown; see `_cells`."""
    return [_plain(cell) for cell in _cells(row, columns)]


def _cells(row: str, columns: int | None = None) -> list[str]:
    """Return the cells of `row`, their pipes restored.

    A pipe divides cells, even in code, unless it is escaped. But if only with whole
    code spans there are as many cells as `columns`, the code was meant.
    """
    inner = row.lstrip(" \t>").removeprefix("|").strip()
    cells = _split(inner)
    if columns is not None and len(cells) > columns:
        whole = _split(_with_whole_code(inner))
        cells = whole if len(whole) == columns else cells
    return [cell.strip().replace("\\|", "|") for cell in cells]


def _with_whole_code(row: str) -> str:
    """Return `row` with the pipes in its code escaped."""
    pieces, at = [], 0
    for start, end in code_spans(row):
        pieces += [row[at:start], _PIPE.sub(r"\\|", row[start:end])]
        at = end
    return "".join([*pieces, row[at:]])


def _split(row: str) -> list[str]:
    """Return the cells of `row`, without what follows the pipe at its end."""
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
    # Discord ends a code block at the next three backticks wherever they stand and
    # however many opened it, so a longer fence would not help there.
    return _THREE_TICKS.sub(f"`{ZERO_WIDTH_SPACE}", text)


def _padded(text: str, width: int, side: str) -> str:
    gap = max(0, width - _width(text))
    left = {"^": gap // 2, ">": gap}.get(side, 0)
    return " " * left + text + " " * (gap - left)


def _width(text: str) -> int:
    """Return the number of columns of a fixed-width font that `text` takes."""
    # One by one: of a whole text, the time of wcswidth grows with the square of the
    # number of flags. Of a control character it returns -1.
    return sum(max(0, wcswidth(each)) for each in iter_graphemes(text))


def _depth(line: str) -> int:
    return quote_of(line).count(">")
