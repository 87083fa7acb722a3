"""Reads the streams of OLE files, and the sizes of the sheets in an old workbook.

Rule: python-calamine allocates a sheet from its first to its last cell, and an
allocation that fails ends the process. So the places of the cells are read here first.
Sources: [MS-CFB] 2, [MS-XLS] 2.4.
"""

import struct
from collections.abc import Iterator
from pathlib import Path

from bot.errors import FileUnread, Unread

_HEADER = struct.Struct("<30x2H10x2L4x5L")
_ENTRY = 128
# The types of a stream and of the root. Storages have another type.
_STREAM, _ROOT = 2, 5
_LAST_SECTOR = 0xFFFFFFFA

# Records of [MS-XLS]: records with a row and a column, and other records that matter.
_CELLS = frozenset((0x06, 0xD6, 0xFD, 0x203, 0x204, 0x205, 0x27E))
_MULRK, _EOF, _BOUNDSHEET, _DIMENSIONS, _SST = 0xBD, 0x0A, 0x85, 0x200, 0xFC
_FILEPASS = 0x2F
_MOST_RECORDS = 3_000_000
# The number of cells of a whole sheet, which some files reserve without using it.
_WHOLE_SHEET = 65_536 * 256


#: The most bytes of an OLE file that are read.
MOST_BYTES = 40_000_000


def names(path: Path) -> set[str]:
    """Return the names of the streams of `path`. Raises FileUnread."""
    return open_ole(path).names


def open_ole(path: Path) -> "OleFile":
    """Return the OLE file `path`. Raises FileUnread."""
    if path.stat().st_size > MOST_BYTES:
        raise FileUnread(Unread.TOO_LARGE)
    return OleFile(path.read_bytes())


class OleFile:
    """An OLE file whose tables lie within `content`. Raises FileUnread."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        shift, mini_shift, fats, first, cutoff, mini, minis, difat, difats = _header(
            content
        )
        if shift not in (9, 12) or mini_shift != 6:
            raise FileUnread(Unread.BROKEN)
        self._size = 1 << shift
        count = len(content) // self._size
        if max(fats, minis, difats) > count:
            raise FileUnread(Unread.BROKEN)
        sectors = [*struct.unpack_from("<109L", content, 76)]
        for sector in self._difat(difat, difats):
            sectors += sector
        table = b"".join(map(self._sector, sectors[:fats]))
        self._fat = struct.unpack(f"<{len(table) // 4}L", table)
        self._entries = list(_entries(self._chain(first)))
        self._cutoff = cutoff
        root = next((each for each in self._entries if each[1] == _ROOT), None)
        self._mini = self._chain(root[2])[: root[3]] if root else b""
        small = self._chain(mini) if minis else b""
        self._mini_fat = struct.unpack(f"<{len(small) // 4}L", small)

    @property
    def names(self) -> set[str]:
        """The names of all streams."""
        return {name for name, kind, _, _ in self._entries if kind == _STREAM}

    def stream(self, *names: str) -> bytes:
        """Return the content of the first stream that has one of `names`."""
        for name, kind, start, size in self._entries:
            if kind == _STREAM and name.casefold() in names:
                if size < self._cutoff:
                    parts = _walk(self._mini_fat, start)
                    found = b"".join(self._mini[n * 64 : n * 64 + 64] for n in parts)
                else:
                    found = self._chain(start)
                return found[:size]
        raise FileUnread(Unread.BROKEN)

    def _difat(self, start: int, count: int) -> Iterator[tuple[int, ...]]:
        for _ in range(count):
            numbers = struct.unpack(f"<{self._size // 4}L", self._sector(start))
            yield numbers[:-1]
            start = numbers[-1]

    def _sector(self, number: int) -> bytes:
        at = (number + 1) * self._size
        found = self.content[at : at + self._size]
        if len(found) < self._size:
            raise FileUnread(Unread.BROKEN)
        return found

    def _chain(self, start: int) -> bytes:
        # The last sector may be shorter.
        return b"".join(
            self.content[(n + 1) * self._size : (n + 2) * self._size]
            for n in _walk(self._fat, start)
        )


def _header(content: bytes) -> tuple[int, ...]:
    if len(content) < 512:
        raise FileUnread(Unread.BROKEN)
    return _HEADER.unpack_from(content)


def _walk(table: tuple[int, ...], start: int) -> Iterator[int]:
    for _ in table:
        if start >= _LAST_SECTOR:
            return
        if start >= len(table):
            raise FileUnread(Unread.BROKEN)
        yield start
        start = table[start]
    if start < _LAST_SECTOR:
        raise FileUnread(Unread.BROKEN)


def _entries(directory: bytes) -> Iterator[tuple[str, int, int, int]]:
    """Yield the name, kind, first sector and size of each entry."""
    for at in range(0, len(directory) - _ENTRY + 1, _ENTRY):
        length, kind = struct.unpack_from("<HB", directory, at + 64)
        start, size = struct.unpack_from("<LL", directory, at + 116)
        name = directory[at : at + max(0, min(length, 64) - 2)]
        yield name.decode("utf-16-le", "replace"), kind, start, size


def check_sheets(stream: bytes, most: int) -> None:
    """Raise FileUnread if the workbook `stream` has a password or is too large.

    It is too large if its sheets need room for more than `most` cells.
    """
    sheets: list[int] = []
    seen = 0
    for kind, record in _records(stream, 0):
        seen += 1
        if kind == _FILEPASS:
            raise FileUnread(Unread.ENCRYPTED)
        if kind == _BOUNDSHEET:
            sheets.append(struct.unpack_from("<L", record)[0])
        elif kind == _SST and struct.unpack_from("<L", record, 4)[0] > len(stream):
            raise FileUnread(Unread.BROKEN)
    sizes: dict[int, int] = {}
    for start in sheets:
        if start not in sizes:
            sizes[start], records = _sheet_size(stream, start)
            seen += records
        most -= sizes[start]
        if most < 0 or seen > _MOST_RECORDS:
            raise FileUnread(Unread.TOO_LARGE)


def _sheet_size(stream: bytes, start: int) -> tuple[int, int]:
    """Return the number of cells that the sheet at `start` needs room for.

    Also return the number of its records.
    """
    rows, columns = [0xFFFFFFFF, 0], [0xFFFF, 0]
    records = 0
    for kind, record in _records(stream, start):
        records += 1
        if kind in _CELLS or kind == _MULRK:
            row, column = struct.unpack_from("<HH", record)
            last = struct.unpack_from("<H", record, len(record) - 2)[0]
            rows = [min(rows[0], row), max(rows[1], row)]
            last = last if kind == _MULRK else column
            columns = [min(columns[0], column), max(columns[1], column, last)]
        elif kind == _DIMENSIONS:
            form = "<LLHH" if len(record) >= 12 else "<HHHH"
            top, bottom, left, right = struct.unpack_from(form, record)
            if (bottom - top) * (right - left) > _WHOLE_SHEET:
                raise FileUnread(Unread.BROKEN)
    height, width = rows[1] - rows[0] + 1, columns[1] - columns[0] + 1
    return max(0, height) * max(0, width), records


def _records(stream: bytes, at: int) -> Iterator[tuple[int, bytes]]:
    """Yield the kind and content of the records from `at` to the end of their
    substream."""
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        if kind == _EOF:
            return
        yield kind, stream[at + 4 : at + 4 + length]
        at += 4 + length
