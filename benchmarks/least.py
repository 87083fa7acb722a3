"""Proves the least mean lag that Slack's limits allow. Pure.

The mean is over all readers: half of it is the lag of the asker, half that of the
others in the channel, who see the text of a stream only when the stream is stopped. A
reply is one message: posted and edited, or started as a stream, appended to, stopped
and edited. All replies begin at once and grow evenly, by a token at a time.

The proof is by prices (Lagrange multipliers). Each write has a price that depends on
its kind and time. No schedule costs less, lag plus prices, than if each reply took the
schedule that is cheapest for itself (`cheapest`). No schedule pays more than the value
at the highest prices of all writes that Slack allows (`_worth`). So no schedule has a
lag below the difference, whatever the prices. Writes a minute after the end or later
must be free, because their number is unlimited. prices.json has good prices, found by
benchmarks/prices.py. With them the bound is within 3 % of the optimum of a linear
program in which schedules are mixed.

The condition that the first words come at `first` on average, or sooner, has a price
too.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.emulators.slack import rates as slack

# Claude's tokens in an answer. After each of them, a write may show more.
TOKENS = 375

# The number of price cells during an answer, and the seconds after its end at which
# prices change.
CELLS = 25
AFTER = [
    *(0.5 * n for n in range(8)),
    *(4.0 + n for n in range(26)),
    *(32.0, 36.0, 40.0, 48.0, 56.0, 64.0),
]

KINDS = {
    "P": slack.RATES["chat.postMessage"][0],
    "E": slack.RATES["chat.update"][0],
    "S": slack.RATES["chat.startStream"][0],
    "A": slack.RATES["chat.appendStream"][0],
    "C": slack.RATES["chat.stopStream"][0],
}

PRICES = Path(__file__).with_name("prices.json")

#: By kind of write: the price in each cell of time, in seconds of lag of the whole
#: text.
Prices = Mapping[str, Sequence[float]]

#: The same as runs: (first cell, price).
Packed = Mapping[str, Sequence[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Times:
    """The times of an answer that takes `seconds`."""

    seconds: float
    #: Times at which prices may change, times at which writes may be made, and the cell
    #: of each write.
    edges: Sequence[float]
    writes: Sequence[float]
    cells: Sequence[int]

    def lag(self, seen: float, now: float) -> float:
        """Return the lag, in seconds squared, of text that came after `seen` and is
        shown at `now`."""
        end = min(now, self.seconds)
        return (end - seen) * (now - (seen + end) / 2) if end > seen else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule of one reply."""

    #: Lag in seconds squared, plus the prices of the writes.
    cost: float
    #: Its writes: (kind, index in `Times.writes`).
    writes: Sequence[tuple[str, int]]


def least(replies: int, channels: int, seconds: float, first: float) -> float:
    """Return the mean lag that no schedule of `replies` in `channels` undercuts if
    their first words come after `first` seconds on average, or sooner."""
    found = _proofs(replies, channels, seconds)
    token = seconds / TOKENS
    best = max(lag - price * first for lag, price in found) / seconds
    # `Times.lag` assumes continuous text, but a token is there only with its last
    # letter.
    return best - token / 2


@cache
def _proofs(
    replies: int, channels: int, seconds: float
) -> Sequence[tuple[float, float]]:
    """Return pairs of a lag in seconds squared and the price of a second until the
    first words."""
    times = times_of(seconds)
    return [
        (bound(times, prices, replies, channels, KINDS, first), first)
        for prices, first in _known(replies, channels)
    ]


def times_of(seconds: float, tokens: int = TOKENS) -> Times:
    """Return the times of an answer of `seconds` and `tokens`."""
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
    """Return the lag of a reply, in seconds squared, that no schedule undercuts. It
    includes the price `first` of a second until the first words, and holds for all
    `prices`."""
    free = [0.0] * len(times.edges)
    # The last cell has no end, so the number of its writes is unlimited.
    of = {kind: [*prices.get(kind, free)[:-1], 0.0] for kind in rates}
    paid = sum(
        _worth(of[kind], times.edges, rate) * (channels if kind == "P" else 1)
        for kind, rate in rates.items()
    )
    return cheapest(times, of, first).cost - paid / replies


def _worth(prices: Sequence[float], edges: Sequence[float], rate: slack.Rate) -> float:
    """Return the greatest value of all writes at a rate."""
    return sum(prices[cell] for cell in dearest(prices, edges, rate))


def dearest(
    prices: Sequence[float], edges: Sequence[float], rate: slack.Rate
) -> list[int]:
    """Return the cells in which all writes at a rate have the greatest value. The nth
    write can be made no sooner than the bucket allows. If it is not made by the time at
    which n were refilled, the bucket is full and one write is lost."""
    each, cells, nth = rate.seconds / rate.count, [], 1
    while (soonest := (nth - rate.burst) * each) <= edges[-1]:
        begin = bisect_right(edges, max(0.0, soonest)) - 1
        end = max(bisect_right(edges, nth * each), begin + 1)
        cells.append(max(range(begin, end), key=prices.__getitem__))
        nth += 1
    return cells


