"""Costs and gains of a summary for a thread that wakes after a silence. Pure.

Rule 1: with a summary, the answer that wakes the thread reads it once more at the price
of input and writes nothing to the cache; the next one writes the summary and the newest
turns. Without one, all of it is written at once, and read for every answer that follows
until the next silence (Claude facts 3.3 and 3.4).
Rule 2: prices are those of the model at that time. What nobody knows the price of does
not pay.
"""

from collections.abc import Sequence

from bot.claude import catalog
from bot.context import cache_lifetime, summaries
from bot.domain.completion import CacheTtl, Usage

#: The part of the cost that a summary saves at least: for less, nothing is left out of
#: what people said.
SAVES = 0.1


def pays(
    *,
    model: str,
    cheap: str,
    tokens: int,
    mark: int,
    times: Sequence[float],
    at: float,
) -> bool:
    """Return whether it costs less to have `cheap` summarise a thread of `tokens`,
    which `model` reads, than to go on with it as it is. `mark` is as in `summaries`;
    its newest questions came at `times`."""
    ttl = cache_lifetime.lifetime(times)
    ahead = max(1.0, cache_lifetime.answers_ahead(times))
    left = summaries.EXPECTED + summaries.kept(tokens, mark, silent=True)

    def written(count: int) -> float | None:
        return catalog.cost(model, _written(count, ttl), at)

    def read(count: int) -> float | None:
        usage = Usage(cache_read=count) if ttl else Usage(input=count)
        return catalog.cost(model, usage, at)

    made = Usage(input=tokens, output=summaries.EXPECTED)
    costs = (
        *(written(tokens), read(tokens)),
        *(catalog.cost(model, Usage(input=tokens), at), catalog.cost(cheap, made, at)),
        *(written(left), read(left)),
    )
    known = [each for each in costs if each is not None]
    if len(known) < len(costs):
        return False
    write, again, waking, summary, write_left, again_left = known
    without = write + ahead * again
    summarised = waking + summary + write_left + (ahead - 1) * again_left
    return summarised <= (1 - SAVES) * without


def _written(tokens: int, ttl: CacheTtl | None) -> Usage:
    """Return the usage of a prompt that is written to the cache."""
    match ttl:
        case "1h":
            return Usage(cache_write_1h=tokens)
        case "5m":
            return Usage(cache_write_5m=tokens)
        case None:
            return Usage(input=tokens)
