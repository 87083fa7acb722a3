"""Tickets and answers. Frozen values."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.completion import Usage
from bot.messages import triage_files as messages

#: How often a ticket is tried before it is marked.
TRIES = 2

# The reasons why a ticket has no values, as its row shows them; details may follow.
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

#: The reasons for which another try would have the same result.
FINAL = (EMPTY, TOO_LONG, UNREADABLE)
#: The reasons without an answer, after which the ticket may be tried again. The
#: possible cost of a failed try is counted.
FREE = (REJECTED, EXPIRED, CANCELED, FAILED)
#: The reasons with an answer, which was paid for.
PAID = (REFUSED, CUT, INVALID)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One row of the input."""

    #: The number of the row, from 1, without the header.
    position: int
    text: str
    #: All columns of the row, as they were read.
    row: Mapping[str, Any] = field(default_factory=dict)
    #: Why the row cannot be read, so that Claude is not asked; "" if it can be read.
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """The result for one ticket: values, or the reason why there are none."""

    #: The values by field; None if there is a `reason`.
    values: Mapping[str, Any] | None = None
    reason: str = ""
    usage: Usage = field(default_factory=Usage)
    #: The cost in USD; None if the model's price is unknown.
    cost: float | None = 0.0
    #: The total number of tries.
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
    for the same ticket, scheme and model. Batches use the key as the name of a request.
    `scheme` is the digest of the scheme."""
    said = hashlib.sha256(text.encode()).hexdigest()
    return hashlib.sha256(f"{said} {scheme} {model}".encode()).hexdigest()
