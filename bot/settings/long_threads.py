"""The values of `long_threads`: how a thread is handled that exceeds its mark. Pure."""

from datetime import date

from bot.messages import options as messages
from bot.settings import parsers
from bot.ui.elements import Choice

SUMMARISE, COMPACT, STOP = "summarise", "compact", "stop"

#: The values under which older messages are replaced.
REPLACING = (SUMMARISE, COMPACT)
_ABOUT = {
    SUMMARISE: messages.LONG_THREADS_SUMMARISE,
    COMPACT: messages.LONG_THREADS_COMPACT,
    STOP: messages.LONG_THREADS_STOP,
}

#: The default mark in tokens, and its bounds: below 8,000 a summary saves nothing, and
#: above 90,000 the cheapest model costs five times as much (Claude facts 3.4).
MARK, LEAST_MARK, MOST_MARK = 60_000, 8_000, 90_000

#: Parses a value.
read = parsers.with_former_names(
    parsers.one_of(*_ABOUT),
    {f"{value}, {about}".lower(): value for value, about in _ABOUT.items()},
)


def choices(today: date) -> tuple[Choice, ...]:
    """Return the choices of a form."""
    return tuple(Choice(value, value, about) for value, about in _ABOUT.items())


def format_value(value: str) -> str:
    """Format a canonical value."""
    return f"{value}, {_ABOUT.get(value, '')}".strip(", ")
