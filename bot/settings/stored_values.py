"""Reads values of options that were stored. Pure.

Rule: what stands in a database need not be what was written there. A value that our
code could not work with is as if it was never set, but for a limit, which then lets
nothing through; whoever reads rows logs that.
"""

from datetime import date
from functools import lru_cache

from bot.errors import ThreadkeepError
from bot.settings.options import BY_NAME

# The options whose values are read as numbers or JSON where they are used. Of all
# others any text can be used, though it may mean nothing.
_PARSED = {
    *("max_tokens", "temperature", "stop_sequences", "ping"),
    *("budget_day", "budget_month", "person_messages", "person_usd"),
    "triage_budget",
}

# Of those, what limits money or questions: a limit that cannot be read is no reason to
# let everything through.
_LIMITS = _PARSED - {"max_tokens", "temperature", "stop_sequences", "ping"}

# Ids of versions count rows.
_ID_DIGITS = 18


@lru_cache(maxsize=1024)
def usable(name: str, value: str) -> str | None:
    """The value of option `name` that was stored as `value`; None if it cannot be
    used."""
    option = BY_NAME.get(name)
    if option is None:
        return value
    if option.versioned:
        numbered = value.isascii() and value.isdecimal() and len(value) <= _ID_DIGITS
        return value if numbered else None
    if name not in _PARSED or value == option.default:
        return value
    try:
        return option.read(value, date.min)
    except (ThreadkeepError, ValueError, RecursionError):
        return "0" if name in _LIMITS else None
