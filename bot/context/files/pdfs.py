"""Counts, checks and cuts PDFs. Claude reads their pages itself.

A PDF that opens without a password, but has restrictions, is decrypted: the API takes
no encrypted PDFs, and its sender may read it. For AES, the cipher of newer PDFs, pypdf
needs the package `cryptography`. Without the package, such PDFs are refused.
"""

import contextlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import pypdf

from bot.context.files.accepted import Accepted
from bot.context.files.file_types import HEAD, pdf_start
from bot.domain.attachment import FileContent, FileKind
from bot.errors import FileUnread, Unread
from bot.runtime.scratch import scratch_file

#: The most bytes of a PDF that is cut.
MOST_BYTES = 64_000_000


def content(path: Path, accepted: Accepted) -> FileContent:
    """Return the PDF `path`, cut to the first pages that are accepted.

    Raises FileUnread.
    """
    if (size := path.stat().st_size) > MOST_BYTES:
        raise FileUnread(Unread.TOO_LARGE)
    # The PDF is not held in memory: it consists mostly of pictures, and pypdf holds
    # only the pictures of the pages that it writes.
    with path.open("rb") as file, _scratch() as shorter:
        pdf: BinaryIO = file
        if (start := pdf_start(file.read(HEAD))) > 0:
            file.seek(start)
            pdf, size = io.BytesIO(file.read()), size - start
        reader, was_encrypted = _open(pdf)
        all_pages = len(reader.pages)
        if not all_pages:
            raise FileUnread(Unread.EMPTY)
        pages = min(all_pages, accepted.pages)
        if pages < all_pages or was_encrypted:
            pdf, size = shorter, _write_first(reader, pages, shorter)
        share = accepted.bytes / size
        while size > accepted.bytes:
            if pages == 1:
                raise FileUnread(Unread.TOO_LARGE)
            # Pages share fonts and pictures, so their size is known only after they are
            # written.
            pages = max(1, min(pages - 1, int(pages * share)))
            pdf, size = shorter, _write_first(reader, pages, shorter)
            share = 0.5
        pdf.seek(0)
        return _pdf(pdf.read(), pages, all_pages, accepted)


def first_pages(content: FileContent, count: int) -> FileContent:
    """Return the first `count` pages of a PDF that was read, or all if it has fewer.

    Raises FileUnread.
    """
    if count >= content.pages:
        return content
    reader, _ = _open(io.BytesIO(content.data))
    per_page = content.tokens // content.pages
    result = io.BytesIO()
    _write_first(reader, count, result)
    return FileContent(
        FileKind.PDF,
        content.media_type,
        result.getvalue(),
        tokens=per_page * count,
        pages=count,
        all_pages=content.all_pages,
    )


def _open(pdf: BinaryIO) -> tuple[pypdf.PdfReader, bool]:
    """Return a reader of `pdf`, and whether it was encrypted. Raises FileUnread."""
    pdf.seek(0)
    reader = pypdf.PdfReader(pdf)
    if not reader.is_encrypted:
        return reader, False
    try:
        is_open = reader.decrypt("") is not pypdf.PasswordType.NOT_DECRYPTED
    except (pypdf.errors.PyPdfError, NotImplementedError):
        is_open = False
    if not is_open:
        raise FileUnread(Unread.ENCRYPTED)
    return reader, True


def _write_first(reader: pypdf.PdfReader, count: int, into: BinaryIO) -> int:
    """Replace the content of `into` by the first `count` pages; return their bytes."""
    into.seek(0)
    into.truncate()
    writer = pypdf.PdfWriter()
    writer.append(reader, pages=(0, count), import_outline=False)
    writer.write(into)
    # Both hold the pages and refer to themselves, so the pages would stay in memory for
    # a while.
    writer._objects.clear()
    reader.resolved_objects.clear()
    return into.tell()


@contextlib.contextmanager
def _scratch() -> Iterator[BinaryIO]:
    """Open an empty file. Raises FileUnread."""
    with contextlib.ExitStack() as stack:
        try:
            file, _ = stack.enter_context(scratch_file())
        except OSError:
            raise FileUnread(Unread.UNAVAILABLE) from None
        yield file


def _pdf(data: bytes, pages: int, all_pages: int, accepted: Accepted) -> FileContent:
    return FileContent(
        FileKind.PDF,
        "application/pdf",
        data,
        tokens=pages * accepted.page_tokens,
        pages=pages,
        all_pages=all_pages,
    )
