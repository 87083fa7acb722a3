"""A process as its machine knows it: so that others there can tell at once that it has
ended, without waiting for the database to notice.

Rule: an origin that cannot be read, or is of another machine or container, tells
nothing. Numbers of processes are used again; together with when it began, one names
one process until the machine starts anew.
"""

import os
from functools import cache
from pathlib import Path

PROC = Path("/proc")

# In the fields of /proc/PID/stat behind the name (proc(5)): the state, and when it
# began, in ticks of the clock since the start of the machine.
STATE, BEGAN = 0, 19
#: The states of processes that have ended and whose parent has not looked yet.
ENDED = ("Z", "X")


def origin(pid: int | None = None) -> str:
    """Return the origin of this process, or of the process `pid` in the same container;
    "" where the system does not tell."""
    number = os.getpid() if pid is None else pid
    try:
        return f"{_here()} {number} {_stat(number)[BEGAN]}"
    except (OSError, IndexError):
        return ""


def is_gone(of: str) -> bool:
    """Return whether the process with this origin is known to have ended."""
    place, _, began = of.rpartition(" ")
    here, _, number = place.rpartition(" ")
    try:
        if here != _here() or not number.isdigit():
            return False
        pid = int(number)
        os.kill(pid, 0)
        found = _stat(pid)
        return found[STATE] in ENDED or found[BEGAN] != began
    except ProcessLookupError:
        return True
    except (OSError, OverflowError, IndexError):
        # Another user's, perhaps, which may be hidden.
        return False


@cache
def _here() -> str:
    """Return the start of this machine, and this container on it. Raises OSError."""
    boot = (PROC / "sys/kernel/random/boot_id").read_text("utf-8").strip()
    return f"{boot} {os.readlink(PROC / 'self/ns/pid')}"


def _stat(pid: int) -> list[str]:
    # The name may have blanks and parentheses in it.
    return (PROC / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()
