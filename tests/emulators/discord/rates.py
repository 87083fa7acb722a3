"""Discord's rate limits (B4) as data, and the meter that enforces them. No I/O.

Each bucket and channel has a fixed window: the first call opens it, and `count` calls
are served until it closes. Discord publishes no counts; these were observed. A refused
call costs nothing, and a caller that waits as long as told is served.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from tests.emulators.discord.model import Request


@dataclass(frozen=True, slots=True)
class Rate:
    """`count` calls in each window of `seconds`."""

    count: int
    seconds: float


#: By the name of the bucket, which X-RateLimit-Bucket shows.
Rates = Mapping[str, Rate]

#: "message.create" and "message.edit" are two buckets, each per channel.
RATES: Rates = {
    "message.create": Rate(5, 5.0),
    "message.edit": Rate(5, 5.0),
    "global": Rate(50, 1.0),
}

#: No limits, for tests of other things.
UNLIMITED: Rates = {}

_BUCKETS = (
    ("POST", re.compile(r"/channels/(\d+)/messages"), "message.create"),
    ("PATCH", re.compile(r"/channels/(\d+)/messages/\d+"), "message.edit"),
)
#: Responses to people are not counted (B4).
_EXEMPT = re.compile(r"/(interactions|webhooks)/.*")


@dataclass(slots=True)
class _Window:
    closes: float
    used: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of metering a call."""

    headers: Mapping[str, str]
    #: Seconds until the call would be served; 0.0 if it is served now.
    wait: float = 0.0
    everywhere: bool = False


class Meter:
    """Counts calls, and refuses those that come too soon."""

    def __init__(self, rates: Rates, clock: Callable[[], float]) -> None:
        self.rates = rates
        self._clock = clock
        self._windows: dict[tuple[str, str], _Window] = {}

    def admit(self, request: Request) -> Verdict:
        """Count a call unless it comes too soon. Return the verdict."""
        whole = None
        if not _EXEMPT.fullmatch(request.path):
            whole = self._window("global", "")
            if self._is_full("global", whole):
                return self._refusal("global", whole)
        bucket, channel = _bucket(request)
        window = self._window(bucket, channel)
        if self._is_full(bucket, window):
            return self._refusal(bucket, window)
        for each in (whole, window):
            if each is not None:
                each.used += 1
        return Verdict(self._headers(bucket, window))

    def _window(self, bucket: str, channel: str) -> _Window | None:
        rate = self.rates.get(bucket)
        if rate is None:
            return None
        window = self._windows.get((bucket, channel))
        if window is None or window.closes <= self._clock():
            window = _Window(self._clock() + rate.seconds)
            self._windows[bucket, channel] = window
        return window

    def _is_full(self, bucket: str, window: _Window | None) -> bool:
        return window is not None and window.used >= self.rates[bucket].count

    def _headers(self, bucket: str, window: _Window | None) -> dict[str, str]:
        if window is None:
            return {}
        rate = self.rates[bucket]
        return {
            "X-RateLimit-Limit": str(rate.count),
            "X-RateLimit-Remaining": str(rate.count - window.used),
            "X-RateLimit-Reset": f"{window.closes:.3f}",
            "X-RateLimit-Reset-After": f"{self._left(window):.3f}",
            "X-RateLimit-Bucket": bucket,
        }

    def _refusal(self, bucket: str, window: _Window | None) -> Verdict:
        assert window is not None
        everywhere = bucket == "global"
        # The global limit does not report the call's own bucket.
        headers = {} if everywhere else self._headers(bucket, window)
        scope = "global" if everywhere else "user"
        headers |= {"X-RateLimit-Scope": scope}
        headers |= {"X-RateLimit-Global": "true"} if everywhere else {}
        return Verdict(headers, self._left(window), everywhere)

    def _left(self, window: _Window) -> float:
        # A margin, so that a client with another clock does not come too early.
        return window.closes - self._clock() + 0.005


def _bucket(request: Request) -> tuple[str, str]:
    for method, path, bucket in _BUCKETS:
        match = path.fullmatch(request.path)
        if match and method == request.method:
            return bucket, match[1]
    return "", ""
