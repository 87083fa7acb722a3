"""Measures the processor time of a test process and all processes that it started."""

import resource

_of_forks = 0.0


def add(seconds: float) -> None:
    """Add the time of a process that the nursery started for this one."""
    global _of_forks
    _of_forks += seconds


def used() -> float:
    """Return the seconds used by this process, the children that it waited for, and the
    processes passed to `add`."""
    found = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return _of_forks + sum(each.ru_utime + each.ru_stime for each in found)
