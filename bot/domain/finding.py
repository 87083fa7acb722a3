"""What `threadkeep check` reports."""

import enum
from dataclasses import dataclass


class Grade(enum.Enum):
    """How a finding of `threadkeep check` is to be taken."""

    GOOD = "ok"
    #: Not set up; nothing fails because of it.
    ABSENT = "not set"
    #: Works, and somebody should know.
    NOTE = "note"
    #: Must be set right before Threadkeep can run.
    BAD = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of what `threadkeep check` found."""

    subject: str
    grade: Grade
    text: str
