"""The lifetime of the prompt cache follows the rhythm of a thread."""

import itertools

from bot.context.cache_lifetime import lifetime

MINUTE, QUARTER, DAY = 60.0, 900.0, 86_400.0


def times(*pauses: float) -> list[float]:
    return list(itertools.accumulate(pauses, initial=1_000.0))


def test_the_cheapest_lifetime_is_chosen() -> None:
    # A new thread, and those in which people answer within the hour.
    assert lifetime([]) == lifetime(times(QUARTER)) == "1h"
    assert lifetime(times(*[MINUTE, QUARTER] * 5)) == "1h"
    assert lifetime(times(*[MINUTE] * 11)) == "1h"
    # Bursts of questions with days between them: an hour would save no write.
    assert lifetime(times(*[MINUTE, MINUTE, DAY] * 4)) == "5m"
    # Each question comes too late.
    assert lifetime(times(*[DAY] * 11)) is None
    # A single pause decides nothing.
    assert lifetime(times(DAY)) == "1h"
