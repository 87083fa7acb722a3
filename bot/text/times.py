"""Times as text, for people whose time zone is unknown, or is that of this machine."""

from datetime import UTC, datetime, tzinfo


def day(at: float, zone: tzinfo | None = UTC) -> str:
    """Format the day of `at`, in seconds since 1970; None is the zone of this
    machine."""
    return f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%d %b %Y}".lstrip("0")


def minute(at: float, zone: tzinfo | None = UTC) -> str:
    """Format `at` to the minute, with the name of the zone."""
    local = datetime.fromtimestamp(at, UTC).astimezone(zone)
    return f"{local:%d %b %Y, %H:%M %Z}".lstrip("0")
