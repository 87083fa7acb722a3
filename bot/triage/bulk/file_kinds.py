"""Name what a file is if it is no table of tickets. Pure.

Rule: none of its lines is taken for a ticket. A sentence says what the file is, and
what to do with it.
"""

import re

# The first bytes of formats, and what to do with a file of that format.
_OFFICE = "save the sheet as CSV (UTF-8) and triage that"
_UNPACK = "unpack it first"
_SIGNATURES = (
    (b"PK\x03\x04", "a ZIP archive", _UNPACK),
    (b"PK\x05\x06", "an empty ZIP archive", _UNPACK),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an old Excel or Office file", _OFFICE),
    (b"\x1f\x8b", "compressed with gzip", "run `gunzip` on it first"),
    (b"BZh", "compressed with bzip2", "run `bunzip2` on it first"),
    (b"\xfd7zXZ\0", "compressed with xz", "run `unxz` on it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with Zstandard", "run `unzstd` on it first"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"%PDF-", "a PDF", "export the tickets as CSV"),
    (b"{\\rtf", "an RTF document", "export the tickets as CSV"),
    (b"SQLite format 3\0", "an SQLite database", "export the table as CSV"),
    (b"PAR1", "a Parquet file", "convert it to CSV or JSON Lines"),
    (b"Obj\x01", "an Avro file", "convert it to JSON Lines"),
    (b"ARROW1", "an Arrow file", "convert it to CSV or JSON Lines"),
    (b"\x89PNG", "a picture (PNG)", "choose the file with the tickets"),
    (b"\xff\xd8\xff", "a picture (JPEG)", "choose the file with the tickets"),
    (b"GIF8", "a picture (GIF)", "choose the file with the tickets"),
    (b"RIFF", "a media file", "choose the file with the tickets"),
    (b"\x7fELF", "a program", "choose the file with the tickets"),
    (b"!<arch>", "an archive", _UNPACK),
    (
        b"version https://git-lfs.github.com/spec/",
        "a pointer of Git LFS, not the file itself",
        "run `git lfs pull` first",
    ),
)
# What an Office file has in its ZIP archive, which may be of other formats.
_IN_ZIP = (
    (b"xl/", "an Excel workbook", _OFFICE),
    (b"word/", "a Word document", "export the tickets as CSV"),
    (b"ppt/", "a PowerPoint file", "export the tickets as CSV"),
    (b"opendocument.spreadsheet", "an OpenDocument spreadsheet", _OFFICE),
    (b"Index/Document.iwa", "a Numbers or Pages file", _OFFICE),
)

_TAG = re.compile(r"<(?:!doctype|html|head|body|table|script|meta|div|!--)", re.I)
_XML = re.compile(r"<(?:\?xml|[A-Za-z][\w:.-]{0,60}[ >/])")
_MAIL = re.compile(
    r"(?:From [^\n,;\t]{1,200} [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9]\d "
    r"|(?:Return-Path|Received|Delivered-To|Message-ID|MIME-Version|From|Date"
    r"|Subject|To): [^\n]{1,900}\n)"
)
_SQL = re.compile(
    r"(?:--[^\n]{0,200}\n\s{0,100}){0,20}(?:CREATE|INSERT|DROP|SET|BEGIN|PRAGMA)\s"
    r"[^\n;,]{0,200}[;(\n]"
)

_TIME = (
    r"(?:\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d|\d\d[:/]\d\d[:/]\d\d[ T]?"
    r"|[A-Z][a-z]{2} [ 0-9]\d \d\d:\d\d:\d\d|\[[^\]\n]{4,40}\])"
)
_LEVEL = r"(?:TRACE|DEBUG|INFO|NOTICE|WARN(?:ING)?|ERR(?:OR)?|FATAL|CRITICAL|SEVERE)"
_LOG_LINE = re.compile(
    rf"{_TIME}[^\n]{{0,60}}?\b{_LEVEL}\b"
    rf"|{_TIME}[ ,.\d]{{0,12}}[\w.-]{{1,60}}[ ][\w./-]{{1,60}}(?:\[\d{{1,9}}\])?:"
    rf"|\[?{_LEVEL}\]?[ :]"
    r"|[\da-fA-F.:]{3,45} \S{1,60} \S{1,60} \[[^\]\n]{4,40}\]",
    re.I,
)


def binary(head: bytes) -> tuple[str, str] | None:
    """Return what a file that begins with `head` is by its signature, and what to do;
    None if it may be text."""
    for signature, what, advice in _SIGNATURES:
        if head.startswith(signature):
            if signature == b"PK\x03\x04":
                for part, office, save in _IN_ZIP:
                    if part in head:
                        return office, save
            return what, advice
    return None


def foreign_text(head: str) -> tuple[str, str] | None:
    """Return what a text that begins with `head` is if it is no table and no JSON, and
    what to do; None if it may be one."""
    text = head.lstrip()
    if _TAG.match(text):
        return "an HTML page", "export the tickets as CSV"
    if _XML.match(text):
        return "XML", "export the tickets as CSV or JSON Lines"
    if _MAIL.match(text):
        return "e-mail", "export the messages as CSV or JSON Lines"
    if _SQL.match(text):
        return "SQL", "export the table as CSV"
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    if lines and is_log([line.strip() for line in lines]):
        return "a log", "triage a table of tickets; --no-header takes each line for one"
    return None


def is_log(lines: list[str]) -> bool:
    """Return whether the first of `lines`, and most of them, are of a log."""
    found = [_LOG_LINE.match(line) is not None for line in lines]
    return found[0] and sum(found) >= len(found) * 0.6
