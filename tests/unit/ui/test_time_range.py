"""Starts and ends of time ranges, as people write them."""

import pytest

from bot.errors import ConfigError
from bot.ui import time_range

#: Noon of Thursday, 26 November 2026.
NOON = 1_795_694_400.0


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("today", 12),
        ("yesterday", 36),
        ("thursday", 12),
        ("Monday", 12 + 72),
        ("friday", 12 + 144),
        ("12h", 12),
        ("3d", 72),
        ("3 days", 72),
        ("1 hour", 1),
        ("2w", 14 * 24),
        ("2026-11-25", 36),
        ("2026-11-26T11:00", 1),
        ("2026-11-26T12:00+02:00", 2),
    ],
)
def test_a_range_begins_on_a_day_or_an_age_ago(text: str, hours: float) -> None:
    assert NOON - time_range.since(text, NOON) == hours * 3600


@pytest.mark.parametrize(
    "text", ["tomorrow", "", "7", "2026-13-01", "-3d", "7y", "0001-01-01T00+14:00"]
)
def test_it_begins_at_nothing_else(text: str) -> None:
    with pytest.raises(ConfigError, match="--since must be a day"):
        time_range.since(text, NOON)


@pytest.mark.parametrize(
    ("text", "hours"),
    [
        ("12h", 12),
        (" 90D ", 90 * 24),
        ("2026-11-27", 12),
        ("2026-11-26T13:00", 1),
        ("2026-11-26T12:00-02:00", 2),
    ],
)
def test_a_range_ends_on_a_day_or_after_a_time(text: str, hours: float) -> None:
    assert time_range.end(text, NOON) - NOON == hours * 3600


@pytest.mark.parametrize(
    "text", ["", "7", "tomorrow", "2026-13-01", "-3d", "7y", "9999-12-31T23-14:00"]
)
def test_it_ends_at_nothing_else(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        time_range.end(text, NOON)
