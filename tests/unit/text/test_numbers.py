"""Numbers with the separators of any country."""

import pytest

from bot.text.numbers import plain_number, western


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("5", "5"),
        ("-5", "-5"),
        ("12.50", "12.50"),
        ("1,000", "1000"),
        ("1,000,000.50", "1000000.50"),
        ("1_000", "1000"),
        ("1'000", "1000"),
        ("1\u00a0000", "1000"),
        ("5 000,50", "5000.50"),
        ("1.000,50", "1000.50"),
        ("1.000.000", "1000000"),
        ("5,50", "5.50"),
        ("0,005", "0.005"),
        (",5", ".5"),
        # Nothing says what these mean.
        ("1,00,000", "1,00,000"),
        ("1,000,50", "1,000,50"),
        ("1 000_000", "1 000_000"),
        ("5,50 USD", "5,50 USD"),
        ("x", "x"),
        ("", ""),
    ],
)
def test_separators_are_left_out(text: str, plain: str) -> None:
    assert plain_number(text) == plain


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("＄５．５０", "$5.50"),
        ("٥٫٥٠", "5.50"),
        ("१२", "12"),
        ("5\u200b", "5"),
        ("\u22125", "-5"),
        ("5 é", "5 é"),
    ],
)
def test_digits_of_every_script_count(text: str, plain: str) -> None:
    assert western(text) == plain
