"""Findings of `threadkeep check`. Frozen values."""

import enum
from dataclasses import dataclass

from bot.messages import check as messages


class Grade(enum.Enum):
    """The grade of a finding."""

    GOOD = messages.OK
    #: Not configured, which is no error.
    ABSENT = messages.NOT_SET
    #: Works, but the operator should know.
    NOTE = messages.NOTE
    #: Must be corrected before Threadkeep can run.
    BAD = messages.WRONG


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report."""

    subject: str
    grade: Grade
    text: str
