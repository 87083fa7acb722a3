"""Sheets that are laid out to more cells than there is room for are cut before."""

from pathlib import Path

import pytest

from bot.context.files import Accepted, ole, read, workbooks
from bot.context.files.sheet_places import cut_sheet
from bot.errors import FileUnread, Unread
from tests.support.ole_files import old_workbook
from tests.support.zip_files import changed

COSTS = Path("tests/data/files/costs.xlsx")


def sheet(*rows: str) -> bytes:
    start, end = "<x:worksheet><x:sheetData>", "</x:sheetData></x:worksheet>"
    return f"{start}{''.join(rows)}{end}".encode()


def row(number: int, *places: str) -> str:
    cells = "".join(f"<x:c r='{place}'><x:v>1</x:v></x:c>" for place in places)
    return f"<x:row r='{number}'>{cells}</x:row>"


def test_a_sheet_is_cut_where_it_becomes_too_large() -> None:
    first, second = row(1, "A1", "J1"), row(10, "B10")
    assert cut_sheet(sheet(first, second), most=100, whole=True) == (
        sheet(first, second),
        False,
    )
    assert cut_sheet(sheet(first, second), most=99, whole=True) == (sheet(first), True)
    part = sheet(first, second)[:-60]
    assert cut_sheet(part, most=100, whole=False) == (sheet(first), True)
    # What says no place stands behind what was before, and empty cells take no room.
    bare = "<x:row><x:c><x:v>1</x:v></x:c><x:c r='XFD9'/></x:row>"
    assert not cut_sheet(sheet(first, bare), most=20, whole=True)[1]
    for wrong in ("<x:c r='?'/>", row(1, "AAAA1"), "<x:row r='x'/>"):
        with pytest.raises(ValueError, match=r"."):
            cut_sheet(sheet(wrong), most=9, whole=True)


def test_the_beginning_of_a_long_sheet_is_read(tmp_path: Path) -> None:
    def lengthen(xml: bytes) -> bytes:
        rows = "".join(
            f'<row r="{n}"><c r="A{n}"><v>{n}</v></c></row>' for n in range(9, 70_000)
        )
        return xml.replace(b"</sheetData>", rows.encode() + b"</sheetData>")

    whole = changed(COSTS.read_bytes(), {"xl/worksheets/sheet1.xml": lengthen})
    (tmp_path / "a").write_bytes(whole)
    content = read(tmp_path / "a", "a.xlsx", Accepted(text_tokens=1000))
    assert content.cut
    assert "\n| 9 |\n| 10 |\n| 11 |\n" in content.data.decode()


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ({(0, 0): 1.0, (5000, 100): 1.0}, None),
        ({(0, 0): 1.0, (50_000, 100): 1.0}, Unread.TOO_LARGE),
    ],
)
def test_an_old_workbook_is_measured_before(
    cells: dict[tuple[int, int], str | float], expected: Unread | None
) -> None:
    found = ole.OleFile(old_workbook({"A": cells, "B": {}}))
    assert found.names == {"Workbook"}
    stream = found.stream("workbook")
    if expected is None:
        ole.check_sheets(stream, workbooks.MOST_CELLS)
        return
    with pytest.raises(FileUnread) as caught:
        ole.check_sheets(stream, workbooks.MOST_CELLS)
    assert caught.value.reason is expected
