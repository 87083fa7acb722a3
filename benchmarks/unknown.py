"""The least mean lag of one answer on Slack if nobody knows how long it will be. Pure.

    python -m benchmarks.unknown

benchmarks/least.py proves what no schedule undercuts, not even one that knows the end.
A bot does not know it: all it knows at any moment is that the answer goes on. So what
it does is a list of times at which it writes while that is so, and the best list can be
computed, from its end back to its beginning (`online`), if it is known how often
answers have which length. Here each length from 2 to 25 s is as likely as one twice as
long.

The rules are kinder than Slack's, so that nobody is better: who asked sees all of a
stream at once, and no write is lost while the bucket is full. Times are multiples of
`STEP`; half of it makes no difference of 1 %.

If the mean of the ratios to the least with the length known (`offline`) is R at the
best, then whatever a bot does, also by chance, has a ratio of R or more for some length
(Yao's principle).
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

#: No gap is longer, in seconds.
GAP = 8.0

EDITS = slack.RATES["chat.update"][0]


@dataclass(frozen=True, slots=True)
class Plan:
    """The times at which to write while the answer goes on."""

    #: The mean over all lengths of lag in seconds times the weight of its length.
    mean: float
    #: The stop of its stream, if it is one, and edits, in seconds from its beginning.
    times: Sequence[float]
    streams: bool = True

    def lag(self, seconds: float, rate: slack.Rate = EDITS) -> float:
        """Return the mean lag of an answer that ends after so many seconds."""
        made = bisect_left(self.times, seconds)
        seen = [0.0, *self.times[:made]]
        gaps = [b - a for a, b in pairwise(seen)]
        last = seconds - seen[-1]
        # An edit is the last one, unless that is the stop.
        edit = made if self.streams else made + 1
        late = max(0.0, _allowed(edit, rate) - seconds) if edit else 0.0
        halves = [gap**2 / 2 for gap in (*gaps, last)]
        halves[0] /= 1 + self.streams
        return (sum(halves) + last * late) / seconds


def offline(seconds: float, rate: slack.Rate = EDITS) -> float:
    """Return the least mean lag of an answer of so many seconds that is known to end
    then.

    It is seen by all with the start and the stop of a stream and with all edits that
    there are, at even gaps g, of which the stream's has 2 g, since others than who
    asked are half of the readers.
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
    """Return the best plan for answers of unknown length, whose lag counts as much as
    the `weight` of their length says; with a message that is a stream at first, or
    none, and so many edits `kept` for the end."""
    cells = range(round(LONGEST / step) + 1)
    likely = [1 / n if n * step >= SHORTEST - 1e-9 else 0.0 for n in cells if n]
    ends = [p / sum(likely) * weight(n * step) for n, p in enumerate(likely, 1)]
    # By length: how much a second squared of lag adds to the mean, and moments of that.
    shares = [0.0, *(each / (n * step) for n, each in enumerate(ends, 1))]
    sums = [
        list(accumulate((each * (n * step) ** k for n, each in enumerate(shares))))
        for k in range(3)
    ]

    def moments(begin: int, end: int) -> Sequence[float]:
        return [each[end] - each[begin] for each in sums]

    def last(begin: int, end: int, allowed: float) -> float:
        """Return the lag that answers add which end within these cells, seen until
        `begin`."""
        seen, (none, one, two) = begin * step, moments(begin, end)
        cost = (two - 2 * seen * one + seen**2 * none) / 2
        until = min(end, int(allowed / step))
        if until > begin:
            none, one, two = moments(begin, until)
            cost += (allowed + seen) * one - two - allowed * seen * none
        return cost

    whole, most = len(cells) - 1, round(GAP / step)
    # By cell in which all was seen last: what follows at the least; and the next write.
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
    """Return when this edit may come at the soonest, counted from 1."""
    return max(0.0, (edit - rate.burst) * rate.seconds / rate.count)


def main() -> None:
    """Print what is the least for several lengths, with the length known and not."""
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
