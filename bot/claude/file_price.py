"""Computes the cost of reading a file for the first time. Pure."""

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
    """Return the cost of `tokens` of a prompt at `at` (seconds since 1970), in USD.

    The tokens are written to the cache for `ttl`, or not cached if it is None. Return
    None if the price is unknown.
    """
    kind = {"1h": "cache_write_1h", "5m": "cache_write_5m", None: "input"}[ttl]
    return catalog.cost(model, Usage(**{kind: tokens}), at)


def cheapest(tokens: int, ttl: CacheTtl | None, at: float) -> tuple[str, float] | None:
    """Return the cheapest model for reading `tokens`, and its price as in `price`.

    Only models that everybody may use count. Return None if there is none.
    """
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
    """Return a request for counting: its prompt has the tokens of `file` and a few
    more."""
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
