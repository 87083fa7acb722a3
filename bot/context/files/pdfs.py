"""PDFs: counted, checked and cut. Claude reads their pages itself.

A PDF that opens without a password, but has restrictions, is decrypted: the API takes
no encrypted ones, and whoever sent it may read it. For the cipher of newer PDFs, AES,
pypdf needs the package `cryptography`; without it they are refused.
"""

import io
from pathlib import Path

import pypdf

from bot.context.files.accepted import Accepted
from bot.context.files.file_types import HEAD, pdf_start
from bot.domain.attachment import FileContent, FileKind
from bot.errors import FileUnread, Unread

#: The most bytes of a PDF that is cut.
MOST_BYTES = 64_000_000


def content(path: Path, accepted: Accepted) -> FileContent:
    """Return the PDF `path`, cut to the first pages that are accepted. Raises
    FileUnread."""
    if path.stat().st_size > MOST_BYTES:
        raise FileUnread(Unread.TOO_LARGE)
    data = path.read_bytes()
    data = data[max(0, pdf_start(data[:HEAD])) :]
    reader, was_encrypted = _opened(data)
    all_pages = len(reader.pages)
    if not all_pages:
        raise FileUnread(Unread.EMPTY)
    pages = min(all_pages, accepted.pages)
    if pages < all_pages or was_encrypted:
        data = _first(reader, pages)
    share = accepted.bytes / len(data)
    while len(data) > accepted.bytes:
        if pages == 1:
            raise FileUnread(Unread.TOO_LARGE)
        # Pages share fonts and pictures, so their size is known once they are written.
        pages = max(1, min(pages - 1, int(pages * share)))
        data = _first(reader, pages)
        share = 0.5
    return _pdf(data, pages, all_pages, accepted)


def first_pages(content: FileContent, count: int) -> FileContent:
    """Return the first `count` pages of a PDF that was read; all if it has no more.
    Raises FileUnread."""
    if count >= content.pages:
        return content
    reader, _ = _opened(content.data)
    per_page = content.tokens // content.pages
    return FileContent(
        FileKind.PDF,
        content.media_type,
        _first(reader, count),
        tokens=per_page * count,
        pages=count,
        all_pages=content.all_pages,
    )


def _opened(data: bytes) -> tuple[pypdf.PdfReader, bool]:
    """Return a reader of `data`, and whether it was encrypted. Raises FileUnread."""
    reader = pypdf.PdfReader(io.BytesIO(data))
    if not reader.is_encrypted:
        return reader, False
    try:
        is_open = reader.decrypt("") is not pypdf.PasswordType.NOT_DECRYPTED
    except (pypdf.errors.PyPdfError, NotImplementedError):
        is_open = False
    if not is_open:
        raise FileUnread(Unread.ENCRYPTED)
    return reader, True


def _first(reader: pypdf.PdfReader, count: int) -> bytes:
    writer = pypdf.PdfWriter()
    writer.append(reader, pages=(0, count), import_outline=False)
    result = io.BytesIO()
    writer.write(result)
    return result.getvalue()


def _pdf(data: bytes, pages: int, all_pages: int, accepted: Accepted) -> FileContent:
    return FileContent(
        FileKind.PDF,
        "application/pdf",
        data,
        tokens=pages * accepted.page_tokens,
        pages=pages,
        all_pages=all_pages,
    )
