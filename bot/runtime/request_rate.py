"""A limit of requests a minute for each of many callers. Callers pass the time in.
Pure.
"""

from bot.runtime.lru import LruDict

MINUTE = 60.0


class RequestRate:
    """A rate limiter that stores one number per caller (GCRA).

    The number is the time at which the caller's full rate is available again. Only the
    last `most_callers` callers are remembered.
    """

    def __init__(self, most_callers: int) -> None:
        self._free_at: LruDict[str, float] = LruDict(most_callers)

    def take(self, caller: str, rate: int, now: float) -> float:
        """Count one request and return 0 if `caller` may make it at `now`.

        Otherwise, return the seconds until it may. A caller may make `rate` requests a
        minute, all at once or spread out.
        """
        wait = self.wait(caller, rate, now)
        if not wait:
            free_at = max(self._free_at.get(caller, now), now)
            self._free_at[caller] = free_at + MINUTE / rate
        return wait

    def wait(self, caller: str, rate: int, now: float) -> float:
        """Return the same as `take`, without counting a request."""
        free_at = max(self._free_at.get(caller, now), now)
        return max(free_at + MINUTE / rate - now - MINUTE, 0.0)
