"""Recognises files that are not tables of tickets. Pure.

Rule: no line of such a file is read as a ticket. A sentence names the format and tells
the person what to do.
"""

import re
from collections.abc import Iterable

from bot.messages import ticket_files as messages

# The first bytes of each format, its name, and the advice for such a file.
_SIGNATURES = (
    (b"PK\x03\x04", messages.A_ZIP_ARCHIVE, messages.UNPACK),
    (b"PK\x05\x06", messages.AN_EMPTY_ZIP_ARCHIVE, messages.UNPACK),
    (
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
        messages.AN_OLD_OFFICE_FILE,
        messages.SAVE_AS_CSV,
    ),
    (b"\x1f\x8b", messages.A_GZIP_FILE, messages.GUNZIP),
    (b"BZh", messages.A_BZIP2_FILE, messages.BUNZIP2),
    (b"\xfd7zXZ\0", messages.AN_XZ_FILE, messages.UNXZ),
    (b"\x28\xb5\x2f\xfd", messages.A_ZSTANDARD_FILE, messages.UNZSTD),
    (b"7z\xbc\xaf\x27\x1c", messages.A_7_ZIP_ARCHIVE, messages.UNPACK),
    (b"Rar!\x1a\x07", messages.A_RAR_ARCHIVE, messages.UNPACK),
    (b"%PDF-", messages.A_PDF, messages.EXPORT_AS_CSV),
    (b"{\\rtf", messages.AN_RTF_DOCUMENT, messages.EXPORT_AS_CSV),
    (b"SQLite format 3\0", messages.A_SQLITE_DATABASE, messages.EXPORT_TABLE),
    (b"PAR1", messages.A_PARQUET_FILE, messages.CONVERT_TO_CSV_OR_JSON_LINES),
    (b"Obj\x01", messages.AN_AVRO_FILE, messages.CONVERT_TO_JSON_LINES),
    (b"ARROW1", messages.AN_ARROW_FILE, messages.CONVERT_TO_CSV_OR_JSON_LINES),
    (b"\x89PNG", messages.A_PNG_PICTURE, messages.CHOOSE_TICKETS),
    (b"\xff\xd8\xff", messages.A_JPEG_PICTURE, messages.CHOOSE_TICKETS),
    (b"GIF8", messages.A_GIF_PICTURE, messages.CHOOSE_TICKETS),
    (b"RIFF", messages.A_MEDIA_FILE, messages.CHOOSE_TICKETS),
    (b"\x7fELF", messages.A_PROGRAM, messages.CHOOSE_TICKETS),
    (b"!<arch>", messages.AN_ARCHIVE, messages.UNPACK),
    (
        b"version https://git-lfs.github.com/spec/",
        messages.A_GIT_LFS_POINTER,
        messages.GIT_LFS_PULL,
    ),
)
# The names of files in the ZIP archive of an Office document.
_IN_ZIP = (
    (b"xl/", messages.AN_EXCEL_WORKBOOK, messages.SAVE_AS_CSV),
    (b"word/", messages.A_WORD_DOCUMENT, messages.EXPORT_AS_CSV),
    (b"ppt/", messages.A_POWERPOINT_FILE, messages.EXPORT_AS_CSV),
    (
        b"opendocument.spreadsheet",
        messages.AN_OPENDOCUMENT_SPREADSHEET,
        messages.SAVE_AS_CSV,
    ),
    (b"Index/Document.iwa", messages.A_NUMBERS_OR_PAGES_FILE, messages.SAVE_AS_CSV),
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

# The characters of the lines between rows in Markdown, reStructuredText, MySQL and
# psql.
_RULED = frozenset("|+:=- ")
# The keys of error objects of APIs, and of tickets. A key of the first set suffices.
_ERROR_KEYS = frozenset(("error", "errors", "exception", "fault", "error_description"))
_MAYBE_ERROR_KEYS = frozenset(("message", "detail", "title", "msg"))
_STATUS_KEYS = frozenset(
    ("status", "statuscode", "status_code", "code", "documentation_url", "error_code")
)
_TICKET_KEYS = frozenset(("id", "key", "text", "body", "subject", "ticket", "content"))


def binary(head: bytes) -> tuple[str, str] | None:
    """Return the format of a file that begins with `head`, by its signature, and the
    advice for it; None if the file may be text."""
    for signature, what, advice in _SIGNATURES:
        if head.startswith(signature):
            if signature == b"PK\x03\x04":
                for part, office, save in _IN_ZIP:
                    if part in head:
                        return office, save
            return what, advice
    return None


def foreign_text(head: str) -> tuple[str, str] | None:
    """Return the format of a text that begins with `head`, and the advice for it; None
    if the text may be a table or JSON."""
    text = head.lstrip()
    if _TAG.match(text):
        return messages.AN_HTML_PAGE, messages.EXPORT_AS_CSV
    if _XML.match(text):
        return messages.XML, messages.EXPORT_AS_CSV_OR_JSON_LINES
    if _MAIL.match(text):
        return messages.EMAIL, messages.EXPORT_MESSAGES
    if _SQL.match(text):
        return messages.SQL, messages.EXPORT_TABLE
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    if lines and is_log([line.strip() for line in lines]):
        return messages.A_LOG, messages.CHOOSE_TABLE
    if _is_drawn(lines):
        return messages.A_DRAWN_TABLE, messages.EXPORT_AS_CSV
    return None


def _is_drawn(lines: list[str]) -> bool:
    """Return True if one of `lines` is only a rule between the rows of a table."""
    for nth, line in enumerate(lines):
        if '"' in line:
            # After a quote, lines may belong to a cell.
            return False
        divides = "|" in line or "+" in line or " " in line.strip()
        # A single dash may also mark an empty cell.
        is_long = "--" in line or "==" in line or (nth == 1 and "-" in line)
        if divides and is_long and _RULED.issuperset(line.rstrip()):
            return True
    return False


def is_api_error(keys: Iterable[str]) -> bool:
    """Return True if an object with `keys`, the only one in its file, is the error of
    an API."""
    names = {each.casefold() for each in keys}
    may_be = names & _MAYBE_ERROR_KEYS and names & _STATUS_KEYS
    return bool(names & _ERROR_KEYS or may_be) and not names & _TICKET_KEYS


def is_log(lines: list[str]) -> bool:
    """Return True if the first of `lines`, and most of them, are lines of a log."""
    found = [_LOG_LINE.match(line) is not None for line in lines]
    return found[0] and sum(found) >= len(found) * 0.6
