"""Triage cases: messages that are classified in the chat. Frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class TriageCase:
    """One message or thread that is classified, or is to be."""

    #: 0 until it is stored.
    id: int
    #: Its thread; for a message at the top of a Slack channel, its own thread.
    place: Scope
    #: The platform's id of the message; for a whole thread, "thread:" and its id.
    message: str
    #: The time of posting or of the first classification, in seconds since 1970.
    at: float
    #: The platform's id of the author; "" for a whole thread.
    author: str
    #: The classified text; "" once it was deleted.
    text: str
    #: The values by field; None if `reason` says why, or while it waits.
    values: Mapping[str, Any] | None = None
    reason: str = ""
    #: The values that people corrected, by field.
    corrected: Mapping[str, Any] = field(default_factory=dict)
    #: The author and time of the last correction.
    corrected_by: str = ""
    corrected_at: float = 0.0
    #: The admin who approved it as a few-shot example; "" if none.
    agreed_by: str = ""
    #: Whether it was classified automatically, and whether the result was posted.
    auto: bool = False
    shown: bool = False
    #: The platform's ids of further messages that `text` repeats. Set only when a case
    #: is opened: it is deleted with any of them.
    messages: tuple[str, ...] = field(default=(), compare=False)

    @property
    def current(self) -> Mapping[str, Any]:
        """Return its values with the corrections applied."""
        return {**(self.values or {}), **self.corrected}
