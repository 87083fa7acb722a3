"""Judges the addresses that operators set. Pure; what is in one is never said."""

from urllib.parse import urlsplit

from bot.text.redaction import quoted

HTTP = ("http", "https")
WEBSOCKET = ("ws", "wss")


def problem(name: str, value: str, schemes: tuple[str, ...] = HTTP) -> str:
    """Return what is wrong with the address `value` in variable `name`; "" if nothing
    is."""
    kinds = " or ".join(f"{scheme}://" for scheme in schemes)
    try:
        parts = urlsplit(value)
        # Asking for the port reads it.
        fits = parts.scheme in schemes and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if fits and value.isprintable() and " " not in value:
        return ""
    return f"{name} must be a URL that begins with {kinds}, not {quoted(value)}."
