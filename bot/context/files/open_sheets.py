"""The lines of OpenDocument spreadsheets.

Rule: `number-columns-repeated` and `number-rows-repeated` may stand for millions of
cells. Only the cells that are consumed are created.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path
from xml.parsers import expat
from zipfile import ZipFile

from bot.context.files import archives, notes, tables
from bot.context.files.accepted import Accepted
from bot.errors import FileUnread, Unread

# The columns of a sheet in LibreOffice and in Excel.
_MOST_COLUMNS = 16_384
# The most XML that is parsed, in bytes; it takes about three seconds.
_MOST_XML = 50_000_000
_MOST_MANIFEST = 1_000_000
_BLOCK = 1 << 16

# The attribute that holds the value of a cell, by the cell's type. For other types, the
# text that people see is used.
_VALUE = {"float": "office:value", "date": "office:date-value"}


def lines(path: Path, accepted: Accepted) -> Iterator[str]:
    """Yield the names and rows of the sheets of `path`. Raises FileUnread."""
    with archives.open_archive(path) as archive:
        archives.check(archive.infolist(), path.stat().st_size)
        if b"encryption-data" in _manifest(archive):
            raise FileUnread(Unread.ENCRYPTED)
        sheets = _Sheets()
        parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartDoctypeDeclHandler = _refuse
        parser.StartElementHandler = sheets.start
        parser.EndElementHandler = sheets.end
        parser.CharacterDataHandler = sheets.characters
        with archive.open("content.xml") as content:
            for block in iter(lambda: content.read(_BLOCK), b""):
                parser.Parse(block)
                yield from sheets.taken()
                if content.tell() > _MOST_XML:
                    raise FileUnread(Unread.TOO_LARGE)
        parser.Parse(b"", True)
        yield from sheets.taken()


def _manifest(archive: ZipFile) -> bytes:
    with archive.open("META-INF/manifest.xml") as part:
        return part.read(_MOST_MANIFEST)


def _refuse(*declaration: object) -> None:
    raise FileUnread(Unread.BROKEN)


class _Sheets:
    """Collects the rows that the parser has found since they were last taken."""

    def __init__(self) -> None:
        self._found: list[tuple[str, int]] = []
        self._cells: list[str] = []
        self._text: list[str] = []
        self._value = ""
        self._repeat = self._row_repeat = 1
        self._in_text = 0

    def taken(self) -> Iterator[str]:
        found, self._found = self._found, []
        for line, count in found:
            yield from itertools.repeat(line, count)

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._found.append((notes.sheet(attributes.get("table:name", "")), 1))
        elif name == "table:table-row":
            self._cells = []
            self._row_repeat = _count(attributes, "table:number-rows-repeated")
        elif name in ("table:table-cell", "table:covered-table-cell"):
            self._text = []
            self._repeat = _count(attributes, "table:number-columns-repeated")
            kind = attributes.get("office:value-type", "")
            self._value = attributes.get(_VALUE.get(kind, ""), "")
        elif name in ("text:p", "office:annotation"):
            # The text of an annotation is not part of its cell.
            self._in_text += 1 if name == "text:p" else -100
            self._text.append(" ")

    def characters(self, text: str) -> None:
        if self._in_text > 0:
            self._text.append(text)

    def end(self, name: str) -> None:
        if name in ("text:p", "office:annotation"):
            self._in_text -= 1 if name == "text:p" else -100
        elif name in ("table:table-cell", "table:covered-table-cell"):
            text = self._value or "".join(self._text).strip()
            room = _MOST_COLUMNS - len(self._cells)
            self._cells += [text] * min(self._repeat, room)
        elif name == "table:table-row" and (line := tables.row(self._cells)):
            self._found.append((line, self._row_repeat))


def _count(attributes: dict[str, str], name: str) -> int:
    return max(1, int(attributes.get(name, "1")))
