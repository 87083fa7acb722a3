"""Recognises the type of a file by its content. Pure.

Rule: neither the file's name nor its declared type is considered.
"""

import enum
from collections.abc import Collection

from bot.errors import Unread

#: This many bytes of a file are enough to recognise its type.
HEAD = 4096

# Programs put lines before a PDF's header. Readers look for the header in this many
# bytes (ISO 32000-1, annex H.3.4.1).
_PDF_HEADER_WITHIN = 1024


class FileType(enum.Enum):
    """The type of a file's content."""

    JPEG = "JPEG"
    PNG = "PNG"
    GIF = "GIF"
    WEBP = "WEBP"
    HEIC = "HEIF"
    PDF = "pdf"
    WORD = "docx"
    SLIDES = "pptx"
    #: A workbook of Excel 2007 and later.
    WORKBOOK = "xlsx"
    #: A workbook of Excel 97 to 2003.
    OLD_WORKBOOK = "xls"
    OPEN_SHEET = "ods"
    #: No signature matches; its characters decide whether it is text.
    TEXT = "text"


_IMAGES = (
    (b"\xff\xd8\xff", FileType.JPEG),
    (b"\x89PNG\r\n\x1a\n", FileType.PNG),
    (b"GIF87a", FileType.GIF),
    (b"GIF89a", FileType.GIF),
)
# The brands of HEIC (ISO 23008-12, annex B). AVIF and videos have other brands.
_HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1")

ZIP = b"PK\x03\x04"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# Names of members in the archives of documents. An xlsb has a workbook.bin instead.
# Some programs number the members: document2.xml.
_IN_ZIP = (
    ("word/document", FileType.WORD),
    ("ppt/presentation", FileType.SLIDES),
    ("xl/workbook", FileType.WORKBOOK),
)
# The first member of an OpenDocument file, which is not compressed (OpenDocument 1.3,
# part 2, section 3.3). The name is longer for templates.
_OPEN_SHEET = b"mimetypeapplication/vnd.oasis.opendocument.spreadsheet"

# Names in the directory of an OLE file: [MS-XLS] 2.1.2, and [MS-OFFCRYPTO] 1.3.3 for a
# document with a password.
_WORKBOOK_STREAMS = frozenset(("workbook", "book"))
_ENCRYPTED_STREAM = "encryptedpackage"

# Signatures of files that are never text but whose beginning might pass for text.
_NO_TEXT = (
    *(b"\x7fELF", b"MZ\x90\0", b"\x1f\x8b", b"\xfd7zXZ\0", b"7z\xbc\xaf"),
    *(b"Rar!\x1a\x07", b"SQLite format 3\0", b"PK\x05\x06"),
    *(b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe"),
)


def file_type(head: bytes, names: Collection[str] = ()) -> FileType | Unread:
    """Return the type of a file that begins with `head`, or why it is not read.

    `names` are the names of the members of a ZIP archive, or of the streams of an OLE
    file.
    """
    if not head:
        return Unread.EMPTY
    for signature, image in _IMAGES:
        if head.startswith(signature):
            return image
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return FileType.WEBP
    if head[4:8] == b"ftyp":
        return FileType.HEIC if head[8:12] in _HEIC_BRANDS else Unread.UNSUPPORTED
    if head.startswith(ZIP):
        return _in_zip(head, names)
    if head.startswith(OLE):
        return _in_ole({each.casefold() for each in names})
    if pdf_start(head) >= 0:
        return FileType.PDF
    return Unread.UNSUPPORTED if head.startswith(_NO_TEXT) else FileType.TEXT


def pdf_start(head: bytes) -> int:
    """Return where the PDF begins in a file that begins with `head`; -1 if it is none.

    The header must begin a line, so that a text that mentions a header stays a text.
    """
    if head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\0\t\n\r ").startswith(b"%PDF-"):
        return head.index(b"%PDF-")
    return head[:_PDF_HEADER_WITHIN].find(b"\n%PDF-") + 1 or -1


def _in_zip(head: bytes, names: Collection[str]) -> FileType | Unread:
    if head[30:].startswith(_OPEN_SHEET):
        return FileType.OPEN_SHEET
    for beginning, found in _IN_ZIP:
        if any(n.startswith(beginning) and n.endswith(".xml") for n in names):
            return found
    return Unread.UNSUPPORTED


def _in_ole(names: Collection[str]) -> FileType | Unread:
    if _ENCRYPTED_STREAM in names:
        return Unread.ENCRYPTED
    is_workbook = not _WORKBOOK_STREAMS.isdisjoint(names)
    return FileType.OLD_WORKBOOK if is_workbook else Unread.UNSUPPORTED
