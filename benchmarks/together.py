"""Proves the least mean lag of several concurrent answers of unknown length on Slack.
Pure.

benchmarks/least.py proves a bound for all schedules, including those that know the
lengths. A bot does not know them: its writes while the answers grow do not depend on
their final length. Here all answers begin at once and end together, after one of
`Scene.lengths`, which are equally likely.

The proof is by prices, as there. For each length, writes of a kind have a price in
spans of time. No reply pays less, lag plus prices, than with its own cheapest plan, on
average over all lengths (`_cheapest`). None pays more than the value of the writes that
Slack allows in each span (`_worth`).

The rules are more lenient than Slack's, so the bound also holds for Slack: the asker
sees all of a stream at once, and last words are written at the beginning of a cell of
time. Earlier times are multiples of `STEP`; half the step changes the result by less
than 1 %.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

from benchmarks.least import KINDS

STEP = 0.05

# Seconds after the end at which last words may be written. The prices of spans after
# the end change at these times.
AFTER = (
    *(0.5 * n for n in range(7)),
    *(4.0 + n for n in range(7)),
    *(12.0, 14.0, 16.0, 18.0, 20.0, 24.0, 28.0, 32.0, 40.0, 48.0, 64.0),
)

PRICES = Path(__file__).with_name("unknown_prices.json")


@dataclass(frozen=True, slots=True)
class Span:
    """The price of writes in a span of time."""

    kind: str
    #: The index of the length in `Scene.lengths`.
    length: int
    begin: float
    end: float
    price: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Answers that begin at once."""

    replies: int
    channels: int
    #: The possible lengths in seconds, the shortest first.
    lengths: Sequence[float]
    #: The price of a second until the first words.
    first: float
    spans: Sequence[Span]


def scenes() -> list[Scene]:
    """Return the scenes with known prices."""
    return [
        Scene(**{**each, "spans": [Span(*span) for span in each["spans"]]})
        for each in json.loads(PRICES.read_text())
    ]


def least_share(scene: Scene, lags: Sequence[float], first: float) -> float:
    """Return the fraction of `lags`, one per length, that no schedule undercuts on
    average over all lengths, if its first words come after `first` seconds on average,
    or sooner, and it does not know the length."""
    weights = [
        1 / lag / seconds / len(lags)
        for lag, seconds in zip(lags, scene.lengths, strict=True)
    ]
    return _cheapest(scene, weights) - _worth(scene) - scene.first * first


def _worth(scene: Scene) -> float:
    """Return the value of a reply's share of all writes."""
    total = 0.0
    for span in scene.spans:
        rate = KINDS[span.kind]
        most = floor(
            rate.burst + (span.end - span.begin) * rate.count / rate.seconds + 1e-9
        )
        total += span.price * most * (scene.channels if span.kind == "P" else 1)
    return total / scene.replies


def _cheapest(scene: Scene, weights: Sequence[float]) -> float:
    """Return the least cost of a reply: lag in seconds squared times the weight of its
    length, plus prices."""
    lengths, count = scene.lengths, len(scene.lengths)
    times = [n * STEP for n in range(round(lengths[-1] / STEP))]
    # By time: the number of lengths that are over, and the total weight of the others.
    over = [bisect_right(lengths, now + 1e-9) for now in times]
    alive = [sum(weights[each:]) for each in over]
    before = {kind: _before(scene, kind, times) for kind in KINDS}
    after = {kind: _after(scene, kind) for kind in KINDS}

    def ends(kind: str, half: float) -> list[list[float]]:
        """Return the cost of the last write of this `kind`, by the time until which the
        text was seen, summed over the first lengths. `half` is the share of readers
        that wait."""
        found = []
        for seen in times:
            sums = [0.0]
            for nth, seconds in enumerate(lengths):
                rest, weight = max(0.0, seconds - seen), weights[nth] * half
                costs = (
                    weight * rest * (late + rest / 2) + price
                    for late, price in zip(AFTER, after[kind][nth], strict=True)
                )
                sums.append(sums[-1] + min(costs))
            found.append(sums)
        return found

    edited, stopped = ends("E", 1.0), ends("C", 0.5)
    # By the time at which everybody had seen everything: the least cost that follows.
    follows = [0.0] * len(times)
    for begin in range(len(times) - 1, -1, -1):
        sums, none = edited[begin], edited[begin][over[begin]]
        best = sums[count] - none
        for end in range(begin + 1, len(times)):
            gap = alive[end] * (times[end] - times[begin]) ** 2 / 2
            cost = sums[over[end]] - none + gap + before["E"][end] + follows[end]
            best = min(best, cost)
        follows[begin] = best

    whole = [0.0]
    for nth, seconds in enumerate(lengths):
        whole.append(whole[-1] + _posted_whole(scene, nth, seconds, weights, after))
    best = whole[count]
    for begin, now in enumerate(times):
        waits = scene.first * now * (count - over[begin]) / count
        shown = whole[over[begin]] + alive[begin] * now**2 / 2 + waits
        best = min(best, shown + before["P"][begin] + follows[begin])
        shown += before["S"][begin]
        sums, none = stopped[begin], stopped[begin][over[begin]]
        best = min(best, shown + sums[count] - none)
        for end in range(begin + 1, len(times)):
            gap = alive[end] * (times[end] - now) ** 2 / 4
            cost = sums[over[end]] - none + gap + before["C"][end] + follows[end]
            best = min(best, shown + cost)
    return best


def _posted_whole(
    scene: Scene,
    nth: int,
    seconds: float,
    weights: Sequence[float],
    after: dict[str, list[list[float]]],
) -> float:
    """Return the cost of an answer of the nth length that is shown only at its end: by
    a post, or by the start and stop of a stream."""
    stop, best = float("inf"), float("inf")
    for cell in range(len(AFTER) - 1, -1, -1):
        late, stop = AFTER[cell], min(stop, after["C"][nth][cell])
        write = min(after["P"][nth][cell], after["S"][nth][cell] + stop)
        lag = weights[nth] * seconds * (late + seconds / 2)
        wait = scene.first / len(weights) * (seconds + late)
        best = min(best, lag + wait + write)
    return best


def _before(scene: Scene, kind: str, times: Sequence[float]) -> list[float]:
    """Return the price of a write by time, summed over the lengths that are not
    over."""
    found = [0.0] * len(times)
    for span in scene.spans:
        if span.kind == kind:
            until = min(span.end, scene.lengths[span.length]) - 1e-9
            for nth in range(round(span.begin / STEP), len(times)):
                if times[nth] >= until:
                    break
                found[nth] += span.price
    return found


def _after(scene: Scene, kind: str) -> list[list[float]]:
    """Return the price of a write by length and cell after its end."""
    found = [[0.0] * len(AFTER) for _ in scene.lengths]
    for span in scene.spans:
        if span.kind == kind:
            end = scene.lengths[span.length]
            for cell, late in enumerate(AFTER):
                if span.begin - 1e-9 <= end + late < span.end - 1e-9:
                    found[span.length][cell] += span.price
    return found
