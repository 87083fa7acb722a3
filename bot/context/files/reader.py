"""Reads a file of a message."""

import importlib
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.context.files import archives, ole
from bot.context.files.accepted import Accepted
from bot.context.files.content import text_content
from bot.context.files.file_types import HEAD, OLE, ZIP, FileType, file_type
from bot.domain.attachment import FileContent
from bot.errors import FileUnread, Unread

_IMAGES = frozenset(
    (FileType.JPEG, FileType.PNG, FileType.GIF, FileType.WEBP, FileType.HEIC)
)
# The module and the function that yields the lines of a file, by the file's type.
_LINES = {
    FileType.WORD: ("word", "lines"),
    FileType.SLIDES: ("slides", "lines"),
    FileType.WORKBOOK: ("workbooks", "lines"),
    FileType.OLD_WORKBOOK: ("workbooks", "old_lines"),
    FileType.OPEN_SHEET: ("open_sheets", "lines"),
    FileType.TEXT: ("texts", "lines"),
}


def read(path: Path, name: str, accepted: Accepted) -> FileContent:
    """Return the content of the file `path` for Claude. Raises FileUnread.

    `name`, as people see it, determines neither a path nor the type. The call blocks,
    for seconds with large files: make it off the event loop.
    """
    return _guard(lambda: _content(path, accepted))


def first_pages(content: FileContent, count: int) -> FileContent:
    """Return the first `count` pages of a PDF that was read, or all if it has fewer.

    Raises FileUnread, and blocks like `read`.
    """
    return _guard(lambda: _load("pdfs").first_pages(content, count))


def _guard(work: Callable[[], FileContent]) -> FileContent:
    """Return the result of `work`. Every error that it raises becomes FileUnread."""
    try:
        return work()
    except FileUnread:
        raise
    except MemoryError:
        raise FileUnread(Unread.TOO_LARGE) from None
    except Exception:
        # The libraries raise exceptions of any type, whose texts may quote the file.
        raise FileUnread(Unread.BROKEN) from None
    except BaseException as error:
        # A panic of python-calamine is not an Exception.
        if type(error).__name__ != "PanicException":
            raise
        raise FileUnread(Unread.BROKEN) from None


def _content(path: Path, accepted: Accepted) -> FileContent:
    kind = _type(path)
    if isinstance(kind, Unread):
        raise FileUnread(kind)
    if kind in _IMAGES:
        if not accepted.images:
            raise FileUnread(Unread.NOT_TAKEN)
        return _load("images").content(path, kind, accepted)  # type: ignore[no-any-return]
    if kind is FileType.PDF:
        if not accepted.pdfs:
            raise FileUnread(Unread.NOT_TAKEN)
        return _load("pdfs").content(path, accepted)  # type: ignore[no-any-return]
    module, function = _LINES[kind]
    return text_content(getattr(_load(module), function)(path, accepted), accepted)


def type_of(path: Path) -> FileType | Unread:
    """Return the type of the file `path`, or why the file is not read. Raises
    OSError."""
    try:
        return _type(path)
    except FileUnread as error:
        return error.reason
    except (zipfile.BadZipFile, NotImplementedError, ValueError):
        return Unread.BROKEN


def _type(path: Path) -> FileType | Unread:
    with path.open("rb") as file:
        head = file.read(HEAD)
    if head.startswith(ZIP):
        return file_type(head, archives.names(path))
    if head.startswith(OLE):
        return file_type(head, ole.names(path))
    return file_type(head)


def _load(module: str) -> Any:
    """Import a module of this package by name.

    Importing a module with its library takes longer than everything that is imported
    when Threadkeep starts.
    """
    return importlib.import_module(f"bot.context.files.{module}")
