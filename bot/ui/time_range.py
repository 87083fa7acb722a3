"""The beginning of a time range: a date or an age."""

import re
from datetime import UTC, date, datetime, timedelta

from bot.errors import ConfigError
from bot.text.redaction import quoted

_UNITS = {"h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"([0-9]{1,5})([dh])")


def since(text: str, now: float) -> float:
    """Return the beginning of the range that `text` gives, in seconds since 1970: a
    date such as 2026-11-01 (UTC), or an age such as 7d or 12h before `now`. Raises
    ConfigError."""
    if span := _SPAN.fullmatch(text):
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            f"--since is a day such as 2026-11-01, or a span such as 7d or 12h, "
            f"not {quoted(text)}."
        ) from None
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


#: The default of `--since`.
MONTH = f"{timedelta(days=30).days}d"
