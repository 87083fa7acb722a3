"""The lines of Excel workbooks, which python-calamine reads.

calamine allocates a sheet from its first to its last cell, and an allocation that fails
ends the process. So the places of the cells are read first.
"""

import io
from collections.abc import Iterator
from pathlib import Path

from python_calamine import CalamineWorkbook, PasswordError, SheetTypeEnum
from python_calamine import SheetVisibleEnum as Visible

from bot.context.files import archives, notes, ole, tables
from bot.context.files.accepted import Accepted
from bot.context.files.sheet_places import cut_sheet
from bot.errors import FileUnread, Unread

#: A cell takes about 30 bytes once its sheet is laid out (measured with calamine 0.9).
MOST_CELLS = 3_000_000
# The most bytes of XML of all parts. Texts and styles, which cells refer to, are read
# as a whole.
_MOST_XML = 40_000_000
# The most bytes of XML of one sheet and of all sheets, at 30 to 60 bytes a cell:
# several times as many cells as one text has. Once that is used up, `_LEAST_SHEET`
# bytes are read of each further sheet.
_MOST_SHEET = 2_000_000
_MOST_SHEETS = 6_000_000
_LEAST_SHEET = 50_000


def lines(path: Path, accepted: Accepted) -> Iterator[str]:
    """Yield the names and rows of the sheets of `path`. Raises FileUnread."""
    left = _MOST_SHEETS

    def most_of(name: str, size: int) -> int:
        nonlocal left
        if not _is_sheet(name):
            return size
        size = min(size, max(_LEAST_SHEET, min(left, _MOST_SHEET)))
        left -= size
        return size

    parts, long = archives.read_members(path, most=_MOST_XML, most_of=most_of)
    cut = False
    for name in filter(_is_sheet, parts):
        parts[name], is_cut = cut_sheet(
            parts[name], most=MOST_CELLS, whole=name not in long
        )
        cut = cut or is_cut
    yield from _sheets(archives.pack(parts))
    if cut:
        yield notes.SHEETS_CUT


def old_lines(path: Path, accepted: Accepted) -> Iterator[str]:
    """Yield the names and rows of the sheets of the old workbook `path`.

    Raises FileUnread.
    """
    file = ole.open_ole(path)
    ole.check_sheets(file.stream("workbook", "book"), MOST_CELLS)
    yield from _sheets(io.BytesIO(file.content))


def _is_sheet(name: str) -> bool:
    return name.startswith("xl/worksheets/") and name.endswith(".xml")


def _sheets(content: io.BytesIO) -> Iterator[str]:
    try:
        workbook = CalamineWorkbook.from_filelike(content)
    except PasswordError:
        raise FileUnread(Unread.ENCRYPTED) from None
    for sheet in workbook.sheets_metadata:
        if sheet.typ is SheetTypeEnum.WorkSheet:
            yield notes.sheet(sheet.name, hidden=sheet.visible is not Visible.Visible)
            rows = workbook.get_sheet_by_name(sheet.name).iter_rows()
            yield from filter(None, map(tables.row, rows))
