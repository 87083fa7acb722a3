"""One call of the Web API: what was asked, and what became of it.

Rule: arguments are read the way Slack reads them, from the query, a form or JSON,
where a flag may be `true`, "true" or "1" and a list may be JSON in a string (A5).
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.slack.blocks import Json


class Refused(Exception):
    """The method says no: `{"ok": false, "error": …}` with HTTP 200 (A5)."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.answer: Json = {"ok": False, "error": error, **more}


@dataclass(slots=True)
class Call:
    """An entry of the log of calls."""

    method: str
    #: As sent, the token left out.
    arguments: Json
    #: When it came, by the emulator's clock.
    at: float
    #: "pending", then "ok", Slack's error, "HTTP 503" or "cut".
    outcome: str = "pending"
    #: The process that made it, from its address behind `/by/`; "" if unknown.
    by: str = ""
    #: The token it came with; never logged.
    token: str = field(default="", repr=False)
    #: The app's id and secret, as HTTP sends them; never logged.
    credentials: str = field(default="", repr=False)

    def value(self, name: str) -> Any:
        """Argument `name`, decoded if it came as JSON in a string."""
        value = self.arguments.get(name)
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                return json.loads(value)
            except ValueError:
                raise Refused("invalid_arguments") from None
        return value

    def text(self, name: str, default: str = "") -> str:
        """Argument `name` as a string; a missing one is `default`."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Argument `name` as yes or no."""
        return self.text(name).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        """Argument `name` as a whole number."""
        text = self.text(name, str(default))
        if not text.isdecimal():
            raise Refused("invalid_arguments")
        return int(text)
