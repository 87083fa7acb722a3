"""Counts durations in buckets, so that memory does not grow with their number."""

from bisect import bisect_left

from bot.domain.vitals import BUCKETS, Durations


class DurationCounter:
    """Counts durations in the buckets of `bot.domain.vitals`."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BUCKETS) + 1)
        self._total = 0.0

    def add(self, seconds: float) -> None:
        """Count a duration; a negative one, from a clock that was set back, counts as
        0."""
        seconds = max(0.0, seconds)
        self._counts[bisect_left(BUCKETS, seconds)] += 1
        self._total += seconds

    def read(self) -> Durations:
        """Return the counts so far."""
        upto, so_far = [], 0
        for count in self._counts:
            so_far += count
            upto.append(so_far)
        return Durations(tuple(upto[:-1]), upto[-1], self._total)
