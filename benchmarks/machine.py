"""Describes the machine, and measures the resources of processes. Reads Linux's
/proc."""

import os
import platform
import sqlite3
import statistics
import tempfile
import time
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
FSYNCS = 50


def facts() -> str:
    """Return a line that describes the machine, for the heading."""
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    return (
        f"{os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
        f"{platform.release()}; Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}; an fsync takes {fsync() * 1000:.1f} ms"
    )


def fsync() -> float:
    """Return the seconds that the disk takes to write a page durably. No commit is
    faster."""
    took = []
    with tempfile.TemporaryFile(buffering=0) as file:
        for _ in range(FSYNCS):
            file.write(bytes(4096))
            before = time.perf_counter()
            os.fsync(file.fileno())
            took.append(time.perf_counter() - before)
    return statistics.median(took)


def child() -> int:
    """Return the process id of our only child."""
    (pid,) = _children(os.getpid())
    return pid


def memory(pid: int) -> float:
    """Return the bytes of RAM that process `pid` uses now."""
    return _status(pid, "VmRSS")


def peak(pid: int) -> float:
    """Return the peak RAM of process `pid` in bytes since `forget_peak`."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Reset `peak`."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def exact_cpu(pid: int) -> float:
    """Return the CPU seconds used by the living threads of process `pid`, to the
    microsecond; `cpu` counts hundredths."""
    tasks = Path(f"/proc/{pid}/task").glob("*/schedstat")
    return sum(int(task.read_text().split()[0]) for task in tasks) / 1e9


def _status(pid: int, name: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    (line,) = (line for line in lines if line.startswith(f"{name}:"))
    return float(line.split()[1]) * 1024


def cpu(pid: int) -> float:
    """Return the CPU seconds used by all threads of process `pid`."""
    user, system = _stat(Path(f"/proc/{pid}/stat"))[11:13]
    return (int(user) + int(system)) / TICKS


def family_cpu(pid: int) -> float:
    """Return the CPU seconds used by process `pid`, its children, and its children that
    have ended."""
    ended = sum(map(int, _stat(Path(f"/proc/{pid}/stat"))[13:15])) / TICKS
    return cpu(pid) + ended + sum(map(cpu, _children(pid)))


def _children(pid: int) -> list[int]:
    return [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/stat")
        if _parent(path) == pid
    ]


def _parent(stat: Path) -> int:
    try:
        return int(_stat(stat)[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it ended while we looked


def _stat(stat: Path) -> list[str]:
    """Return the fields from the third on. The second may contain blanks."""
    return stat.read_text().rpartition(")")[2].split()
