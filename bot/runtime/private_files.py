"""Files that only their owner can read, and a check of file permissions."""

import contextlib
import os
import stat
from pathlib import Path
from typing import IO

#: Readable and writable by the owner only.
OWN = 0o600

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def open_private(path: Path, *, replace: bool) -> IO[str]:
    """Open the text file `path` for writing, for its owner only.

    With `replace`, an existing file is overwritten, and others lose the right to read
    it. The permissions of something else, such as a pipe, are not changed. Raises
    OSError; without `replace`, FileExistsError if the file exists.
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
    """Create the empty file `path` for its owner only, unless it exists. Raises
    OSError."""
    with contextlib.suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWN))


def is_exposed(path: Path) -> bool:
    """Return True if anyone but the owner may access the file or folder `path`.

    Return False if it does not exist.
    """
    try:
        return bool(path.stat().st_mode & _OTHERS)
    except OSError:
        return False
