"""The free space on the disk of the database."""

import shutil
from collections.abc import Callable
from pathlib import Path

from bot.messages import operator as messages

# The free space, in bytes, below which the operator is alerted. About thirty times the
# size of the write-ahead log, so that there is time to free space.
MB = 1024 * 1024
LOW = 256 * MB


def free_bytes(folder: Path) -> int:
    """Return the free bytes in `folder`, or where `folder` would be created."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


def disk_problem(folder: Path, free: Callable[[Path], int] = free_bytes) -> str | None:
    """Return a warning if the disk of the database in `folder` is almost full.

    Return None if there is enough space.
    """
    left = free(folder)
    if left >= LOW:
        return None
    return messages.disk_low(free=f"{left // MB:,} MB", folder=folder)
