"""Formats times in UTC, in a given time zone, or in the time zone of this machine."""

from datetime import UTC, datetime, tzinfo

from bot.messages import dates


def day(at: float, zone: tzinfo | None = UTC) -> str:
    """Format the day of `at`, in seconds since 1970: "28 Nov 2026".

    A `zone` of None is the time zone of this machine.
    """
    return _day(_local(at, zone))


def minute(at: float, zone: tzinfo | None = UTC) -> str:
    """Format `at` to the minute: "28 Nov 2026, 10:00 UTC"."""
    local = _local(at, zone)
    return dates.minute(day=_day(local), time=f"{local:%H:%M %Z}")


def without_year(at: float, zone: tzinfo | None = UTC) -> str:
    """Format `at` to the minute, without year and zone: "28 Nov 10:00"."""
    local = _local(at, zone)
    return dates.without_year(day=local.day, month=_month(local), time=f"{local:%H:%M}")


def _local(at: float, zone: tzinfo | None) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(zone)


def _day(time: datetime) -> str:
    return dates.day(day=time.day, month=_month(time), year=time.year)


def _month(time: datetime) -> str:
    return dates.MONTHS[time.month - 1]
