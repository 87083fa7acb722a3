"""Findings of `threadkeep check`. Frozen values."""

import enum
from dataclasses import dataclass


class Grade(enum.Enum):
    """The grade of a finding."""

    GOOD = "ok"
    #: Not configured, which is no error.
    ABSENT = "not set"
    #: Works, but the operator should know.
    NOTE = "note"
    #: Must be corrected before Threadkeep can run.
    BAD = "wrong"


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    grade: Grade
    text: str
