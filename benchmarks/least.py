"""The least mean lag that Slack's limits allow, as a proof. Pure.

It is over all readers: half of it is the lag of who asked, half that of the others in
the channel, who see what is appended to a stream only once that is stopped. A reply is
one message: posted and edited, or started as a stream, appended to, stopped and edited.
All replies begin at once and grow evenly, by a token at a time.

The proof is by prices. Let each write cost something, at a price that depends on its
kind and time. No schedule costs less, lag and prices together, than if each reply took
the schedule that is cheapest for itself (`_cheapest`), and none can pay more than what
all writes that Slack allows would fetch at their highest prices (`_worth`). So the
difference is a lag that no schedule goes below, whatever the prices. prices.json has
good ones, found by a linear program in which schedules are mixed; with them the bound
is within 3 % of that program's optimum.

That the first words come at a time `first` on average, or sooner, has a price, too.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

from tests.emulators.slack import rates as slack

# Claude's tokens in an answer, at each of which a write may show more.
TOKENS = 375

# The prices of an answer's time change so often, and so long after it, in seconds.
CELLS = 25
AFTER = [0.5 * n for n in range(8)] + [4.0 + n for n in range(26)]

KINDS = {
    "P": slack.RATES["chat.postMessage"][0],
    "E": slack.RATES["chat.update"][0],
    "S": slack.RATES["chat.startStream"][0],
    "A": slack.RATES["chat.appendStream"][0],
    "C": slack.RATES["chat.stopStream"][0],
}

#: By kind of write: its price in each cell of time, in seconds of lag of all the text.
Prices = Mapping[str, Sequence[float]]


@dataclass(frozen=True, slots=True)
class Times:
    """The times of an answer that takes so many `seconds`."""

    seconds: float
    #: When prices may change; when writes may be made, and the cell of each.
    edges: Sequence[float]
    writes: Sequence[float]
    cells: Sequence[int]

    def lag(self, seen: float, now: float) -> float:
        """The lag of what came after `seen` and is shown `now`, in seconds squared."""
        end = min(now, self.seconds)
        return (end - seen) * (now - (seen + end) / 2) if end > seen else 0.0


def least(replies: int, channels: int, seconds: float, first: float) -> float:
    """The mean lag that no schedule of so many replies in so many channels goes below
    if their first words come after `first` seconds on average, or sooner."""
    found = _proofs(replies, channels, seconds)
    token = seconds / TOKENS
    best = max(lag - price * first for lag, price in found) / seconds
    # `Times.lag` takes text for even, where a token is there when its last letter is.
    return best - token / 2


@cache
def _proofs(
    replies: int, channels: int, seconds: float
) -> Sequence[tuple[float, float]]:
    """Lags in seconds squared, and from each what a second until the first words
    takes off."""
    times = times_of(seconds)
    return [
        (bound(times, prices, replies, channels, KINDS, first), first)
        for prices, first in _known(replies, channels)
    ]


def times_of(seconds: float, tokens: int = TOKENS) -> Times:
    """The times of an answer of so many seconds and tokens."""
    after = [seconds + each for each in AFTER]
    edges = [seconds * n / CELLS for n in range(CELLS)] + after
    writes = [seconds * n / tokens for n in range(tokens)] + after
    cells = [bisect_right(edges, each + 1e-9) - 1 for each in writes]
    return Times(seconds, edges, writes, cells)


def bound(
    times: Times,
    prices: Prices,
    replies: int,
    channels: int,
    rates: Mapping[str, slack.Rate],
    first: float = 0.0,
) -> float:
    """The lag of a reply, in seconds squared, that no schedule goes below, with what a
    second until the first words costs; true for all `prices`."""
    free = [0.0] * len(times.edges)
    of = {kind: list(prices.get(kind, free)) for kind in rates}
    paid = sum(
        _worth(of[kind], times.edges, rate) * (channels if kind == "P" else 1)
        for kind, rate in rates.items()
    )
    return _cheapest(times, of, first) - paid / replies


def _worth(prices: Sequence[float], edges: Sequence[float], rate: slack.Rate) -> float:
    """Return the most that all writes at a rate fetch.

    The nth can be made no sooner than the bucket allows, and unless it is made by the
    time at which n came in, the bucket is full and one is lost."""
    each, total, nth = rate.seconds / rate.count, 0.0, 1
    while (soonest := (nth - rate.burst) * each) <= edges[-1]:
        begin = bisect_right(edges, max(0.0, soonest)) - 1
        end = bisect_right(edges, nth * each)
        total += max(prices[begin : max(end, begin + 1)])
        nth += 1
    return total


def _cheapest(times: Times, prices: Prices, first: float) -> float:
    """The least that a reply pays, for lag and for writes."""
    at = {kind: [each[cell] for cell in times.cells] for kind, each in prices.items()}
    whole = bisect_right(times.writes, times.seconds - 1e-9)
    edited = _edited(times, at["E"], whole)
    best = min(
        times.lag(0.0, now) + first * now + post + rest
        for now, post, rest in zip(times.writes, at["P"], edited, strict=True)
    )
    # A stream that has all of it still needs its stop.
    stops = list(accumulate(reversed(at["C"]), min))[::-1]
    for begin, now in enumerate(times.writes):
        started = times.lag(0.0, now) + first * now + at["S"][begin]
        if started >= best:
            continue
        if begin >= whole:
            best = min(best, started + stops[begin])
        else:
            stream = _streamed(times, begin, whole, at, edited, best - started)
            best = min(best, started + stream)
    return best


def _edited(times: Times, edit: Sequence[float], whole: int) -> list[float]:
    """By write: what follows at the least once it has shown everybody all there is."""
    writes, seconds = times.writes, times.seconds
    rest = [0.0] * len(writes)
    for begin in range(whole - 1, -1, -1):
        seen, best = writes[begin], float("inf")
        for end in range(begin + 1, len(writes)):
            now = writes[end]
            until = min(now, seconds)
            lag = (until - seen) * (now - (seen + until) / 2)
            if lag >= best:
                break
            best = min(best, lag + edit[end] + rest[end])
        rest[begin] = best
    return rest


def _streamed(
    times: Times,
    begin: int,
    whole: int,
    at: Prices,
    edited: Sequence[float],
    most: float,
) -> float:
    """Return the least further cost of a stream that begins with a write, if that
    is less than `most`."""
    writes, seconds, best = times.writes, times.seconds, most
    appends, stops, start = at["A"], at["C"], writes[begin]
    # By append: what the lag of who asked comes to, with the appends.
    shown = {begin: 0.0}
    for end in range(begin + 1, len(writes)):
        now = writes[end]
        until = min(now, seconds)
        others = (until - start) * (now - (start + until) / 2) / 2
        if others >= best:
            break
        asker = min((shown[n] for n in range(whole, end)), default=float("inf"))
        for before in range(min(end, whole) - 1, begin - 1, -1):
            seen = writes[before]
            lag = (until - seen) * (now - (seen + until) / 2) / 2
            if lag >= asker:
                break
            asker = min(asker, lag + shown[before])
        best = min(best, others + asker + stops[end] + edited[end])
        shown[end] = asker + appends[end]
    return best


@cache
def _known(
    replies: int, channels: int
) -> Sequence[tuple[Mapping[str, Sequence[float]], float]]:
    """The prices for such a scene, each with that of the first words."""
    found = []
    for each in json.loads(Path(__file__).with_name("prices.json").read_text()):
        if (each["replies"], each["channels"]) == (replies, channels):
            kinds = {k: _unpacked(runs) for k, runs in each["prices"].items()}
            found.append((kinds, each["first"]))
    return found


def _unpacked(runs: Sequence[tuple[int, float]]) -> list[float]:
    """The prices of all cells, of which each run says from which cell on it holds."""
    ends = [begin for begin, _ in runs[1:]] + [CELLS + len(AFTER)]
    return [
        price
        for (begin, price), end in zip(runs, ends, strict=True)
        for _ in range(begin, end)
    ]
