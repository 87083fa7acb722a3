"""Reads the ZIP archives of documents within bounds.

Rule 1: the bytes that are checked are the bytes that are parsed. Members are unpacked,
counted and checked, and packed again for the library, which gets no other bytes.

Rule 2: pictures, macros and embedded files are left out. Their members are there, but
empty, so libraries find them.

Rule 3: no part declares a document type, so no XML entity can be defined.
"""

import io
import re
import struct
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from bot.errors import FileUnread, Unread

# A long presentation has a few thousand members. Each has at least 46 bytes in the
# directory and becomes an object of about 500 bytes.
MOST_MEMBERS = 10_000
MOST_DIRECTORY = 2_000_000
# Repetitive XML unpacks to 50 times its size; zeros unpack to 1,000 times.
MOST_RATIO = 200
#: The end of a ZIP archive: the end record and the longest comment (APPNOTE 4.3.16).
_END = struct.Struct("<4s4H2LH")
_MOST_END = _END.size + 0xFFFF

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_TEXT_PARTS = (".xml", ".rels", ".vml")
_ENCODING = re.compile(
    r"<\?xml[^>]{0,80}?encoding\s{0,9}=\s{0,9}[\"']([\w.:-]{1,40})", re.ASCII
)
_UTF8 = ("utf-8", "us-ascii", "ascii")


def open_archive(path: Path) -> zipfile.ZipFile:
    """Open the archive `path`, whose directory is small. Raises FileUnread."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _MOST_END))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise FileUnread(Unread.BROKEN)
    _, _, _, _, members, directory, _, _ = _END.unpack_from(tail, at)
    # The largest values mark a ZIP64 archive, which no document needs.
    if members > MOST_MEMBERS or directory > MOST_DIRECTORY:
        raise FileUnread(Unread.BROKEN)
    return zipfile.ZipFile(path)


def names(path: Path) -> set[str]:
    """Return the names of the members of the archive `path`. Raises FileUnread."""
    with open_archive(path) as archive:
        return set(archive.namelist())


def read_members(
    path: Path,
    *,
    most: int,
    most_of: Callable[[str, int], int] | None = None,
) -> tuple[dict[str, bytes], set[str]]:
    """Return the members of the archive `path`, and the names of members that were cut.

    All members but XML are empty. Together they have at most `most` bytes; `most_of`
    takes the name and size of a member, and returns how much of it is unpacked. Raises
    FileUnread if the archive has a password, unpacks to too many bytes, or is
    malformed.
    """
    members: dict[str, bytes] = {}
    cut = set()
    with open_archive(path) as archive:
        parts = {each.filename: each for each in archive.infolist()}
        check(parts.values(), path.stat().st_size)
        for name, info in parts.items():
            members[name] = b""
            if not name.lower().endswith(_TEXT_PARTS):
                continue
            size = most_of(name, info.file_size) if most_of else info.file_size
            if size < info.file_size:
                cut.add(name)
            most -= size
            if most < 0:
                raise FileUnread(Unread.TOO_LARGE)
            with archive.open(info) as part:
                members[name] = part.read(size)
            check_xml(members[name])
    return members, cut


def pack(members: Mapping[str, bytes]) -> io.BytesIO:
    """Return an archive of `members`."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as copy:
        for name, content in members.items():
            copy.writestr(zipfile.ZipInfo(name), content)
    result.seek(0)
    return result


def check(parts: Collection[zipfile.ZipInfo], size: int) -> None:
    """Raise FileUnread if no document of `size` bytes has these `parts`."""
    if any(each.flag_bits & 1 for each in parts):
        raise FileUnread(Unread.ENCRYPTED)
    if any(each.compress_type not in _METHODS for each in parts):
        raise FileUnread(Unread.BROKEN)
    if sum(each.file_size for each in parts) > max(size, 10_000) * MOST_RATIO:
        raise FileUnread(Unread.BROKEN)


def check_xml(content: bytes) -> None:
    """Raise FileUnread for XML that declares a document type.

    Also raise it for XML that is not UTF-8, whose declarations could not be found here.
    """
    found = _ENCODING.search(content[:300].decode("latin-1"))
    if b"\0" in content[:1000] or (found and found[1].lower() not in _UTF8):
        raise FileUnread(Unread.BROKEN)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FileUnread(Unread.BROKEN)
