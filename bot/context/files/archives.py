"""Read the ZIP archives of documents within bounds.

Rule 1: what is checked is what is parsed: the members are unpacked, counted and looked
through, and packed again for the library, which gets no other bytes.
Rule 2: pictures, macros and embedded files are left out. Libraries miss nothing: the
members are there, and empty.
Rule 3: no part declares a document type, so no XML entity can be defined.
"""

import io
import re
import struct
import zipfile
from collections.abc import Callable, Collection, Mapping
from pathlib import Path

from bot.errors import FileUnread, Unread

# A long presentation has a few thousand members; each has at least 46 bytes in the
# directory and becomes an object of about 500.
MOST_MEMBERS = 10_000
MOST_DIRECTORY = 2_000_000
# XML that is much like itself unfolds 50 times; zeros unfold 1,000 times.
MOST_RATIO = 200
#: The end of a ZIP archive: the record and the longest comment (APPNOTE 4.3.16).
_END = struct.Struct("<4s4H2LH")
_MOST_END = _END.size + 0xFFFF

_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_TEXT_PARTS = (".xml", ".rels", ".vml")
_ENCODING = re.compile(
    r"<\?xml[^>]{0,80}?encoding\s{0,9}=\s{0,9}[\"']([\w.:-]{1,40})", re.ASCII
)
_UTF8 = ("utf-8", "us-ascii", "ascii")


def opened(path: Path) -> zipfile.ZipFile:
    """Return the archive `path`, whose directory is small. Raises FileUnread."""
    with path.open("rb") as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - _MOST_END))
        tail = file.read()
    at = tail.rfind(b"PK\x05\x06")
    if at < 0 or len(tail) - at < _END.size:
        raise FileUnread(Unread.BROKEN)
    _, _, _, _, members, directory, _, _ = _END.unpack_from(tail, at)
    # The largest values stand for ZIP64, which no document needs.
    if members > MOST_MEMBERS or directory > MOST_DIRECTORY:
        raise FileUnread(Unread.BROKEN)
    return zipfile.ZipFile(path)


def names(path: Path) -> set[str]:
    """Return the names of the members of the archive `path`. Raises FileUnread."""
    with opened(path) as archive:
        return set(archive.namelist())


def cleaned(
    path: Path,
    *,
    most: int,
    most_of: Callable[[str, int], int] | None = None,
) -> tuple[dict[str, bytes], set[str]]:
    """Return the members of the archive `path`, of which all but XML are empty, and the
    names of those that were cut.

    All of them have at most `most` bytes; `most_of` says for name and size of a member
    how much of it is unpacked. Raises FileUnread if the archive has a password, unfolds
    too far, or is not what it seems.
    """
    members: dict[str, bytes] = {}
    cut = set()
    with opened(path) as archive:
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


def packed(members: Mapping[str, bytes]) -> io.BytesIO:
    """Return an archive of `members`."""
    result = io.BytesIO()
    with zipfile.ZipFile(result, "w") as copy:
        for name, content in members.items():
            copy.writestr(zipfile.ZipInfo(name), content)
    result.seek(0)
    return result


def check(parts: Collection[zipfile.ZipInfo], size: int) -> None:
    """Raise FileUnread for `parts` that no document of `size` bytes has."""
    if any(each.flag_bits & 1 for each in parts):
        raise FileUnread(Unread.ENCRYPTED)
    if any(each.compress_type not in _METHODS for each in parts):
        raise FileUnread(Unread.BROKEN)
    if sum(each.file_size for each in parts) > max(size, 10_000) * MOST_RATIO:
        raise FileUnread(Unread.BROKEN)


def check_xml(content: bytes) -> None:
    """Raise FileUnread for XML that declares a document type, or that is not UTF-8, so
    that its declarations could not be seen here."""
    found = _ENCODING.search(content[:300].decode("latin-1"))
    if b"\0" in content[:1000] or (found and found[1].lower() not in _UTF8):
        raise FileUnread(Unread.BROKEN)
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        raise FileUnread(Unread.BROKEN)
