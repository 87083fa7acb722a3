"""The cost of having a file read for the first time. Pure."""

from bot.claude import catalog
from bot.domain.attachment import ThreadFile
from bot.domain.completion import (
    CacheTtl,
    ChatMessage,
    Request,
    RequestFile,
    Usage,
)


def price(model: str, tokens: int, ttl: CacheTtl | None, at: float) -> float | None:
    """Return what `tokens` of a prompt cost at `at` (seconds since 1970), in USD, or
    None if the price is unknown. They are written to the cache for `ttl`; not if it is
    None."""
    kind = {"1h": "cache_write_1h", "5m": "cache_write_5m", None: "input"}[ttl]
    return catalog.cost(model, Usage(**{kind: tokens}), at)


def cheapest(tokens: int, ttl: CacheTtl | None, at: float) -> tuple[str, float] | None:
    """Return the model that everybody may use and that reads `tokens` at the lowest
    price, as in `price`, and the price; None if none can."""
    fitting = [
        (amount, facts.id)
        for facts in catalog.MODELS.values()
        if facts.context > tokens and not facts.restricted
        if not (facts.retires and facts.retires <= catalog.day_of(at))
        if (amount := price(facts.id, tokens, ttl, at)) is not None
    ]
    if not fitting:
        return None
    amount, model = min(fitting)
    return model, amount


def count_request(model: str, file: ThreadFile, data: bytes) -> Request:
    """Return the request whose tokens are those of `file`, and a few."""
    shown = RequestFile(
        name=file.name,
        digest=file.digest,
        kind=file.kind,
        media_type=file.media_type,
        tokens=file.tokens,
        pages=file.pages,
        size=len(data),
        data=data,
    )
    return Request(model, "", (ChatMessage("user", ".", (shown,)),), max_tokens=1)
