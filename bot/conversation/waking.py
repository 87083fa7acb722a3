"""The costs and gains of a summary for a thread that wakes after a silence. Pure.

Rule 1: with a summary, the answer that wakes the thread reads it at the price of input
once more, and writes nothing to the cache. The next answer writes the summary and the
newest turns. Without a summary, the whole thread is written to the cache at once, and
read for every answer until the next silence (Claude facts 3.3 and 3.4).

Rule 2: prices are the model's prices at that time. If a price is unknown, the summary
does not pay.
"""

from collections.abc import Sequence

from bot.claude import catalog
from bot.context import cache_lifetime, summaries
from bot.domain.completion import CacheTtl, Usage

#: The smallest share of the cost that a summary has to save. For less, nothing that
#: people said is left out.
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
    """Return whether a summary by `cheap` costs less than going on without one.

    `model` reads the thread of `tokens` tokens. `mark` is defined as in `summaries`,
    and `times` are the times of the thread's newest questions.
    """
    ttl = cache_lifetime.lifetime(times)
    ahead = max(1.0, cache_lifetime.answers_ahead(times))
    left = summaries.EXPECTED + summaries.kept_tokens(tokens, mark, silent=True)

    def written(count: int) -> float | None:
        return catalog.cost(model, _cache_write(count, ttl), at)

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


def _cache_write(tokens: int, ttl: CacheTtl | None) -> Usage:
    """Return the usage of writing a prompt to the cache."""
    match ttl:
        case "1h":
            return Usage(cache_write_1h=tokens)
        case "5m":
            return Usage(cache_write_5m=tokens)
        case None:
            return Usage(input=tokens)
