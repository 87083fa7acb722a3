"""The origin of a process, which other processes on the same machine can check.

They can tell at once that the process has ended, without waiting for the database to
notice.

Rule: an origin that cannot be read, or is from another machine or container, says
nothing. Process ids are reused, but a process id and a start time together identify one
process until the machine restarts.
"""

import os
from functools import cache
from pathlib import Path

PROC = Path("/proc")

# Positions in /proc/PID/stat after the name (proc(5)): the state, and the start time in
# clock ticks since the machine started.
STATE, BEGAN = 0, 19
#: The states of processes that have ended but whose parent has not waited for them.
ENDED = ("Z", "X")


def origin(pid: int | None = None) -> str:
    """Return the origin of this process, or of the process `pid` in the same container.

    Returns "" where the system provides none.
    """
    number = os.getpid() if pid is None else pid
    try:
        return f"{_this_machine()} {number} {_stat(number)[BEGAN]}"
    except (OSError, IndexError):
        return ""


def is_gone(of: str) -> bool:
    """Return whether the process with this origin is known to have ended."""
    place, _, began = of.rpartition(" ")
    here, _, number = place.rpartition(" ")
    try:
        if here != _this_machine() or not number.isdigit():
            return False
        pid = int(number)
        os.kill(pid, 0)
        found = _stat(pid)
        return found[STATE] in ENDED or found[BEGAN] != began
    except ProcessLookupError:
        return True
    except (OSError, OverflowError, IndexError):
        # The process may belong to another user and be hidden.
        return False


@cache
def _this_machine() -> str:
    """Return the boot id of the machine and the id of the container. Raises OSError."""
    boot = (PROC / "sys/kernel/random/boot_id").read_text("utf-8").strip()
    return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"


def _stat(pid: int) -> list[str]:
    # The name may contain spaces and parentheses.
    return (PROC / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()
