"""Chooses the lifetime of a thread in the prompt cache. Pure.

If the share q of a thread's questions comes in time, the cost of a prompt is
`q * READ + (1 - q) * write`, in units of the input price: a late question causes the
whole prompt to be written again. So the longer lifetime pays wherever people answer
each other within the hour, and where they do not, it is cheapest not to cache (Claude
facts, section 3.3).
"""

import itertools
from collections.abc import Sequence

from bot.domain.completion import CacheTtl

#: The number of newest questions whose times show the rhythm of a thread.
QUESTIONS = 12

# Seconds that each lifetime lasts, and the price of writing to it.
_LIFETIMES: dict[CacheTtl, tuple[float, float]] = {
    "1h": (3_600.0, 2.0),
    "5m": (300.0, 1.25),
}

# The price of a read as a share of the input price, for the models where it is
# highest.
READ = 0.1

# The weight of the assumed rhythm, as a number of pauses. People are assumed to answer
# each other within the hour rather than within five minutes.
_ASSUMED = 4
_ASSUMED_SHARES: dict[CacheTtl, float] = {"1h": 0.85, "5m": 0.5}


def lifetime(times: Sequence[float]) -> CacheTtl | None:
    """Return the cheapest lifetime for a thread; None if it is cheapest not to cache.

    `times` are the times of the thread's newest questions, in seconds, oldest first.
    """

    def cost(ttl: CacheTtl) -> float:
        share = _share(times, ttl)
        return share * READ + (1 - share) * _LIFETIMES[ttl][1]

    cheapest = min(_LIFETIMES, key=cost)
    return cheapest if cost(cheapest) < 1.0 else None


def answers_ahead(times: Sequence[float]) -> float:
    """Return how many answers to expect before the thread is silent.

    Silent means: for longer than the longest lifetime. `times` are as in `lifetime`.
    """
    share = _share(times, "1h")
    return share / (1 - share)


def _share(times: Sequence[float], ttl: CacheTtl) -> float:
    """Return the expected share of questions that come within `ttl`."""
    pauses = [after - before for before, after in itertools.pairwise(times)]
    in_time = sum(each <= _LIFETIMES[ttl][0] for each in pauses)
    return (in_time + _ASSUMED * _ASSUMED_SHARES[ttl]) / (len(pauses) + _ASSUMED)
