"""An organisation's rate limits per minute, and the headers that report them.

Rule: only the emulator's clock counts. Each model has three token buckets, which hold
the amount of a minute and are refilled continuously (claude 1.5).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.domain.completion import Usage


@dataclass(frozen=True)
class RateLimits:
    """The amounts allowed per minute and model."""

    requests: int
    input_tokens: int
    output_tokens: int


def stamp(seconds: float) -> str:
    """Return `seconds` since 1970 in RFC 3339."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


@dataclass
class _Bucket:
    name: str
    capacity: int
    level: float
    #: The time at which it had that level.
    at: float

    def fill(self, now: float) -> None:
        gained = (now - self.at) * self.capacity / 60
        self.level, self.at = min(self.capacity, self.level + gained), now

    def wait(self, need: float) -> float:
        """Return the seconds until it holds `need`, which is capped at its capacity."""
        lacking = min(need, self.capacity) - self.level
        # The tolerance is for rounding errors.
        return lacking * 60 / self.capacity if lacking > 1e-6 else 0.0


class Limiter:
    """Enforces `limits` for each model separately."""

    def __init__(
        self,
        limits: RateLimits,
        clock: Callable[[], float],
        epoch: Callable[[], float],
    ) -> None:
        self._limits = limits
        self._clock = clock
        self._epoch = epoch
        self._buckets: dict[str, tuple[_Bucket, _Bucket, _Bucket]] = {}

    def admit(self, model: str, usage: Usage) -> float:
        """Take a request and its input from the buckets, and return 0.0. If a bucket
        lacks them, take nothing and return the seconds to wait."""
        requests, inputs, outputs = self._filled(model)
        # Tokens read from the cache do not count.
        size = usage.input + usage.cache_write_5m + usage.cache_write_1h
        # The length of the answer is not known yet, so it may overdraw its bucket.
        wait = max(requests.wait(1), inputs.wait(size), outputs.wait(1))
        if wait <= 0:
            requests.level -= 1
            inputs.level -= size
        return wait

    def spend(self, model: str, output: int) -> None:
        """Take the tokens of an answer."""
        self._filled(model)[2].level -= output

    def headers(self, model: str) -> dict[str, str]:
        """Return the headers that report the current limits."""
        said = {}
        for bucket in self._filled(model):
            full = bucket.at + bucket.wait(bucket.capacity)
            name = f"anthropic-ratelimit-{bucket.name}"
            said[f"{name}-limit"] = str(bucket.capacity)
            said[f"{name}-remaining"] = str(max(0, math.floor(bucket.level + 1e-6)))
            said[f"{name}-reset"] = stamp(math.ceil(self._epoch() + full))
        return said

    def _filled(self, model: str) -> tuple[_Bucket, _Bucket, _Bucket]:
        now = self._clock()
        if model not in self._buckets:
            self._buckets[model] = (
                _full("requests", self._limits.requests, now),
                _full("input-tokens", self._limits.input_tokens, now),
                _full("output-tokens", self._limits.output_tokens, now),
            )
        for bucket in self._buckets[model]:
            bucket.fill(now)
        return self._buckets[model]


def _full(name: str, capacity: int, now: float) -> _Bucket:
    return _Bucket(name, capacity, capacity, now)
