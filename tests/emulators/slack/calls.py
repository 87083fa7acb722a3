"""A call of the Web API and its outcome.

Rule: arguments are read as Slack reads them, from the query, a form or JSON. A flag may
be `true`, "true" or "1", and a list may be JSON in a string (A5).
"""

import json
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.slack.blocks import Json


class Refused(Exception):
    """A refusal by a method: `{"ok": false, "error": …}` with HTTP 200 (A5)."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.answer: Json = {"ok": False, "error": error, **more}


@dataclass(slots=True)
class Call:
    """An entry in the log of calls."""

    method: str
    #: The arguments as sent, without the token.
    arguments: Json
    #: The time of the call, by the emulator's clock.
    at: float
    #: "pending", then "ok", Slack's error, "HTTP 503" or "cut".
    outcome: str = "pending"
    #: The process that made the call, from `/by/NAME` in its URL; "" if unknown.
    by: str = ""
    #: The token of the call; never logged.
    token: str = field(default="", repr=False)
    #: The app's id and secret, encoded for HTTP Basic; never logged.
    credentials: str = field(default="", repr=False)

    def value(self, name: str) -> Any:
        """Return argument `name`, decoded if it is JSON in a string."""
        value = self.arguments.get(name)
        if isinstance(value, str) and value[:1] in ("[", "{"):
            try:
                return json.loads(value)
            except ValueError:
                raise Refused("invalid_arguments") from None
        return value

    def text(self, name: str, default: str = "") -> str:
        """Return argument `name` as a string, or `default` if it is missing."""
        value = self.arguments.get(name)
        return default if value is None else str(value)

    def flag(self, name: str) -> bool:
        """Return argument `name` as a bool."""
        return self.text(name).lower() in ("true", "1")

    def number(self, name: str, default: int) -> int:
        """Return argument `name` as an integer, or `default` if it is missing."""
        text = self.text(name, str(default))
        if not text.isdecimal():
            raise Refused("invalid_arguments")
        return int(text)
