"""Reads records from CSV as spreadsheets and help desks write it.

Rule 1: quotes must be balanced. A quote that is never closed, or is closed before more
text, would merge many tickets into one, so it is a problem with a line, and not a
record.
Rule 2: the separator is the one that makes the rows as wide as the header row.
Rule 3: memory is bounded, even if a quote is left open.
"""

import csv
import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.messages import ticket_files as messages
from bot.runtime.encodings import MOST_LINE
from bot.text.characters import is_blank, replace_invalid
from bot.text.csv_cells import remove_guard

#: The common ones first: of separators that fit equally well, the first one is chosen.
SEPARATORS = ",;\t|^~\x1f"
#: No separator: for files that are a list of lines.
NONE = "\x1e"
_NAMES = {
    ",": messages.COMMA,
    ";": messages.SEMICOLON,
    "\t": messages.TAB,
    "|": messages.VERTICAL_BAR,
    "^": messages.CARET,
    "~": messages.TILDE,
    "\x1f": messages.UNIT_SEPARATOR,
    NONE: messages.NO_SEPARATOR,
}

#: The most lines and characters that are read to find the separator.
SAMPLE_LINES, SAMPLE_CHARS = 400, 1_000_000

# Excel's own line before the header row.
_SEP_LINE = re.compile(r'"?sep=(\\t|[^\r\n"]?)"?[,;\t ]{0,100}[\r\n]*\Z', re.I)
_DIGITS = re.compile(r"[0-9]+")
_LETTERS = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True)
class Dialect:
    """The dialect of a CSV file."""

    separator: str
    #: The number of lines before the first record.
    skip: int = 0
    #: Whether a backslash escapes a quote.
    backslash: bool = False
    #: Whether quotes are accepted as they are, even if rows are misread.
    lenient: bool = False

    @property
    def separator_name(self) -> str:
        """The name of the separator, for people."""
        return _NAMES.get(self.separator, repr(self.separator))


@dataclass(frozen=True)
class Record:
    """The cells of one record, and its position."""

    #: The line in which the record begins, from 1.
    line: int
    cells: list[str]
    #: A clause that says why the record cannot be trusted, or "".
    problem: str = ""


def find_dialect(sample: Sequence[str], least: float = 0.0) -> Dialect:
    """Return the dialect of a table that begins with the lines `sample`. At least a
    share of `least` of its rows must be as wide as the first one; otherwise the table
    has no separator."""
    skip = sum(1 for _ in itertools.takewhile(is_blank, sample))
    if found := _SEP_LINE.match(sample[skip]):
        separator = "\t" if found[1] == "\\t" else found[1] or ","
        return Dialect(separator, skip + 1)
    best: tuple[float, int, str] = (0.0, 0, NONE)
    lines = sample[skip:]
    for separator in SEPARATORS:
        rows = [r.cells for r in records(lines, Dialect(separator, lenient=True))]
        widths = Counter(len(row) for row in rows)
        width = len(rows[0])
        # The right separator makes the rows as wide as the header row.
        share = widths[width] / widths.total() if width > 1 else 0.0
        if share and share >= least and (share, width) > best[:2]:
            best = (share, width, separator)
    return Dialect(best[2], skip)


def escapes_quotes(lines: Iterable[str], dialect: Dialect) -> bool:
    """Return True if the quotes in `lines` are balanced when a backslash escapes
    them."""
    other = Dialect(dialect.separator, dialect.skip, backslash=True)
    return not any(record.problem for record in records(lines, other))


def records(lines: Iterable[str], dialect: Dialect) -> Iterator[Record]:
    """Yield the non-blank records in `lines`, each with its problem. Records after a
    problem cannot be trusted."""
    # No limit for a field: a row that is too long is marked, and must not end the run.
    csv.field_size_limit(2**31 - 1)
    source = _Lines(lines)
    reader = csv.reader(
        source,
        delimiter=dialect.separator,
        strict=not dialect.lenient,
        doublequote=not dialect.backslash,
        escapechar="\\" if dialect.backslash else None,
    )
    for _ in range(dialect.skip):
        next(source, None)
    while True:
        source.begin()
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield Record(source.first, [], _quote_problem(source, dialect))
            continue
        if cells:
            # Remove the formula guards that a spreadsheet or our own export added.
            cells = [replace_invalid(remove_guard(each)) for each in cells]
            yield Record(
                source.first, cells, _describe_swallowed(source, cells, dialect)
            )


