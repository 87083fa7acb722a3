"""Tickets and answers. Frozen values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.completion import Usage
from bot.messages import triage_files as messages

#: Attempts at a ticket before it is marked.
TRIES = 2

# Reasons why a ticket has no values, as they stand in its row; details may follow.
EMPTY = messages.EMPTY
TOO_LONG = messages.TOO_LONG
UNREADABLE = messages.UNREADABLE
REFUSED = messages.REFUSED
CUT = messages.CUT
INVALID = messages.INVALID
REJECTED = messages.REJECTED
EXPIRED = messages.EXPIRED
CANCELED = messages.CANCELLED
FAILED = messages.FAILED

#: The reasons that asking again cannot change.
FINAL = (EMPTY, TOO_LONG, UNREADABLE)
#: The reasons without an answer, so that a ticket may be tried again. What a failed try
#: may be billed at is counted.
FREE = (REJECTED, EXPIRED, CANCELED, FAILED)
#: The reasons with an answer that was paid for.
PAID = (REFUSED, CUT, INVALID)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One row of the input."""

    #: From 1, without the header.
    position: int
    text: str
    #: All of its columns as they were read.
    row: Mapping[str, Any] = field(default_factory=dict)
    #: Why it cannot be read, and so is not asked about; "" if it can.
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result for one ticket: values, or the reason why there are none."""

    #: By field; None if `reason` says why.
    values: Mapping[str, Any] | None = None
    reason: str = ""
    usage: Usage = field(default_factory=Usage)
    #: In USD; None if the model's price is unknown.
    cost: float | None = 0.0
    #: The number of tries in all.
    tries: int = 1

    @property
    def done(self) -> bool:
        """True if no further try is made automatically."""
        return (
            self.values is not None
            or self.tries >= TRIES
            or self.reason.startswith(FINAL)
        )


def digest(text: str, scheme: str, model: str) -> str:
    """Return the key under which an answer is stored: 64 hexadecimal digits, the same
    for the same ticket, scheme and model. Batches use it as the name of a request.

    `scheme` is the scheme's own digest.
    """
    said = hashlib.sha256(text.encode()).hexdigest()
    return hashlib.sha256(f"{said} {scheme} {model}".encode()).hexdigest()
