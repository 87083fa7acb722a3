"""The lifetime of a thread in the prompt cache. Pure.

Of a thread whose questions come in time with the share q, a prompt costs, in prices of
input: `q * READ + (1 - q) * write`. What comes too late has all of it written again, so
that the longer lifetime pays wherever people answer each other within the hour, and no
caching at all where they do not (Claude facts, section 3.3).
"""

import itertools
from collections.abc import Sequence

from bot.domain.completion import CacheTtl

#: The number of the newest questions whose times tell the rhythm of a thread.
QUESTIONS = 12

# Seconds that each lifetime lasts, and what writing to it costs.
_LIFETIMES: dict[CacheTtl, tuple[float, float]] = {
    "1h": (3_600.0, 2.0),
    "5m": (300.0, 1.25),
}

# The price of a read as a share of the input's, at the models where it is highest.
READ = 0.1

# The assumed rhythm of a thread that has none yet, as a number of pauses: people answer
# each other within the hour rather than within five minutes.
_ASSUMED = 4
_ASSUMED_SHARES: dict[CacheTtl, float] = {"1h": 0.85, "5m": 0.5}


def lifetime(times: Sequence[float]) -> CacheTtl | None:
    """Return the cheapest lifetime for a thread whose newest questions came at `times`,
    in seconds, oldest first; None if it is cheapest not to cache."""

    def cost(ttl: CacheTtl) -> float:
        share = _share(times, ttl)
        return share * READ + (1 - share) * _LIFETIMES[ttl][1]

    cheapest = min(_LIFETIMES, key=cost)
    return cheapest if cost(cheapest) < 1.0 else None


def answers_ahead(times: Sequence[float]) -> float:
    """Return how many answers are to be expected in such a thread until it is silent
    for longer than the longest lifetime."""
    share = _share(times, "1h")
    return share / (1 - share)


def _share(times: Sequence[float], ttl: CacheTtl) -> float:
    """Return the share of questions to be expected that come within `ttl`."""
    pauses = [after - before for before, after in itertools.pairwise(times)]
    in_time = sum(each <= _LIFETIMES[ttl][0] for each in pauses)
    return (in_time + _ASSUMED * _ASSUMED_SHARES[ttl]) / (len(pauses) + _ASSUMED)
