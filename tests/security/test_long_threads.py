"""Reading the newest messages of a thread takes few calls, whatever its length and
rhythm."""

import bisect
import random
import statistics
from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from adapters.slack import capped
from adapters.slack.newest import Page, newest
from bot.errors import Throttled
from tests.support.deep import deep_only, rounds

MOST = 500
PAGE = 999


class Thread:
    """A thread as Slack pages it: from the oldest of a window on (facts A5.2)."""

    def __init__(
        self, times: Sequence[float], *, page: int = PAGE, allowed: int = 10_000
    ) -> None:
        self.times = sorted(times)
        self.page = page
        self.allowed = allowed
        self.calls = 0

    async def read(
        self, oldest: float | None, latest: float | None, cursor: str
    ) -> Page[str]:
        self.calls += 1
        if self.calls > self.allowed:
            raise Throttled("conversations.replies: ratelimited", 60.0)
        root, *replies = self.times
        low = 0.0 if oldest is None else round(oldest, 6)
        high = float("inf") if latest is None else round(latest, 6)
        begin = bisect.bisect_left(replies, low)
        end = bisect.bisect_right(replies, high)
        start = begin + (int(cursor) if cursor else 0)
        stop = min(end, start + self.page - 1)
        shown = [root, *replies[start:stop]]
        return Page(
            [(at, f"{at:.6f}") for at in shown],
            str(stop - begin) if stop < end else "",
            len(replies),
            replies[-1] if replies else 0.0,
        )

    def end(self, most: int, before: float | None) -> list[str]:
        said = [at for at in self.times if before is None or at < before]
        return [f"{at:.6f}" for at in said[-most:]]


def rhythm(kind: str, count: int, chance: random.Random) -> list[float]:
    """Return the times of a thread of `count` messages over about a year."""
    year = 365 * 86_400.0
    match kind:
        case "even":
            times = [year * n / count for n in range(count)]
        case "random":
            times = [chance.random() * year for _ in range(count)]
        case "early":
            times = [year * chance.random() ** 9 for _ in range(count)]
        case "late":
            times = [year * (1 - chance.random() ** 9) for _ in range(count)]
        case "bursts":
            starts = [chance.random() * year for _ in range(12)]
            times = [chance.choice(starts) + chance.random() * 60 for _ in range(count)]
        case "one burst and a word":
            times = [*(chance.random() * 60 for _ in range(count - 1)), year]
        case _:
            times = [n * 0.000_002 for n in range(count)]
    unique = {round(1.79e9 + at, 6) for at in times}
    return sorted(unique)


KINDS = ("even", "random", "early", "late", "bursts", "one burst and a word", "dense")


@pytest.mark.parametrize("kind", KINDS)
async def test_the_newest_are_found_in_few_calls(kind: str) -> None:
    for count in (1, 2, 499, 501, 998, 1_000, 1_500, rounds(3_000, 10_000)):
        for seed in range(rounds(1, 40)):
            thread = Thread(rhythm(kind, count, random.Random(seed)))
            before = thread.times[-1] if count > 1 else None
            assert await newest(thread.read, MOST, before) == thread.end(
                MOST, before
            ), count
            # Ten would read all of it.
            assert thread.calls <= min(9, 1 + count // 500), count


async def test_ten_thousand_take_as_many_calls_as_five_hundred_fill() -> None:
    thread = Thread(rhythm("random", 10_000, random.Random(1)))
    assert await newest(thread.read, MOST) == thread.end(MOST, None)
    assert thread.calls <= 3


@settings(max_examples=rounds(15, 3_000), deadline=None)
@given(
    times=st.sets(st.integers(0, 10**13), min_size=1, max_size=400),
    page=st.integers(2, 60),
    most=st.integers(1, 50),
    cut=st.one_of(st.none(), st.integers(0, 10**13)),
)
@example(times={0, 1}, page=2, most=1, cut=None)
@example(times={*range(13)}, page=4, most=3, cut=None)
async def test_whatever_the_thread_the_right_ones_are_found(
    times: set[int], page: int, most: int, cut: int | None
) -> None:
    thread = Thread([1e9 + at / 1e6 for at in times], page=page)
    before = None if cut is None else 1e9 + cut / 1e6
    if before is not None and before <= thread.times[0]:
        return
    found = await newest(thread.read, most, before)
    wanted = thread.end(most, before)
    # Pages much smaller than what is wanted may end the search a little early.
    assert found == wanted[-len(found) :]
    assert len(found) == len(wanted)
    assert thread.calls <= 15 + len(times)


async def test_what_slack_cuts_short_is_the_end_or_else_the_beginning() -> None:
    times = rhythm("random", 10_000, random.Random(1))
    beginning = await newest(Thread(times, allowed=1).read, MOST)
    assert beginning == [f"{at:.6f}" for at in times[:PAGE]][-MOST:]
    capped = Thread(times, page=15, allowed=1)
    assert await newest(capped.read, MOST) == [f"{at:.6f}" for at in times[:15]]
    with pytest.raises(Throttled):
        await newest(Thread(times, allowed=0).read, MOST)


@pytest.mark.parametrize("count", [60, 1_500, *deep_only(200, 10_000)])
@pytest.mark.parametrize("kind", ["even", "random", "dense"])
async def test_a_capped_app_finds_the_newest_with_two_pages(
    kind: str, count: int
) -> None:
    sizes = []
    for seed in range(rounds(5, 100)):
        thread = Thread(rhythm(kind, count, random.Random(seed)), page=15, allowed=3)
        before = thread.times[-1]
        first = await thread.read(None, before, "")
        assert capped.is_capped(first)
        assert capped.has_many_pages(first)
        found = await capped.near_end(thread.read, first, before)
        assert found == thread.end(len(found), before)
        sizes.append(len(found))
    # By chance a window before a long pause may hold a single message.
    assert min(sizes) >= 1
    assert statistics.median(sizes) >= capped.ENOUGH


@pytest.mark.parametrize("kind", KINDS)
async def test_a_capped_app_that_may_go_on_finds_the_newest(kind: str) -> None:
    found_all = 0
    for seed in range(count := rounds(5, 20)):
        thread = Thread(rhythm(kind, 1_500, random.Random(seed)), page=15)
        before = thread.times[-1]
        first = await thread.read(None, before, "")
        found = await capped.near_end(thread.read, first, before)
        found_all += bool(found) and found == thread.end(len(found), before)
        assert thread.calls <= 1 + capped.MOST_TRIES
    assert found_all >= 0.9 * count


@settings(max_examples=rounds(15, 3_000), deadline=None)
@given(
    times=st.sets(st.integers(0, 10**13), min_size=60, max_size=rounds(150, 400)),
    allowed=st.integers(1, 12),
)
async def test_what_a_capped_app_finds_follows_the_first_page_without_a_gap(
    times: set[int], allowed: int
) -> None:
    thread = Thread([1e9 + at / 1e6 for at in times], page=15, allowed=allowed)
    before = thread.times[-1]
    first = await thread.read(None, before, "")
    found = await capped.near_end(thread.read, first, before)
    every = thread.end(len(times), before)
    begin = every.index(found[0]) if found else len(every)
    assert begin >= len(first.messages) - 1
    assert found == every[begin : begin + len(found)]
