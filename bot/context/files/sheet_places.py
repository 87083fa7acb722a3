"""Cuts the XML of a sheet to rows that fit into memory.

A library that reads a sheet allocates all cells from the first to the last, and two
cells can be 17 billion cells apart (Excel's limits: 1,048,576 rows and 16,384 columns).
"""

import re
from xml.parsers import expat

_PLACE = re.compile(r"([A-Za-z]{1,3})([0-9]{1,7})")
_VALUES = frozenset(("v", "is", "f"))


class _OutOfSpace(Exception):
    """The next row does not fit."""


def cut_sheet(xml: bytes, *, most: int, whole: bool) -> tuple[bytes, bool]:
    """Return the sheet `xml` cut to `most` cells, and whether rows were left out.

    The cells are counted from the first to the last, empty ones included. If `xml` is
    not `whole`, its last row is left out as well. Raises expat.ExpatError if `xml` is
    not XML, and ValueError if a cell has no valid place.
    """
    places = _Places(most)
    try:
        places.parser.Parse(xml, whole)
    except _OutOfSpace:
        whole = False
    if whole:
        return xml, False
    end = "".join(f"</{name}>" for name in reversed(places.open_before))
    return xml[: places.row_start] + end.encode(), True


class _Places:
    """The extent of the cells that have values."""

    def __init__(self, most: int) -> None:
        self.parser = expat.ParserCreate()
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        #: Where the last row begins, in bytes, and the elements that are open there.
        self.row_start = 0
        self.open_before: tuple[str, ...] = ()
        self._open: list[str] = []
        self._most = most
        self._row = self._column = -1
        self._rows, self._columns = (1 << 32, -1), (1 << 32, -1)

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        kind = name.rpartition(":")[2]
        if kind == "row":
            self.row_start = self.parser.CurrentByteIndex
            self.open_before = tuple(self._open)
            number = attributes.get("r")
            self._row = int(number) - 1 if number else self._row + 1
            self._column = -1
        elif kind == "c":
            self._column += 1
            if place := attributes.get("r"):
                self._row, self._column = _numbers(place)
        elif kind in _VALUES:
            self._add()
        self._open.append(name)

    def _end(self, name: str) -> None:
        self._open.pop()

    def _add(self) -> None:
        row, column = self._row, self._column
        self._rows = min(self._rows[0], row), max(self._rows[1], row)
        self._columns = min(self._columns[0], column), max(self._columns[1], column)
        height = self._rows[1] - self._rows[0] + 1
        if height * (self._columns[1] - self._columns[0] + 1) > self._most:
            raise _OutOfSpace


def _numbers(place: str) -> tuple[int, int]:
    """Return the row and column of a `place` such as "C5", counted from zero."""
    found = _PLACE.fullmatch(place)
    if not found:
        raise ValueError("no place of a cell")
    column = 0
    for letter in found[1].upper():
        column = column * 26 + ord(letter) - 64
    return int(found[2]) - 1, column - 1
