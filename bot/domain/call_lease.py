"""A few calls that one process may make of those that all may make together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLease:
    """The answer to a process that wants to make calls now."""

    granted: int
    #: In how many seconds to ask again, if none is granted.
    wait: float
    #: How many processes run.
    processes: int
