"""Amounts, dates and numbers, as people read them."""

from datetime import UTC, datetime

import pytest

from bot.messages import plurals
from bot.text import times
from bot.ui import formatting


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "$0.00"),
        (1234.5, "$1,234.50"),
        (0.5, "$0.50"),
        (0.0123, "$0.0123"),
        (0.0000421, "$0.000042"),
        (0.0000000001, "$0.000001"),
    ],
)
def test_an_amount_is_told_from_nothing(amount: float, text: str) -> None:
    assert formatting.usd(amount) == text


def test_a_bar_says_how_much_and_warns_only_near_the_end() -> None:
    assert formatting.bar(0.38) == "▰▰▱▱▱ 38 %"
    assert formatting.bar(0) == "▱▱▱▱▱ 0 %"
    assert formatting.bar(0.0001) == "▱▱▱▱▱ < 1 %"
    assert formatting.bar(0.999) == "▰▰▰▰▱ 99 %"
    assert formatting.bar(1.5) == "▰▰▰▰▰ 150 %"
    assert formatting.gauge(0.94) == formatting.bar(0.94)
    assert formatting.gauge(0.95) == "⚠️ ▰▰▰▰▱ 95 %"


def test_a_day_and_a_minute_are_in_utc() -> None:
    at = datetime(2026, 3, 5, 9, 7, tzinfo=UTC).timestamp()
    assert times.day(at) == "5 Mar 2026"
    assert times.minute(at) == "5 Mar 2026, 09:07 UTC"
    assert times.without_year(at) == "05 Mar 09:07"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 answers"), (1, "1 answer"), (1234, "1,234 answers")]
)
def test_a_noun_stands_in_the_form_for_its_number(number: int, text: str) -> None:
    assert plurals.ANSWERS(number) == text
