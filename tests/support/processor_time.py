"""The processor time of a test process, and of all that it started."""

import resource

_of_forks = 0.0


def add(seconds: float) -> None:
    """Count what a process used that another one had started for this one."""
    global _of_forks
    _of_forks += seconds


def used() -> float:
    """Return the seconds that this process, those that it waited for, and what `add`
    was told of have used."""
    found = map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return _of_forks + sum(each.ru_utime + each.ru_stime for each in found)
