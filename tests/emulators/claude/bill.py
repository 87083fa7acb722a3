"""The API's bill, computed independently of the product.

Rule: this module uses neither the product's prices nor its arithmetic. The prices are
those of the facts sheet ("claude 2"), in USD per million tokens.
"""

import re
from collections import defaultdict
from collections.abc import Iterable

from bot.domain.completion import Usage
from tests.emulators.claude.reply import Asked

#: The prices of input, output, 5-minute cache writes, 1-hour cache writes and cache
#: reads.
PRICES = {
    "claude-haiku-5-5": (0.10, 0.50, 0.125, 0.20, 0.01),
    "claude-sonnet-5-5": (2.00, 10.00, 2.50, 4.00, 0.10),
    "claude-opus-5-5": (4.00, 20.00, 5.00, 8.00, 0.20),
    "claude-haiku-4-5": (1.00, 5.00, 1.25, 2.00, 0.10),
    "claude-sonnet-4-6": (3.00, 15.00, 3.75, 6.00, 0.30),
}
#: The number of prompt tokens above which the price of the whole request is multiplied,
#: and the factor.
LONG = {"claude-haiku-5-5": (100_000, 5.0)}
SEARCH = 0.01
#: The price factor for `inference_geo` "us".
REGION = 1.1


def usd(asked: Asked) -> float:
    """Return the cost in USD of a request for an answer, or 0.0 if it was refused."""
    if asked.billed is None:
        return 0.0
    return priced(asked.answered_by or str(asked.body["model"]), asked.billed)


def priced(model: str, used: Usage, *, region: str = "global") -> float:
    """Return the cost in USD of `used` at the prices of `model`."""
    model = re.sub(r"-20\d{6}$", "", model)
    kinds = (
        used.input,
        used.output,
        used.cache_write_5m,
        used.cache_write_1h,
        used.cache_read,
    )
    total = sum(
        price * count for price, count in zip(PRICES[model], kinds, strict=True)
    )
    longest, factor = LONG.get(model, (0, 1.0))
    if longest and used.prompt > longest:
        total *= factor
    if region == "us":
        total *= REGION
    return total / 1_000_000 + SEARCH * used.searches


def by_user(requests: Iterable[Asked]) -> dict[str, float]:
    """Return the cost in USD of all requests for answers, by the user id in their
    metadata."""
    found: dict[str, float] = defaultdict(float)
    for asked in requests:
        if asked.path == "/v1/messages":
            user = (asked.body.get("metadata") or {}).get("user_id", "")
            found[user] += usd(asked)
    return found
