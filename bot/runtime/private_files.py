"""Writes files that hold what people said, or how they are served, for their owner
alone; and says which files others can read."""

import contextlib
import os
import stat
from pathlib import Path
from typing import IO

#: Read and written by the owner, and by nobody else.
OWN = 0o600

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_private(path: Path, *, replace: bool) -> IO[str]:
    """Open the text file `path` to write all of it, for its owner alone.

    With `replace`, what is there is written over, and others lose the right to read it;
    what is no file, such as a pipe, stays as it is. Raises OSError, FileExistsError
    without `replace` if it is there.
    """
    how = os.O_TRUNC if replace else os.O_EXCL
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | how, OWN)
    try:
        if stat.S_ISREG(os.fstat(handle).st_mode):
            os.fchmod(handle, OWN)
        return os.fdopen(handle, "w", encoding="utf-8", newline="")
    except BaseException:
        os.close(handle)
        raise


def make_private(path: Path) -> None:
    """Make the empty file `path` for its owner alone, unless there is one. Raises
    OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN))


def exposed(path: Path) -> bool:
    """Whether others than the owner may read or change `path`, or list it if it is a
    folder; False if it is not there."""
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False
