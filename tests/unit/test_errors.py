"""What errors carry."""

import math

import pytest

from bot.errors import MOST_WAIT, ModelBusy, Throttled


@pytest.mark.parametrize(
    ("asked", "waited"),
    [
        (1.5, 1.5),
        (-1.0, 0.0),
        (1e20, MOST_WAIT),
        (math.inf, MOST_WAIT),
        (math.nan, 0.0),
    ],
)
def test_no_wait_is_endless(asked: float, waited: float) -> None:
    assert Throttled("429", asked).retry_after == waited


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (None, "in a minute"),
        (60.0, "in a minute"),
        (61.0, "in 2 minutes"),
        (5_400.0, "in 90 minutes"),
        (86_400.0, "in 24 hours"),
    ],
)
def test_people_are_told_how_long_claude_is_busy(
    asked: float | None, told: str
) -> None:
    assert told in ModelBusy("429", asked).user_text
