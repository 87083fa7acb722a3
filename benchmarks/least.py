"""The least mean lag that Slack's limits allow, as a proof. Pure.

It is over all readers: half of it is the lag of who asked, half that of the others in
the channel, who see what is appended to a stream only once that is stopped. A reply is
one message: posted and edited, or started as a stream, appended to, stopped and edited.
All replies begin at once and grow evenly, by a token at a time.

The proof is by prices. Let each write cost something, at a price that depends on its
kind and time. No schedule costs less, lag and prices together, than if each reply took
the schedule that is cheapest for itself (`_cheapest`), and none can pay more than what
all writes that Slack allows would fetch at their highest prices (`_worth`). So the
difference is a lag that no schedule goes below, whatever the prices, if what is written
a minute after the end, or later, costs nothing: there is no end of that. prices.json
has good ones, found by benchmarks/prices.py; with them the bound is within 3 % of the
optimum of a linear program in which schedules are mixed.

That the first words come at a time `first` on average, or sooner, has a price, too.
"""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.emulators.slack import rates as slack

# Claude's tokens in an answer, at each of which a write may show more.
TOKENS = 375

# The prices of an answer's time change so often, and so long after it, in seconds.
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

#: By kind of write: its price in each cell of time, in seconds of lag of all the text.
Prices = Mapping[str, Sequence[float]]

#: The same in runs: the cell from which on a price holds.
Packed = Mapping[str, Sequence[tuple[int, float]]]


@dataclass(frozen=True, slots=True)
class Times:
    """The times of an answer that takes so many `seconds`."""

    seconds: float
    #: When prices may change; when writes may be made, and the cell of each.
    edges: Sequence[float]
    writes: Sequence[float]
    cells: Sequence[int]

    def lag(self, seen: float, now: float) -> float:
        """Return the lag of what came after `seen` and is shown `now`, in seconds
        squared."""
        end = min(now, self.seconds)
        return (end - seen) * (now - (seen + end) / 2) if end > seen else 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule of one reply."""

    #: Lag in seconds squared, with what the writes cost.
    cost: float
    #: The kinds of its writes, and which of `Times.writes` they are.
    writes: Sequence[tuple[str, int]]


def least(replies: int, channels: int, seconds: float, first: float) -> float:
    """Return the mean lag that no schedule of so many replies in so many channels goes
    below if their first words come after `first` seconds on average, or sooner."""
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
    """Return the times of an answer of so many seconds and tokens."""
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
    """Return the lag of a reply, in seconds squared, that no schedule goes below, with
    what a second until the first words costs; true for all `prices`."""
    free = [0.0] * len(times.edges)
    # In the last cell, which has no end, as many writes may be made as anybody likes.
    of = {kind: [*prices.get(kind, free)[:-1], 0.0] for kind in rates}
    paid = sum(
        _worth(of[kind], times.edges, rate) * (channels if kind == "P" else 1)
        for kind, rate in rates.items()
    )
    return cheapest(times, of, first).cost - paid / replies


def _worth(prices: Sequence[float], edges: Sequence[float], rate: slack.Rate) -> float:
    """Return the most that all writes at a rate fetch."""
    return sum(prices[cell] for cell in dearest(prices, edges, rate))


def dearest(
    prices: Sequence[float], edges: Sequence[float], rate: slack.Rate
) -> list[int]:
    """Return the cells in which all writes at a rate fetch the most.

    The nth can be made no sooner than the bucket allows, and unless it is made by the
    time at which n came in, the bucket is full and one is lost."""
    each, cells, nth = rate.seconds / rate.count, [], 1
    while (soonest := (nth - rate.burst) * each) <= edges[-1]:
        begin = bisect_right(edges, max(0.0, soonest)) - 1
        end = max(bisect_right(edges, nth * each), begin + 1)
        cells.append(max(range(begin, end), key=prices.__getitem__))
        nth += 1
    return cells


def cheapest(times: Times, prices: Prices, first: float) -> Plan:
    """Return the schedule by which a reply pays the least, for lag and for writes."""
    at = {kind: [each[cell] for cell in times.cells] for kind, each in prices.items()}
    whole = bisect_right(times.writes, times.seconds - 1e-9)
    rest, after = _edited(times, at["E"], whole)
    post = [
        times.lag(0.0, now) + first * now + at["P"][n] + rest[n]
        for n, now in enumerate(times.writes)
    ]
    begin = min(range(len(post)), key=post.__getitem__)
    best = Plan(post[begin], (("P", begin), *_edits(after, begin)))
    # A stream that has all of it still needs its stop.
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
    """Return by write the least lag that follows once it has shown everybody all there
    is, and the next edit then; 0 for none."""
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
    """Return how a stream that begins with a write goes on at the least cost, if that
    is less than `most`."""
    (rest, after), best, ends = edited, most, (begin, begin)
    writes, seconds = times.writes, times.seconds
    appends, stops, start = at["A"], at["C"], writes[begin]
    # By append: what the lag of who asked comes to, with the appends; and the one
    # before.
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
    """Return the prices for such a scene, each with that of the first words."""
    found = []
    for each in json.loads(PRICES.read_text()):
        if (each["replies"], each["channels"]) == (replies, channels):
            found.append((unpacked(each["prices"]), each["first"]))
    return found


def unpacked(packed: Packed) -> Prices:
    """Return the prices of all cells."""
    return {kind: _cells(runs) for kind, runs in packed.items()}


def _cells(runs: Sequence[tuple[int, float]]) -> list[float]:
    """Return the prices of all cells, of which each run says from which cell on it
    holds."""
    ends = [begin for begin, _ in runs[1:]] + [CELLS + len(AFTER)]
    return [
        price
        for (begin, price), end in zip(runs, ends, strict=True)
        for _ in range(begin, end)
    ]
