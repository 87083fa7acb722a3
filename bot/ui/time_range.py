"""Parses the start or end of a time range: a day, a weekday or an age. Pure."""

import re
from datetime import UTC, datetime, timedelta

from bot.errors import ConfigError
from bot.messages import config as messages
from bot.text.redaction import quote

#: The default of `--since`.
MONTH = "30d"

_UNITS = {"h": 3600.0, "d": 86400.0, "w": 604800.0}
_AGE = re.compile(r"([0-9]{1,5}) ?(h|hours?|d|days?|w|weeks?)")
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


def start(text: str, now: float) -> float:
    """Return the start of the time range `text`, in seconds since 1970.

    `text` is a day such as "2026-11-01", perhaps with a time of day; "today",
    "yesterday", or the last "monday" (today, on a Monday); or an age such as "7d",
    "12h" or "2 weeks" before `now`. All are in UTC. Raises ValueError for anything
    else.
    """
    word = text.strip().lower()
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
    return _moment(text.strip())


def end(text: str, now: float) -> float:
    """Return the end of a time range that begins at `now`, in seconds since 1970.

    `text` is a day such as "2027-01-31" in UTC, perhaps with a time of day, or a
    duration such as "90d" or "12h". Raises ValueError for anything else.
    """
    word = text.strip().lower()
    if age := _AGE.fullmatch(word):
        return now + _seconds(age)
    return _moment(text.strip())


def _seconds(age: re.Match[str]) -> float:
    return int(age[1]) * _UNITS[age[2][0]]


def _moment(text: str) -> float:
    moment = datetime.fromisoformat(text)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC).timestamp()
    except OverflowError:
        # A moment of the year 1 or 9999 in another time zone.
        raise ValueError(text) from None


def since(text: str, now: float) -> float:
    """Return the start of the range that `--since` names.

    Raises ConfigError if `text` is not a start.
    """
    try:
        return start(text, now)
    except ValueError:
        raise ConfigError(messages.not_a_start(written=quote(text))) from None