def cheapest(times: Times, prices: Prices, first: float) -> Plan:
    """Return the schedule of a reply with the least cost, lag plus prices."""
    at = {kind: [each[cell] for cell in times.cells] for kind, each in prices.items()}
    whole = bisect_right(times.writes, times.seconds - 1e-9)
    rest, after = _edited(times, at["E"], whole)
    post = [
        times.lag(0.0, now) + first * now + at["P"][n] + rest[n]
        for n, now in enumerate(times.writes)
    ]
    begin = min(range(len(post)), key=post.__getitem__)
    best = Plan(post[begin], (("P", begin), *_edits(after, begin)))
    # A stream that shows the whole text still needs its stop.
    for begin, now in enumerate(times.writes):
        started = times.lag(0.0, now) + first * now + at["S"][begin]
        if started >= best.cost:
            continue
        if begin >= whole:
            stop = min(range(begin, len(times.writes)), key=at["C"].__getitem__)
            stream = Plan(at["C"][stop], (("C", stop),))
        else:
            most = best.cost - started
            stream = _streamed(times, begin, whole, at, (rest, after), most)
        if started + stream.cost < best.cost:
            writes = (("S", begin), *stream.writes)
            best = Plan(started + stream.cost, writes)
    return best


def _edited(
    times: Times, edit: Sequence[float], whole: int
) -> tuple[list[float], list[int]]:
    """Return, by write, the least cost after it has shown everybody the text so far,
    and the index of the next edit (0 for none)."""
    writes, seconds = times.writes, times.seconds
    rest, after = [0.0] * len(writes), [0] * len(writes)
    for begin in range(whole - 1, -1, -1):
        seen, best = writes[begin], float("inf")
        for end in range(begin + 1, len(writes)):
            now = writes[end]
            until = min(now, seconds)
            lag = (until - seen) * (now - (seen + until) / 2)
            if lag >= best:
                break
            if (cost := lag + edit[end] + rest[end]) < best:
                best, after[begin] = cost, end
        rest[begin] = best
    return rest, after


def _edits(after: Sequence[int], begin: int) -> list[tuple[str, int]]:
    edits = []
    while begin := after[begin]:
        edits.append(("E", begin))
    return edits


def _streamed(
    times: Times,
    begin: int,
    whole: int,
    at: Prices,
    edited: tuple[Sequence[float], Sequence[int]],
    most: float,
) -> Plan:
    """Return the cheapest continuation of a stream that begins with the write `begin`,
    if its cost is less than `most`."""
    (rest, after), best, ends = edited, most, (begin, begin)
    writes, seconds = times.writes, times.seconds
    appends, stops, start = at["A"], at["C"], writes[begin]
    # By append: the cost so far (the asker's lag and the appends), and the previous
    # append.
    shown, earlier = {begin: 0.0}, {begin: begin}
    for end in range(begin + 1, len(writes)):
        now = writes[end]
        until = min(now, seconds)
        others = (until - start) * (now - (start + until) / 2) / 2
        if others >= best:
            break
        last = min(range(whole, end), key=shown.__getitem__, default=begin)
        asker = shown[last] if last >= whole else float("inf")
        for before in range(min(end, whole) - 1, begin - 1, -1):
            seen = writes[before]
            lag = (until - seen) * (now - (seen + until) / 2) / 2
            if lag >= asker:
                break
            if lag + shown[before] < asker:
                asker, last = lag + shown[before], before
        if (cost := others + asker + stops[end] + rest[end]) < best:
            best, ends = cost, (last, end)
        shown[end], earlier[end] = asker + appends[end], last
    last, end = ends
    made = [("C", end), *_edits(after, end)]
    while last > begin:
        made.insert(0, ("A", last))
        last = earlier[last]
    return Plan(best, tuple(made))


@cache
def _known(
    replies: int, channels: int
) -> Sequence[tuple[Mapping[str, Sequence[float]], float]]:
    """Return the known prices for a scene, each with the price of the first words."""
    found = []
    for each in json.loads(PRICES.read_text()):
        if (each["replies"], each["channels"]) == (replies, channels):
            found.append((unpacked(each["prices"]), each["first"]))
    return found


def unpacked(packed: Packed) -> Prices:
    """Return the prices of all cells."""
    return {kind: _cells(runs) for kind, runs in packed.items()}


def _cells(runs: Sequence[tuple[int, float]]) -> list[float]:
    """Return the prices of all cells from `runs` of (first cell, price)."""
    ends = [begin for begin, _ in runs[1:]] + [CELLS + len(AFTER)]
    return [
        price
        for (begin, price), end in zip(runs, ends, strict=True)
        for _ in range(begin, end)
    ]
