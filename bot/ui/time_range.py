"""Parse the start of a time range: a day, a weekday or an age. Pure."""

import re
from datetime import UTC, datetime, timedelta

from bot.errors import ConfigError
from bot.messages import config as messages
from bot.text.redaction import quoted

#: The default of `--since`.
MONTH = "30d"

_UNITS = {"h": 3600.0, "d": 86400.0}
_AGE = re.compile(r"([0-9]{1,5})([dh])")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def start(text: str, now: float) -> float:
    """Return when the range that `text` names begins, in seconds since 1970.

    It is a day such as "2026-11-01" or with a time of day, "today", "yesterday", the
    last "monday" (today, on a Monday), or an age such as "7d" or "12h" before `now`;
    all in UTC. Raises ValueError.
    """
    word = text.lower()
    today = datetime.fromtimestamp(now, UTC).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    if word in _DAYS:
        back = (today.weekday() - _DAYS.index(word)) % 7
        return (today - timedelta(days=back)).timestamp()
    if word in ("today", "yesterday"):
        return (today - timedelta(days=word == "yesterday")).timestamp()
    if age := _AGE.fullmatch(word):
        return now - _seconds(age)
    return _moment(text)


def end(text: str, now: float) -> float:
    """Return when what begins at `now` ends: on a day such as "2027-01-31", perhaps
    with a time of day, in UTC, or after a time such as "90d" or "12h". Raises
    ValueError."""
    word = text.strip().lower()
    if age := _AGE.fullmatch(word):
        return now + _seconds(age)
    return _moment(text.strip())


def _seconds(age: re.Match[str]) -> float:
    return int(age[1]) * _UNITS[age[2]]


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def since(text: str, now: float) -> float:
    """Return the start of the range that `--since` names. Raises ConfigError."""
    try:
        return start(text, now)
    except ValueError:
        raise ConfigError(messages.not_a_start(written=quoted(text))) from None
