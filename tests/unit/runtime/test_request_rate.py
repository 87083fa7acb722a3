"""Requests a minute."""

from hypothesis import given
from hypothesis import strategies as st

from bot.runtime.request_rate import MINUTE, RequestRate


def test_a_minute_s_requests_may_come_at_once() -> None:
    rate = RequestRate(10)
    assert [rate.take("a", 3, 100.0) for _ in range(3)] == [0, 0, 0]
    assert rate.take("a", 3, 100.0) == MINUTE / 3
    assert rate.take("b", 3, 100.0) == 0
    assert rate.take("a", 3, 100.0 + MINUTE / 3) == 0
    assert rate.take("a", 3, 100.0 + MINUTE / 3) > 0


def test_looking_counts_nothing() -> None:
    rate = RequestRate(10)
    for _ in range(9):
        assert rate.wait("a", 1, 5.0) == 0
    rate.take("a", 1, 5.0)
    assert rate.wait("a", 1, 5.0) == MINUTE


@given(st.integers(1, 100), st.lists(st.floats(0, 5), min_size=1, max_size=300))
def test_no_minute_has_more_than_twice_the_rate(rate: int, steps: list[float]) -> None:
    limit, now, taken = RequestRate(10), 1e6, list[float]()
    for step in steps:
        now += step
        wait = limit.take("a", rate, now)
        assert 0 <= wait <= MINUTE
        if not wait:
            taken.append(now)
    for at in taken:
        # A full minute may be left over, and one more is refilled.
        assert sum(at <= each < at + MINUTE for each in taken) <= 2 * rate


def test_callers_beyond_the_number_are_forgotten() -> None:
    limit = RequestRate(2)
    for caller in ("a", "b", "c"):
        assert limit.take(caller, 1, 0.0) == 0
    assert limit.take("c", 1, 0.0) > 0
    assert limit.take("a", 1, 0.0) == 0
