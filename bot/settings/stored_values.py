"""Validates stored values of options. Pure.

Rule: a database may contain values that this version did not write. An unusable value
counts as not set, except for a limit, which then allows nothing. The caller logs it.
"""

from datetime import date
from functools import lru_cache

from bot.errors import ThreadkeepError
from bot.settings.options import BY_NAME

# The options whose values are parsed as numbers or JSON where they are used. For all
# other options any text can be used.
_PARSED = {
    *("max_tokens", "temperature", "stop_sequences", "ping"),
    *("budget_day", "budget_month", "person_messages", "person_usd"),
    *("triage_budget", "file_price", "attach_lines"),
}

# The options whose values had other names.
_RENAMED = {"follow"}

# The limits of money or questions among the parsed options: an invalid limit must not
# allow everything.
_LIMITS = _PARSED - {
    *("max_tokens", "temperature", "stop_sequences", "ping", "attach_lines")
}

# The most digits of a version id, which is a row number.
_ID_DIGITS = 18


@lru_cache(maxsize=1024)
def usable(name: str, value: str) -> str | None:
    """Return the value of option `name` that was stored as `value`, or None if it
    cannot be used."""
    option = BY_NAME.get(name)
    if option is None:
        return value
    if option.versioned:
        numbered = value.isascii() and value.isdecimal() and len(value) <= _ID_DIGITS
        return value if numbered else None
    if name not in _PARSED | _RENAMED or value == option.default:
        return value
    try:
        return option.read(value, date.min)
    except (ThreadkeepError, ValueError, RecursionError):
        return "0" if name in _LIMITS else None
