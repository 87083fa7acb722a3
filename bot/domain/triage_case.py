"""Triage cases: messages that are classified in the chat. Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class TriageCase:
    """One message or thread that is or will be classified."""

    #: 0 until it is stored.
    id: int
    #: The thread. A message at the top of a Slack channel is the root of its own
    #: thread.
    place: Scope
    #: The platform's id of the message; for a whole thread, "thread:" and its id.
    message: str
    #: The time of posting or of the first classification, in seconds since 1970.
    at: float
    #: The platform's id of the author; "" for a whole thread.
    author: str
    #: The classified text; "" after it was deleted.
    text: str
    #: The values by field; None while the case waits, or if it failed for `reason`.
    values: Mapping[str, Any] | None = None
    reason: str = ""
    #: The corrected values, by field.
    corrected: Mapping[str, Any] = field(default_factory=dict)
    #: The author and time of the last correction.
    corrected_by: str = ""
    corrected_at: float = 0.0
    #: The admin who approved it as a few-shot example; "" if none.
    agreed_by: str = ""
    #: Whether the case was classified automatically, and whether the result was posted.
    auto: bool = False
    shown: bool = False
    #: The platform's ids of further messages that `text` repeats. The case is deleted
    #: with any of them. Set only when a case is opened.
    messages: tuple[str, ...] = field(default=(), compare=False)

    @property
    def current(self) -> Mapping[str, Any]:
        """The values with the corrections applied."""
        return {**(self.values or {}), **self.corrected}
