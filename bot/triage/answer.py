"""The values that triage hands around. All of them are frozen."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.completion import Usage

#: How often a ticket is asked about before it is marked.
TRIES = 2

# Why a ticket has no values, in the words that stand in its row; more may follow them.
EMPTY = "empty: there is nothing to sort"
TOO_LONG = "too long"
REFUSED = "refused: Claude would not answer this one"
CUT = "cut: the answer did not end"
INVALID = "invalid: the answer does not fit the scheme"
REJECTED = "rejected: Claude's API does not take this one"
EXPIRED = "expired: its batch ended before this one was read"
CANCELED = "canceled: its batch was cancelled before this one was read"
FAILED = "failed: Claude's side failed on this one"

#: Those that asking once more cannot change.
FINAL = (EMPTY, TOO_LONG)
#: Those to which no answer came, so that it may be tried again whenever there is an
#: occasion. What a failed one may be billed at is counted.
FREE = (REJECTED, EXPIRED, CANCELED, FAILED)
#: Those that were paid for.
PAID = (REFUSED, CUT, INVALID)


@dataclass(frozen=True, slots=True)
class Ticket:
    """One row of what is to be sorted."""

    #: From 1, without the header.
    position: int
    text: str
    #: All of its columns as they came.
    row: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one ticket: values, or the reason why there are none."""

    #: By the scheme's fields; None where `reason` says why.
    values: Mapping[str, Any] | None = None
    reason: str = ""
    usage: Usage = field(default_factory=Usage)
    #: In USD; None where the model's price is not known.
    cost: float | None = 0.0
    #: How often it was asked about in all.
    tries: int = 1

    @property
    def done(self) -> bool:
        """Whether nothing more is to be tried for it by itself."""
        return (
            self.values is not None
            or self.tries >= TRIES
            or self.reason.startswith(FINAL)
        )


def digest(text: str, scheme: str, model: str) -> str:
    """What answers are kept under: the same ticket, scheme and model, and so the same
    question; 64 hexadecimal digits, which a batch takes as the name of a request.

    `scheme` is the scheme's own digest.
    """
    said = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return hashlib.sha256(f"{said} {scheme} {model}".encode()).hexdigest()