class _Lines:
    """Passes lines to the CSV reader, and keeps those of the current record."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._count = 0
        self._chars = 0
        #: The lines of the current record.
        self.record: list[str] = []

    def __iter__(self) -> "_Lines":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self._count += 1
        self._chars += len(line)
        self.record.append(line)
        if self._chars > MOST_LINE:
            # A record of this length has a quote that nobody closed.
            raise csv.Error
        return line

    def begin(self) -> None:
        """Begin a record."""
        self.record, self._chars = [], 0

    @property
    def first(self) -> int:
        """The line in which the current record begins."""
        return self._count - max(0, len(self.record) - 1)


def _quote_problem(source: _Lines, dialect: Dialect) -> str:
    """Describe the problem of the quotes in the record that `source` has read."""
    opened, closed, rest = _first_wrong_quote("".join(source.record), dialect)
    begin = source.first + opened
    if closed is None:
        return messages.quote_not_closed(line=begin)
    end = source.first + closed
    if rest.startswith("\\"):
        return messages.quote_escaped(line=end)
    if end == begin:
        return messages.quote_closed(line=begin, rest=rest.strip())
    return messages.quote_closed_below(line=begin, end=end, rest=rest.strip())


def _first_wrong_quote(text: str, dialect: Dialect) -> tuple[int, int | None, str]:
    """Return the number of lines before the first wrong quote, the number before its
    closing quote, and the text after that; None and "" if it is never closed."""
    at, begin, line, opened = 0, 0, 0, False
    while True:
        if not opened:
            # A cell begins here; only a quote at its beginning opens a quoted cell.
            if text[at : at + 1] == '"':
                opened, begin = True, line
                at += 1
                continue
            ends = [
                found
                for sign in (dialect.separator, "\n", "\r")
                if (found := text.find(sign, at)) >= 0
            ]
            if not ends:
                return begin, None, ""
            line += text[min(ends)] == "\n" or text[min(ends) : min(ends) + 2] == "\r"
            at = min(ends) + 1
            continue
        end = text.find('"', at)
        if end < 0:
            return begin, None, ""
        line += text.count("\n", at, end)
        behind = text[end + 1 : end + 2]
        if behind == '"':
            at = end + 2
        elif behind in ("", dialect.separator, "\n", "\r"):
            opened, at = False, end + 1
            if behind == dialect.separator:
                at += 1
        else:
            escaped = text[end - 1 : end] == "\\"
            return begin, line, "\\" if escaped else text[end + 1 : end + 21]


def _describe_swallowed(source: _Lines, cells: list[str], dialect: Dialect) -> str:
    """Describe the rows that are part of a quote that is closed too late: lines within
    a cell that are as wide as the record, and begin with a similar id."""
    if dialect.lenient or len(source.record) < 2 or len(cells) < 2:
        return ""
    shape = _shape(cells[0])
    if "9" not in shape:
        return ""
    for nth, line in enumerate(source.record[1:], start=1):
        parts = line.split(dialect.separator)
        if len(parts) >= len(cells) and _shape(parts[0].strip('"')) == shape:
            return messages.row_in_quote(line=source.first, row=source.first + nth)
    return ""


def _shape(cell: str) -> str:
    """Return the shape of an id: `cell` with 9 for digits and A for letters."""
    return _LETTERS.sub("A", _DIGITS.sub("9", cell.strip()))[:40]


def column_names(head: Sequence[str]) -> tuple[str, ...]:
    """Return a name for each column; blank and repeated names get the number of the
    column."""
    names: dict[str, None] = {}
    for nth, each in enumerate(head, start=1):
        column = "" if is_blank(each) else " ".join(each.replace("\ufeff", "").split())
        column = column or messages.column_number(number=nth)
        while column in names:
            column = f"{column} ({nth})"
        names[column] = None
    return tuple(names)
