"""One process's share of the calls that all processes may make together."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CallLease:
    """The answer to a process that asked for permission to make calls."""

    granted: int
    #: The seconds to wait before asking again, if no call is granted.
    wait: float
    #: The number of running processes.
    processes: int
