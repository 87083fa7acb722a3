"""The bounds with which benchmarks compare the product are correct."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache
from itertools import chain, combinations
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.adapter import LIMITS as DISCORD
from benchmarks import pacing, together, unknown
from benchmarks.bound import BOUNDS, LATE, first_sight, last_sight
from benchmarks.least import bound, times_of
from bot.domain.scope import ThreadKey
from tests.emulators.slack import rates
from tests.support.deep import deep_only, rounds
from tests.support.simulated_replies import Reply, Run, asker, others

METHODS_OF = {
    "P": "chat.postMessage",
    "E": "chat.update",
    "S": "chat.startStream",
    "A": "chat.appendStream",
    "C": "chat.stopStream",
}


@pytest.mark.parametrize(
    ("replies", "channels", "seconds"),
    [(1, 1, 6.0), (20, 1, 0.8), (20, 5, 6.0), (100, 5, 6.0), (100, 50, 6.0)],
)
def test_who_writes_as_soon_as_slack_lets_them_is_never_ahead_of_the_bound(
    replies: int, channels: int, seconds: float
) -> None:
    now = 0.0
    meter = rates.Meter(rates.RATES, lambda: now)
    posted: dict[int, float] = {}
    ended: dict[int, float] = {}
    streams: set[int] = set()
    while len(ended) < replies and now < 300:
        for reply in range(replies):
            room = f"C{reply % channels}"
            if reply not in posted:
                if not meter.admit("chat.postMessage", room):
                    posted[reply] = now
                elif not meter.admit("chat.startStream", room):
                    posted[reply] = now
                    streams.add(reply)
                # With text that is whole already, it is the end, too.
                if reply in posted and now >= seconds:
                    ended[reply] = now - seconds
            elif now < seconds or reply in ended:
                continue
            else:
                ways = ("stop", "append") if reply in streams else ()
                methods = ["chat.update", *(f"chat.{way}Stream" for way in ways)]
                # Any that is free, though no stream is edited: the bound allows it.
                if any(not meter.admit(method, room) for method in methods):
                    ended[reply] = now - seconds
        now += 0.1
    for seen, soonest in (
        (posted, first_sight(replies, channels)),
        (ended, last_sight(replies, channels, seconds)),
    ):
        assert len(seen) == replies
        assert sum(seen.values()) / replies >= soonest[0] - 0.01
        assert max(seen.values()) >= soonest[1] - 0.01
    # Of posts and starts the bound is what can be reached.
    assert max(posted.values()) <= first_sight(replies, channels)[1] + 1.2


# A small instance: the times at which an answer of a second may be written, and what is
# allowed then.
WRITES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0, 1.5, 2.0)
SCARCE = {
    "P": rates.Rate(60, burst=1),
    "E": rates.Rate(60, burst=2),
    "S": rates.Rate(60, burst=1),
    "A": rates.Rate(60, burst=1),
    "C": rates.Rate(60, burst=1),
}

Schedule = list[tuple[float, str]]


def schedules() -> Iterator[Schedule]:
    """Yield every way to write one answer to its end in the small instance."""
    for at, first in enumerate(WRITES):
        for edits in _ended(WRITES[at + 1 :], first >= 1.0):
            yield [(first, "P"), *((when, "E") for when in edits)]
        for stop in range(at + 1, len(WRITES)):
            for appends in _some(WRITES[at + 1 : stop]):
                for edits in _ended(WRITES[stop + 1 :], WRITES[stop] >= 1.0):
                    yield [
                        (first, "S"),
                        *((when, "A") for when in appends),
                        (WRITES[stop], "C"),
                        *((when, "E") for when in edits),
                    ]


def _some(times: Sequence[float]) -> Iterator[tuple[float, ...]]:
    return chain.from_iterable(
        combinations(times, count) for count in range(len(times) + 1)
    )


def _ended(times: Sequence[float], is_over: bool) -> Iterator[tuple[float, ...]]:
    """Edits up to the one that shows the end."""
    if is_over:
        yield ()
        return
    yield from (each for each in _some(times) if each and each[-1] >= 1.0)


def lag_of(schedule: Schedule) -> float:
    """Return the lag over all readers, in seconds squared."""
    times = times_of(1.0, 5)
    asker = others = total = 0.0
    for now, kind in schedule:
        total += times.lag(asker, now) / 2
        asker = now
        if kind != "A":
            total += times.lag(others, now) / 2
            others = now
    return total


def is_allowed(schedule: Schedule) -> bool:
    now = 0.0
    meter = rates.Meter({kind: (each,) for kind, each in SCARCE.items()}, lambda: now)
    admitted = []
    for when, kind in schedule:
        now = when
        admitted.append(meter.admit(kind, "C1") == 0)
    return all(admitted)


@cache
def best_lag() -> float:
    return min(lag_of(each) for each in schedules() if is_allowed(each))


CELLS = len(times_of(1.0, 5).edges)

prices = st.lists(st.floats(0.0, 0.3), min_size=CELLS, max_size=CELLS)


@given(st.fixed_dictionaries(dict.fromkeys("PESAC", prices)))
@settings(max_examples=20)
def test_whatever_the_prices_the_bound_is_true(
    found: dict[str, list[float]],
) -> None:
    assert bound(times_of(1.0, 5), found, 1, 1, SCARCE) <= best_lag() + 1e-9


def test_a_price_in_the_last_cell_which_has_no_end_proves_nothing() -> None:
    # As many as anybody likes may be written then.
    free = [0.1] * (CELLS - 1)
    low, high = (
        bound(times_of(1.0, 5), {"P": [*free, last], "E": [*free, last]}, 9, 1, SCARCE)
        for last in (0.0, 1e6)
    )
    assert low == high


def test_good_prices_prove_nearly_what_is_possible() -> None:
    flat = [
        {"E": [edit] * CELLS, "A": [append] * CELLS, "C": [stop] * CELLS}
        for edit in (0.0, 0.01, 0.02, 0.04)
        for append in (0.0, 0.01, 0.02)
        for stop in (0.0, 0.01, 0.02)
    ]
    proven = max(bound(times_of(1.0, 5), each, 1, 1, SCARCE) for each in flat)
    assert proven >= 0.5 * best_lag()


def test_we_are_behind_the_bound_for_unknown_lengths_whatever_the_prices() -> None:
    (scene,) = together.scenes()
    threads = pacing.keys("slack", scene.replies, scene.channels)
    tick = rounds(0.05, pacing.TICK)
    runs = [pacing.play("slack", threads, each, tick=tick) for each in scene.lengths]
    lags = [pacing.mean_lag(run) for run in runs]
    first = sum(pacing.first_words_of(run) for run in runs) / len(runs)
    # We do not know the lengths, either.
    assert 0.7 <= together.least_share(scene, lags, first) <= 1.0
    half = [replace(each, price=each.price / 2) for each in scene.spans]
    assert together.least_share(replace(scene, spans=half), lags, first) <= 1.0


@given(st.data())
@settings(max_examples=20)
def test_of_plans_for_unknown_lengths_none_is_better(data: st.DataObject) -> None:
    step, best = 0.5, unknown_plan(streams=data.draw(st.booleans()))
    lengths = [step * n for n in range(4, 51)]

    def mean(plan: unknown.Plan) -> float:
        likely = [1 / each for each in lengths]
        lags = [plan.lag(each) * p for each, p in zip(lengths, likely, strict=True)]
        return sum(lags) / sum(likely)

    assert mean(best) == pytest.approx(best.mean)
    assert all(best.lag(each) >= unknown.offline(each) for each in lengths)
    times = list(best.times)
    nth = data.draw(st.integers(0, len(times) - 1))
    times[nth:] = [each + step for each in times[nth:]]
    left = data.draw(st.integers(0, len(times)))
    del times[left : left + data.draw(st.integers(0, 2))]
    assert mean(replace(best, times=times)) >= best.mean - 1e-9


@cache
def unknown_plan(*, streams: bool) -> unknown.Plan:
    return unknown.online(step=0.5, streams=streams)


@pytest.mark.parametrize(
    ("replies", "most"),
    [(1, 2.0), *deep_only((5, 2.0), (20, 1.5), (50, 3.0), (100, 3.0))],
)
def test_the_scheduler_is_behind_the_bound_and_not_far(
    replies: int, most: float
) -> None:
    seconds = 6.25
    run = Run(
        [
            Reply(str(n), ThreadKey("slack", "T1", f"C{n % 5}", str(n)), 0.0, seconds)
            for n in range(replies)
        ],
        tick=0.02,
    ).play()
    lag = (run.lag(asker) + run.lag(others)) / 2
    first = sum(each.asker.times[0] for each in run.replies) / replies
    proven = BOUNDS["slack"].least(replies, min(replies, 5), seconds, first)
    assert proven <= lag <= most * proven
    # The later first words may come, the less is possible.
    later = BOUNDS["slack"].least(replies, min(replies, 5), seconds, LATE)
    assert 0 < later <= proven


@pytest.mark.parametrize("replies", [60, *deep_only(1, 10, 100)])
def test_on_discord_the_scheduler_is_behind_the_bound_and_not_far(replies: int) -> None:
    keys = [ThreadKey("discord", "G1", "C1", str(100 + n)) for n in range(replies)]
    run = Run(
        [Reply(k.thread, k, 0.0, 3.1, may_stream=False, limits=DISCORD) for k in keys],
        limits=DISCORD,
        tick=0.02,
    ).play()
    proven = BOUNDS["discord"].least(replies, replies, 3.1, LATE)
    assert proven <= run.lag(others) <= 1.8 * proven
    assert run.refused == 0


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("replies", [1, *deep_only(5)])
def test_no_chance_is_ahead_of_the_least(replies: int, seed: int) -> None:
    chance, seconds, now = Random(seed), 6.25, 0.0
    meter = rates.Meter(rates.RATES, lambda: now)
    seen = [[0.0, 0.0] for _ in range(replies)]
    modes, firsts, lag = [""] * replies, [0.0] * replies, 0.0
    times, eager = times_of(seconds), chance.uniform(0.02, 0.5)
    while any(others < seconds for _, others in seen):
        for reply, (shown, shared) in enumerate(seen):
            if chance.random() > eager or shared >= seconds:
                continue
            ways = {"": "PS", "S": "AAC"}.get(modes[reply], "E")
            way = chance.choice(ways)
            method = METHODS_OF[way]
            if meter.admit(method, f"C{reply}"):
                continue
            firsts[reply] = firsts[reply] if modes[reply] else now
            lag += times.lag(shown, now) / 2
            seen[reply][0] = now
            if way != "A":
                lag += times.lag(shared, now) / 2
                seen[reply][1] = now
            modes[reply] = "S" if way in "SA" else "E"
        now += 0.05
    proven = BOUNDS["slack"].least(replies, replies, seconds, sum(firsts) / replies)
    assert lag / replies / seconds >= proven
