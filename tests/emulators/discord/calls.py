"""A call of the REST API and its outcome."""

from dataclasses import dataclass
from typing import Any

from tests.emulators.discord.model import Request


@dataclass(slots=True)
class Call:
    """An entry in the log of calls."""

    request: Request
    #: The time of the call, by the emulator's clock.
    at: float
    #: The process that made the call, from `/by/NAME` in its URL; "" if unknown.
    by: str = ""
    #: The HTTP status; 0 while it is not answered, or if the connection was cut.
    status: int = 0
    #: Discord's own error code (B4); 0 if there is none.
    code: int = 0

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def path(self) -> str:
        """The path after `/api/v10`, for example "/channels/7/messages"."""
        return self.request.path

    @property
    def body(self) -> Any:
        return self.request.body

    def text(self) -> str:
        """Return the content of the message that the call posts or edits, or ""."""
        body = self.body if isinstance(self.body, dict) else {}
        body = body.get("data") or body
        return str(body.get("content") or "")
