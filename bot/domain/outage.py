"""A period from which events may be missing. A frozen value."""

from dataclasses import dataclass

#: Separates the name of a part, such as one workspace, from that of the whole.
WITHIN = "//"


@dataclass(frozen=True, slots=True)
class Outage:
    """A period whose events must be fetched again, by one process at a time."""

    name: str
    #: The start of the period, in seconds since 1970.
    since: float
    #: The number of times that the outage was recorded.
    times: int
