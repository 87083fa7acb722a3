"""Makes OLE files, for which there is no library: Excel 97 workbooks, and files with
given streams. [MS-CFB], [MS-XLS]."""

import struct
from collections.abc import Mapping

SECTOR = 512
_FREE, _END, _FAT = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD


def ole_file(streams: Mapping[str, bytes]) -> bytes:
    """Return a file with `streams`. Each is padded to at least 4,096 bytes, so that it
    gets its own sectors."""
    padded = {
        n: s.ljust(-(-max(len(s), 4096) // SECTOR) * SECTOR, b"\0")
        for n, s in streams.items()
    }
    # Sector 0 is the FAT, and the directory follows.
    entries = [_entry("Root Entry", 5, _END, 0, child=1)]
    directory_sectors = -(-(len(padded) + 1) // 4)
    fat = [_FAT, *_chain(1, directory_sectors)]
    for number, (name, content) in enumerate(padded.items(), 1):
        start, count = len(fat), len(content) // SECTOR
        fat += _chain(start, count)
        right = number + 1 if number < len(padded) else _FREE
        entries.append(_entry(name, 2, start, len(content), right=right))
    assert len(fat) <= SECTOR // 4
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16)
    header += struct.pack("<5H6x", 0x3E, 3, 0xFFFE, 9, 6)
    header += struct.pack("<9L", 0, 1, 1, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109L", 0, *[_FREE] * 108)
    table = struct.pack("<128L", *fat, *[_FREE] * (128 - len(fat)))
    directory = b"".join(entries).ljust(directory_sectors * SECTOR, b"\0")
    return header + table + directory + b"".join(padded.values())


def _chain(start: int, count: int) -> list[int]:
    return [*range(start + 1, start + count), _END]


def _entry(
    name: str,
    kind: int,
    start: int,
    size: int,
    *,
    child: int = _FREE,
    right: int = _FREE,
) -> bytes:
    text = name.encode("utf-16-le") + b"\0\0"
    return (
        text.ljust(64, b"\0")
        + struct.pack("<HBB3L", len(text), kind, 1, _FREE, right, child)
        + bytes(36)
        + struct.pack("<LQ", start, size)
    )


def old_workbook(sheets: Mapping[str, Mapping[tuple[int, int], str | float]]) -> bytes:
    """Return an .xls with the cells of `sheets`, by row and column."""
    offsets: list[int] = []
    stream = b""
    # Twice: the globals contain the offsets of the sheets that follow them.
    for _ in range(2):
        stream = _record(0x809, struct.pack("<4H2L", 0x600, 5, 0, 1997, 0, 6))
        stream += _record(0x42, struct.pack("<H", 1200))
        for number, name in enumerate(sheets):
            at = offsets[number] if offsets else 0
            text = name.encode("latin-1")
            stream += _record(0x85, struct.pack("<LHBB", at, 0, len(text), 0) + text)
        stream += _record(0x0A)
        offsets = []
        for cells in sheets.values():
            offsets.append(len(stream))
            stream += _record(0x809, struct.pack("<4H2L", 0x600, 16, 0, 1997, 0, 6))
            for (row, column), value in cells.items():
                place = struct.pack("<3H", row, column, 0)
                if isinstance(value, str):
                    text = struct.pack("<HB", len(value), 1) + value.encode("utf-16-le")
                    stream += _record(0x204, place + text)
                else:
                    stream += _record(0x203, place + struct.pack("<d", value))
            stream += _record(0x0A)
    return ole_file({"Workbook": stream})


def _record(kind: int, content: bytes = b"") -> bytes:
    return struct.pack("<HH", kind, len(content)) + content
