"""Builds the request for one ticket, and reads the answer from the response. Pure.

Rule: an answer must match the scheme as a whole. Nothing is taken from a part of it, or
from prose.
"""

import math
import time

from bot.claude.catalog import cost, find, named
from bot.claude.usage import MessageResponse
from bot.domain.completion import ChatMessage, Request, Usage
from bot.errors import ConfigError
from bot.messages import triage_files as messages
from bot.schemes.scheme import Scheme, material
from bot.text.characters import replace_lone_surrogates
from bot.triage.answer import CUT, INVALID, REFUSED, TOO_LONG, Answer
from bot.triage.bulk.spend_limit import UnknownPrice

#: A longer ticket is marked and not sent: it is probably something else, such as a file
#: with an unclosed quote, and above 100,000 tokens a prompt costs five times as much.
MOST_CHARS = 100_000

# The answer is one line, but thinking counts as well, and with too few tokens there is
# no answer at all (Claude facts 0.9). An answer that was cut off gets more tokens at
# the second try.
MAX_TOKENS = 4_096
MORE_TOKENS = 16_384

_MARKED = {
    "refusal": REFUSED,
    "max_tokens": CUT,
    "model_context_window_exceeded": TOO_LONG,
}


def resolve_model(name: str, budget: float | None) -> str:
    """Return the model id for `name`, an id or a family such as "opus".

    Raises ConfigError if the budget is not an amount above 0, and UnknownPrice if there
    is a budget and the price of the model is unknown.
    """
    if budget is not None and not (math.isfinite(budget) and budget > 0):
        raise ConfigError(messages.bad_budget(budget=budget))
    facts = named(name)
    chosen = facts.id if facts else name
    if budget is not None and cost(chosen, Usage(input=1), time.time()) is None:
        raise UnknownPrice(chosen)
    return chosen


def build_request(scheme: Scheme, model: str, text: str, *, tries: int = 0) -> Request:
    """Return the request for the ticket `text`, after `tries` tries.

    The prompt is cached for five minutes, and each call that reads it renews the cache.
    An hour costs more to write, which does not pay off in a batch, where only some
    calls find the prompt in the cache (Claude facts 1.8: 30 % and more).
    """
    facts = find(model)
    return Request(
        model=model,
        system=scheme.prompt,
        messages=(ChatMessage("user", material(replace_lone_surrogates(text))),),
        max_tokens=MORE_TOKENS if tries else MAX_TOKENS,
        effort="low" if facts is not None and facts.takes_effort else None,
        schema=scheme.schema_text,
        cache_ttl="5m",
        cache_messages=False,
    )


def too_long(text: str) -> str:
    """Return why `text` is too long to be sent, or ""."""
    if len(text) <= MOST_CHARS:
        return ""
    return messages.too_long(reason=TOO_LONG, length=len(text), most=MOST_CHARS)


def read_answer(
    scheme: Scheme,
    response: MessageResponse,
    *,
    now: float,
    tries: int,
    share: float = 1.0,
) -> Answer:
    """Return the answer in `response`. `now` decides its price, of which `share` is
    paid; `tries` counts the tries of the ticket, including this one."""
    values = None
    reason = _MARKED.get(response.stop_reason or "", "")
    if not reason:
        try:
            values = scheme.parse(response.text)
        except (ValueError, RecursionError):
            reason = INVALID
    return Answer(values, reason, response.usage, response.cost(now, share), tries)
