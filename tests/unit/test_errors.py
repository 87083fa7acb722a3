"""What errors carry."""

import math

import pytest

from bot.errors import MOST_WAIT, Throttled


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
