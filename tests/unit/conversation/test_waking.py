"""A summary of a thread that wakes is made where it pays, at the models' prices."""

import itertools
from collections.abc import Sequence

import pytest

from bot.claude.catalog import CHEAP_MODEL
from bot.conversation import waking

#: 15 March 2027.
AT = 1_805_068_800.0
#: Pauses in seconds: of people who answer each other, and of such as write daily.
QUICK = (120.0,) * 11
DAYS = (50_000.0,) * 11


def times(*pauses: float) -> list[float]:
    return list(itertools.accumulate((*pauses, 50_000.0), initial=AT))


def pays(
    tokens: int,
    pauses: Sequence[float] = QUICK,
    model: str = "claude-sonnet-5-5",
    cheap: str = CHEAP_MODEL,
) -> bool:
    return waking.pays(
        model=model,
        cheap=cheap,
        tokens=tokens,
        mark=60_000,
        times=times(*pauses),
        at=AT,
    )


@pytest.mark.parametrize(
    "model", ["claude-sonnet-5-5", "claude-opus-5-5", "claude-sonnet-4-6"]
)
def test_it_pays_from_some_thousand_tokens_on(model: str) -> None:
    assert not pays(4_000, model=model)
    assert pays(9_000, model=model)
    assert pays(9_000, DAYS, model=model)


def test_it_pays_later_where_the_summary_is_as_dear_as_the_thread() -> None:
    """A thread of the cheapest model, and one whose account has only its own."""
    assert not pays(9_000, model=CHEAP_MODEL)
    assert pays(60_000, model=CHEAP_MODEL)
    assert not pays(9_000, cheap="claude-sonnet-5-5")


def test_of_a_model_without_a_known_price_nothing_is_known_to_pay() -> None:
    assert not pays(50_000, model="claude-unheard-of")
    assert not pays(50_000, cheap="claude-unheard-of")
