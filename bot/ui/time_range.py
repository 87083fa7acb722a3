"""Parse `--since`: a date or an age."""

import re
from datetime import UTC, date, datetime, timedelta

from bot.errors import ConfigError
from bot.text.redaction import quoted

_UNITS = {"h": 3600.0, "d": 86400.0}
_SPAN = re.compile(r"([0-9]{1,5})([dh])")


def since(text: str, now: float) -> float:
    """When `text`, a day such as 2026-11-01 (UTC) or a span such as 7d or 12h back
    from `now`, begins; in seconds since 1970. Raises ConfigError."""
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


#: How far back `--since` goes when nobody says.
MONTH = f"{timedelta(days=30).days}d"
