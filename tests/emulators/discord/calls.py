"""A call of the REST API: what came, and what became of it."""

from dataclasses import dataclass
from typing import Any

from tests.emulators.discord.model import Request


@dataclass(slots=True)
class Call:
    """An entry of the log of calls."""

    request: Request
    #: When it came, by the emulator's clock.
    at: float
    #: The process that made it, from its address behind `/by/`; "" if unknown.
    by: str = ""
    #: 0 while it is not answered, or if the connection was cut.
    status: int = 0
    #: Discord's own error code (B4); 0 if there is none.
    code: int = 0

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        """Behind `/api/v10`, for example "/channels/7/messages"."""
        return self.request.path

    @property
    def body(self) -> Any:
        return self.request.body

    def text(self) -> str:
        """Return the content of the message that it posts or edits; "" if none."""
        body = self.body if isinstance(self.body, dict) else {}
        body = body.get("data") or body
        return str(body.get("content") or "")
