"""A time of which events may be missing. A frozen value."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Outage:
    """A time that is to be caught up with, by one process at a time."""

    name: str
    #: From when on events may be missing, in seconds since 1970.
    since: float
    #: How often it was noted.
    times: int
