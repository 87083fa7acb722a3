"""The least mean lag of several answers at once on Slack if nobody knows how long they
will be. Pure.

benchmarks/least.py proves what no schedule undercuts, not even one that knows the ends.
A bot does not know them: what it does while the answers go on is the same, however long
they turn out to be. Here all answers begin at once and end together, after one of
`Scene.lengths`, each of which is as likely as the others.

The proof is by prices, as there. For each length, spans of time have a price for each
write of a kind. No reply pays less, lag and prices together, than with the plan that is
cheapest for itself, the mean over all lengths (`_cheapest`); and none can pay more than
what the writes fetch that Slack allows in each span (`_worth`).

The rules are kinder than Slack's, so that nobody is better: who asked sees all of a
stream at once, and last words are written at the beginning of a cell of time. Times
before that are multiples of `STEP`; half of it makes no difference of 1 %.
"""

import json
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from math import floor
from pathlib import Path

from benchmarks.least import KINDS

STEP = 0.05

# Last words are written so long after the end, in seconds, or later. The prices of
# spans that begin or end after it do so at these times.
AFTER = (
    *(0.5 * n for n in range(7)),
    *(4.0 + n for n in range(7)),
    *(12.0, 14.0, 16.0, 18.0, 20.0, 24.0, 28.0, 32.0, 40.0, 48.0, 64.0),
)

PRICES = Path(__file__).with_name("unknown_prices.json")


@dataclass(frozen=True, slots=True)
class Span:
    """A price of writes in a span of time."""

    kind: str
    #: Which of `Scene.lengths` the answers have.
    length: int
    begin: float
    end: float
    price: float


@dataclass(frozen=True, slots=True)
class Scene:
    """Answers that begin at once."""

    replies: int
    channels: int
    #: Of all answers, in seconds, the shortest first.
    lengths: Sequence[float]
    #: The price of a second until the first words.
    first: float
    spans: Sequence[Span]


def scenes() -> list[Scene]:
    """Return those that there are prices for."""
    return [
        Scene(**{**each, "spans": [Span(*span) for span in each["spans"]]})
        for each in json.loads(PRICES.read_text())
    ]


def least_share(scene: Scene, lags: Sequence[float], first: float) -> float:
    """Return the share of `lags`, one of each length, that no schedule goes below in
    the mean over all lengths, if its first words come after `first` seconds in the
    mean, or sooner, and it does not know the length."""
    weights = [
        1 / lag / seconds / len(lags)
        for lag, seconds in zip(lags, scene.lengths, strict=True)
    ]
    return _cheapest(scene, weights) - _worth(scene) - scene.first * first


def _worth(scene: Scene) -> float:
    """Return what a reply's share of all writes fetches."""
    total = 0.0
    for span in scene.spans:
        rate = KINDS[span.kind]
        most = floor(
            rate.burst + (span.end - span.begin) * rate.count / rate.seconds + 1e-9
        )
        total += span.price * most * (scene.channels if span.kind == "P" else 1)
    return total / scene.replies


def _cheapest(scene: Scene, weights: Sequence[float]) -> float:
    """Return what a reply pays at the least: lag in seconds squared times the weight of
    its length, and prices."""
    lengths, count = scene.lengths, len(scene.lengths)
    times = [n * STEP for n in range(round(lengths[-1] / STEP))]
    # By time: how many lengths are over; and the weight of the others.
    over = [bisect_right(lengths, now + 1e-9) for now in times]
    alive = [sum(weights[each:]) for each in over]
    before = {kind: _before(scene, kind, times) for kind in KINDS}
    after = {kind: _after(scene, kind) for kind in KINDS}

    def ends(kind: str, half: float) -> list[list[float]]:
        """Return by time, seen until which, and for the first lengths together, what
        the end costs as a write of this `kind`; `half` if only half of all wait."""
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
    # By time at which all was seen by all: what follows at the least.
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
    """Return what an answer of the nth length pays of which nothing is shown before its
    end: a post, or the start of a stream and its stop."""
    stop, best = float("inf"), float("inf")
    for cell in range(len(AFTER) - 1, -1, -1):
        late, stop = AFTER[cell], min(stop, after["C"][nth][cell])
        write = min(after["P"][nth][cell], after["S"][nth][cell] + stop)
        lag = weights[nth] * seconds * (late + seconds / 2)
        wait = scene.first / len(weights) * (seconds + late)
        best = min(best, lag + wait + write)
    return best


def _before(scene: Scene, kind: str, times: Sequence[float]) -> list[float]:
    """Return by time what a write costs then, of all lengths that are not over."""
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
    """Return by length and cell after its end what a write costs then."""
    found = [[0.0] * len(AFTER) for _ in scene.lengths]
    for span in scene.spans:
        if span.kind == kind:
            end = scene.lengths[span.length]
            for cell, late in enumerate(AFTER):
                if span.begin - 1e-9 <= end + late < span.end - 1e-9:
                    found[span.length][cell] += span.price
    return found
