"""Computes the least mean lag of one answer of unknown length on Slack. Pure.

    python -m benchmarks.unknown

benchmarks/least.py proves a bound for all schedules, including those that know the
length. A bot only knows that the answer is still growing. So its schedule is a list of
times at which it writes while that is so. Given the distribution of lengths, the best
list can be computed from its end back to its beginning (`online`). Here the lengths
from 2 to 25 s are distributed log-uniformly: doubling a range of lengths does not
change its probability.

The rules are more lenient than Slack's, so the bound also holds for Slack: the asker
sees all of a stream at once, and no write is lost while the bucket is full. Times are
multiples of `STEP`; half the step changes the result by less than 1 %.

Let R be the best mean ratio to the least lag with known length (`offline`). Then every
bot, even a randomised one, has a ratio of R or more for some length (Yao's principle).
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import ceil

from adapters.slack.adapter import LIMITS
from bot.domain.platform import WriteKind
from tests.emulators.slack import rates as slack

STEP = 0.05
SHORTEST, LONGEST = 2.0, 25.0
#: The lengths whose lags are printed.
SHOWN = (2.0, 4.0, 6.25, 10.0, 25.0)

#: The longest gap in seconds.
GAP = 8.0

EDITS = slack.RATES["chat.update"][0]


@dataclass(frozen=True, slots=True)
class Plan:
    """The times at which to write while the answer goes on."""

    #: The mean over all lengths of the lag in seconds times the weight of the length.
    mean: float
    #: The times of the stop of its stream, if it is one, and of its edits, in seconds
    #: from its beginning.
    times: Sequence[float]
    streams: bool = True

    def lag(self, seconds: float, rate: slack.Rate = EDITS) -> float:
        """Return the mean lag of an answer that ends after `seconds`."""
        made = bisect_left(self.times, seconds)
        seen = [0.0, *self.times[:made]]
        gaps = [b - a for a, b in pairwise(seen)]
        last = seconds - seen[-1]
        # The last write is an edit, unless it is the stop.
        edit = made if self.streams else made + 1
        late = max(0.0, _allowed(edit, rate) - seconds) if edit else 0.0
        halves = [gap**2 / 2 for gap in (*gaps, last)]
        halves[0] /= 1 + self.streams
        return (sum(halves) + last * late) / seconds


def offline(seconds: float, rate: slack.Rate = EDITS) -> float:
    """Return the least mean lag of an answer that is known to end after `seconds`.

    Everybody sees it with the start and stop of a stream and with all allowed edits, at
    even gaps g. The gap of the stream is 2 g, because the people other than the asker
    are half of the readers.
    """
    edits = int(rate.burst + seconds * rate.count / rate.seconds)
    return seconds / (2 * (edits + 2))


def online(
    weight: Callable[[float], float] = lambda seconds: 1.0,
    rate: slack.Rate = EDITS,
    step: float = STEP,
    streams: bool = True,
    kept: int = 0,
) -> Plan:
    """Return the best plan for answers of unknown length, whose lag is weighted by the
    `weight` of their length. With `streams`, the message begins as a stream. `kept`
    edits are reserved for the end."""
    cells = range(round(LONGEST / step) + 1)
    likely = [1 / n if n * step >= SHORTEST - 1e-9 else 0.0 for n in cells if n]
    ends = [p / sum(likely) * weight(n * step) for n, p in enumerate(likely, 1)]
    # By length: the weight of a second squared of lag in the mean, and its moments.
    shares = [0.0, *(each / (n * step) for n, each in enumerate(ends, 1))]
    sums = [
        list(accumulate((each * (n * step) ** k for n, each in enumerate(shares))))
        for k in range(3)
    ]

    def moments(begin: int, end: int) -> Sequence[float]:
        return [each[end] - each[begin] for each in sums]

    def last(begin: int, end: int, allowed: float) -> float:
        """Return the lag of answers that end within these cells and are seen until
        `begin`."""
        seen, (none, one, two) = begin * step, moments(begin, end)
        cost = (two - 2 * seen * one + seen**2 * none) / 2
        until = min(end, int(allowed / step))
        if until > begin:
            none, one, two = moments(begin, until)
            cost += (allowed + seen) * one - two - allowed * seen * none
        return cost

    whole, most = len(cells) - 1, round(GAP / step)
    # By the cell in which everything was last seen: the least cost that follows, and
    # the next write.
    edits = int(rate.burst + LONGEST * rate.count / rate.seconds)
    nexts: list[list[int]] = []
    follows = [last(begin, whole, _allowed(edits + 1, rate)) for begin in cells]
    for edit in range(edits, 0, -1):
        allowed = _allowed(edit, rate)
        costs, after = [], []
        for begin in cells:
            best, chosen = last(begin, whole, allowed), 0
            opens = _allowed(edit + kept, rate)
            soonest = max(begin + 1, ceil(opens / step - 1e-9))
            for end in range(soonest, min(whole, soonest + most) + 1):
                alive = sums[0][whole] - sums[0][end]
                gap = ((end - begin) * step) ** 2 / 2 * alive
                cost = last(begin, end, allowed) + gap + follows[end]
                if cost < best:
                    best, chosen = cost, end
            costs.append(best)
            after.append(chosen)
        follows = costs
        nexts.insert(0, after)

    def streamed(stop: int) -> float:
        alive = sums[0][whole] - sums[0][stop]
        return last(0, stop, 0.0) / 2 + (stop * step) ** 2 / 4 * alive + follows[stop]

    stop = now = min(range(1, most), key=streamed) if streams else 0
    times = [stop * step] if streams else []
    for after in nexts:
        if not (now := after[now]):
            break
        times.append(now * step)
    return Plan(streamed(stop) if streams else follows[0], times, streams)


def _allowed(edit: int, rate: slack.Rate) -> float:
    """Return the earliest time of this edit, counted from 1."""
    return max(0.0, (edit - rate.burst) * rate.seconds / rate.count)


def main() -> None:
    """Print the least lags for several lengths, with known and unknown length."""
    edits = LIMITS.rates[WriteKind.EDIT][0]
    ours = slack.Rate(edits.count, edits.seconds, edits.burst)
    for name, rate, streams, kept in (
        ("all that the emulator allows", EDITS, True, 0),
        ("the limits of Threadkeep", ours, True, 0),
        ("those without a stream", ours, False, 0),
        ("and with an edit kept for the end", ours, False, 1),
    ):
        best, fair = (
            online(weight, rate, streams=streams, kept=kept)
            for weight in (lambda seconds: 1.0, lambda seconds: 1 / offline(seconds))
        )
        lags = (f"{each:g} s: {best.lag(each, rate):.3f} s" for each in SHOWN)
        print(f"{name}: mean ratio {fair.mean:.2f}; lag for {', '.join(lags)}")
        print(f"    writes after {', '.join(f'{t:.1f}' for t in best.times[:9])} s …")
    lags = (f"{each:g} s: {offline(each):.3f} s" for each in SHOWN)
    print(f"the length known: {', '.join(lags)}")


if __name__ == "__main__":
    main()
