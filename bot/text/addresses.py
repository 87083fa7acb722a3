"""Validation of addresses in the operator's configuration. Pure; never quotes one."""

from urllib.parse import urlsplit

from bot.messages import config as messages
from bot.text.redaction import quoted

HTTP = ("http", "https")
WEBSOCKET = ("ws", "wss")


def problem(name: str, value: str, schemes: tuple[str, ...] = HTTP) -> str:
    """Return what is wrong with the address `value` of variable `name`, or ""."""
    kinds = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(value)
        # Accessing the port parses it.
        fits = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if fits and value.isprintable() and " " not in value:
        return ""
    return messages.not_a_url(variable=name, schemes=kinds, written=quoted(value))
