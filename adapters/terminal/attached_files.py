"""The files that the person at the keyboard attaches to their questions.

Rule: only files named with `/attach` in this process are opened, whatever a message,
the model or the database says. A path in a text is only text.
"""

import asyncio
import os
import shlex
import stat
from pathlib import Path
from typing import BinaryIO

from bot.domain.attachment import Attachment
from bot.domain.scope import Scope
from bot.errors import FileUnread, Unread
from bot.messages import terminal as texts
from bot.runtime.downloads import PIECE
from bot.runtime.lru import LruDict

#: The most files that go with one question.
MOST_FILES = 20
# How many attached paths are remembered.
MOST_NAMED = 1_000


class AttachedFiles:
    """Implements `bot.ports.platform.FileSource` for the attached files."""

    def __init__(self) -> None:
        #: The files for the next question.
        self.waiting: tuple[Attachment, ...] = ()
        self._named: LruDict[str, bool] = LruDict(MOST_NAMED)

    def attach(self, argument: str) -> str:
        """Attach the files that `argument` names to the next question; return a message
        for the person."""
        told = []
        for name in _names(argument):
            try:
                file = _attachment(name)
            except FileNotFoundError:
                told.append(texts.no_such_file(path=name))
            except OSError:
                told.append(texts.no_readable_file(path=name))
            else:
                if file in self.waiting:
                    continue
                if len(self.waiting) >= MOST_FILES:
                    told.append(texts.too_many_files(most=MOST_FILES))
                    break
                self.waiting += (file,)
                self._named[file.url] = True
        if self.waiting:
            told.append(texts.attached(names=[each.name for each in self.waiting]))
        return "\n\n".join(told or [texts.HOW_TO_ATTACH])

    def detach(self) -> None:
        """Remove all files from the next question."""
        self.waiting = ()

    async def fetch(
        self, place: Scope, file: Attachment, into: BinaryIO, most: int
    ) -> None:
        """Write the bytes of `file` to `into`. Raises FileUnread."""
        if file.url not in self._named:
            raise FileUnread(Unread.UNAVAILABLE)
        # A disk or a network may be slow.
        await asyncio.to_thread(_copy, file.url, into, most)


def _names(argument: str) -> list[str]:
    """Return the paths in `argument`, separated by blanks unless they are quoted."""
    try:
        if Path(argument).expanduser().is_file():
            # The path was dragged here, or typed without quotes.
            return [argument]
        return shlex.split(argument)
    except (ValueError, RuntimeError, OSError):
        # A lone quote, the home directory of an unknown user, a name that is too long.
        return [argument]


def _attachment(name: str) -> Attachment:
    """Return the file at the path `name`. Raises OSError."""
    path = os.path.abspath(os.path.expanduser(name))
    if "\0" in path:
        raise FileNotFoundError
    handle = _open(path)
    try:
        size = os.fstat(handle).st_size
    finally:
        os.close(handle)
    return Attachment(Path(path).name, path, path, size)


def _open(path: str) -> int:
    """Open a regular file. Raises OSError."""
    # Opening a pipe would wait for somebody to write into it.
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise IsADirectoryError
    return handle


def _copy(path: str, into: BinaryIO, most: int) -> None:
    try:
        source = os.fdopen(_open(path), "rb", buffering=0)
    except FileNotFoundError:
        raise FileUnread(Unread.DELETED) from None
    except OSError:
        raise FileUnread(Unread.UNAVAILABLE) from None
    with source:
        left = most
        while piece := source.read(PIECE):
            left -= len(piece)
            if left < 0:
                raise FileUnread(Unread.TOO_LARGE)
            into.write(piece)
