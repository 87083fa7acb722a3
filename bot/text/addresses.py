"""Validates addresses in the operator's configuration. Never quotes one. Pure."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from bot.messages import config as messages
from bot.text.numbers import number
from bot.text.redaction import quote

HTTP = ("http", "https")
WEBSOCKET = ("ws", "wss")

_LISTENING = re.compile(r"(?P<host>\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+):(?P<port>[0-9]+)")


@dataclass(frozen=True, slots=True)
class Listening:
    """The host and port that a server listens on; port 0 means any free port."""

    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


def listening(written: str) -> Listening | None:
    """Parse a host and port such as 127.0.0.1:8080 or [::1]:8080.

    Return None for anything else.
    """
    match = _LISTENING.fullmatch(written)
    port = number(match["port"]) if match else None
    if match is None or port is None or port > 65_535:
        return None
    return Listening(match["host"].strip("[]"), port)


def problem(name: str, value: str, schemes: tuple[str, ...] = HTTP) -> str:
    """Return why the address `value` of variable `name` is invalid, or ""."""
    kinds = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(value)
        # Accessing the port parses it.
        fits = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if fits and value.isprintable() and " " not in value:
        return ""
    return messages.not_a_url(variable=name, schemes=kinds, written=quote(value))
