"""A triage case: one message that was classified where people talk. A frozen value."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.domain.scope import Scope


@dataclass(frozen=True, slots=True)
class TriageCase:
    """One message, or one thread, that is or is to be sorted."""

    #: 0 until it is stored.
    id: int
    #: The thread that it stands in; on Slack, of a message at the top, its own.
    place: Scope
    #: The platform's id of the message; of a whole thread, "thread:" and its id.
    message: str
    #: When it was said or first sorted, in seconds since 1970.
    at: float
    #: The platform's id of who said it; "" for a whole thread.
    author: str
    #: What was sorted; "" once it was deleted.
    text: str
    #: By the scheme's fields; None where `reason` says why, or where it waits.
    values: Mapping[str, Any] | None = None
    reason: str = ""
    #: What people changed, by field.
    corrected: Mapping[str, Any] = field(default_factory=dict)
    #: Who changed it last, and when.
    corrected_by: str = ""
    corrected_at: float = 0.0
    #: Which admin agreed to its being an example; "" as long as none did.
    agreed_by: str = ""
    #: Whether it is sorted by itself; then, whether people have been shown how.
    auto: bool = False
    shown: bool = False
    #: The platform's ids of the messages whose words `text` holds, besides `message`.
    #: Only told when a case is opened: it is forgotten with any of them.
    messages: tuple[str, ...] = field(default=(), compare=False)

    @property
    def current(self) -> Mapping[str, Any]:
        """Its values as people see them."""
        return {**(self.values or {}), **self.corrected}
