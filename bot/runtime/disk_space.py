"""The room on the disk of the database."""

import shutil
from collections.abc import Callable
from pathlib import Path

from bot.messages import operator as messages

# Free space, in bytes, below which the operator is alerted: some thirty times what the
# write-ahead log takes, so that there is time to make room.
MB = 1024 * 1024
LOW = 256 * MB


def free_bytes(folder: Path) -> int:
    """Return the bytes that are free in `folder`, or where it would be created."""
    there = next(each for each in (folder, *folder.parents) if each.exists())
    return shutil.disk_usage(there).free


def disk_problem(folder: Path, free: Callable[[Path], int] = free_bytes) -> str | None:
    """Return what is wrong with the disk of the database in `folder`, None if there is
    room."""
    left = free(folder)
    if left >= LOW:
        return None
    return messages.disk_low(free=f"{left // MB:,} MB", folder=folder)
