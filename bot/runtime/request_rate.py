"""A limit of requests a minute, for many callers. Pure: callers pass the time in."""

from bot.runtime.lru import LruDict

MINUTE = 60.0


class RequestRate:
    """Counts the requests of each caller by one number: the time at which it has none
    left over (GCRA). At most `most_callers` are remembered, the last ones."""

    def __init__(self, most_callers: int) -> None:
        self._free_at: LruDict[str, float] = LruDict(most_callers)

    def take(self, caller: str, rate: int, now: float) -> float:
        """Return 0 if `caller`, which may make `rate` requests in a minute, at once or
        spread, may make one more at `now`, which then counts; else the seconds until
        it may."""
        wait = self.wait(caller, rate, now)
        if not wait:
            free_at = max(self._free_at.get(caller, now), now)
            self._free_at[caller] = free_at + MINUTE / rate
        return wait

    def wait(self, caller: str, rate: int, now: float) -> float:
        """Return the same, and count nothing."""
        free_at = max(self._free_at.get(caller, now), now)
        return max(free_at + MINUTE / rate - now - MINUTE, 0.0)
