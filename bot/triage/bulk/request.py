"""One ticket as Claude is asked about it, and what is made of the answer. Pure.

Rule: an answer is what the scheme's model accepts, whole; nothing is guessed from half
of one, or from prose.
"""

import math
import time
from typing import Any

from anthropic.types import Message

from bot.claude import cost as claude_cost
from bot.claude.catalog import cost, find, named
from bot.domain.completion import Call, Usage
from bot.errors import ConfigError
from bot.schemes.scheme import Scheme, material
from bot.triage.answer import CUT, INVALID, REFUSED, REJECTED, TOO_LONG, Answer

#: A longer ticket is marked and not sent: it would be something else, such as a file
#: whose quote never ends, and above 100,000 tokens a prompt is five times dearer.
MOST_CHARS = 100_000

# The answer is a line; thinking counts, too, and too little room gives none at all
# (Claude facts 0.9). An answer that was cut is given more room.
MAX_TOKENS = 4_096
MORE_TOKENS = 16_384

# More than the frame of a request adds to its texts, in tokens: the API turns the
# schema into a system prompt of its own.
_FRAME_TOKENS = 1_000

# A prompt is kept for five minutes, which each call that reads it begins anew. Longer
# costs more to write, which in a batch, where only some calls find it (Claude facts
# 1.8: from 30 % on), would cost more than not to keep it.
_CACHED = {"type": "ephemeral", "ttl": "5m"}


def model_of(name: str, budget: float | None) -> str:
    """The id of the model that people mean. Raises ConfigError where a budget could
    not be kept, because it is no amount or nobody knows what the model costs."""
    if budget is not None and not (math.isfinite(budget) and budget > 0):
        raise ConfigError(f"A budget is an amount in USD above 0, not {budget}.")
    facts = named(name)
    chosen = facts.id if facts else name
    if budget is not None and cost(chosen, Usage(input=1), time.time()) is None:
        raise ConfigError(
            f"What {chosen} costs is not known, so a budget cannot be kept: leave out "
            "--budget, or choose another model."
        )
    return chosen


def parameters(
    scheme: Scheme, model: str, text: str, *, tries: int = 0
) -> dict[str, Any]:
    """What the Messages API is asked about ticket `text`, which was asked about
    `tries` times before.

    The prompt is cached from the length on from which the model caches one.
    """
    facts = find(model)
    config: dict[str, Any] = {
        "format": {"type": "json_schema", "schema": scheme.schema}
    }
    if facts is not None and facts.takes_effort:
        config["effort"] = "low"
    prompt = {"type": "text", "text": scheme.prompt, "cache_control": _CACHED}
    return {
        "model": model,
        "max_tokens": MORE_TOKENS if tries else MAX_TOKENS,
        "system": [prompt],
        "messages": [{"role": "user", "content": material(text)}],
        "output_config": config,
    }


def too_long(text: str) -> str:
    """Why `text` is not asked about, if it is too long; "" if it is not."""
    if len(text) <= MOST_CHARS:
        return ""
    return f"{TOO_LONG}: {len(text):,} characters, and at most {MOST_CHARS:,} are sent"


def read(
    scheme: Scheme,
    message: Message,
    *,
    model: str,
    now: float,
    tries: int,
    share: float = 1.0,
) -> Answer:
    """What `message` says, for which `model` was asked. `now` is for its price, of
    which `share` is to be paid, and `tries` how often the ticket was asked about, this
    time included."""
    usage = used(message)
    paid = _paid(message, model, usage, now, share)
    marked = {"refusal": REFUSED, "max_tokens": CUT}
    reason = marked.get(message.stop_reason or "", "")
    values = None
    if message.stop_reason == "model_context_window_exceeded":
        reason = TOO_LONG
    elif not reason:
        text = "".join(b.text for b in message.content if b.type == "text")
        try:
            values = scheme.parse(text)
        except (ValueError, RecursionError):
            reason = INVALID
    return Answer(values, reason, usage, paid, tries)


def _paid(
    message: Message, model: str, usage: Usage, now: float, share: float
) -> float | None:
    """What `message` costs in USD, by the dearer of the model that was asked and the
    one that answered; None where that is not known, or what it used."""
    if not usage.prompt or (message.content and not usage.output):
        return None
    region = str(getattr(message.usage, "inference_geo", None) or "")
    factor = 1.0 if region in claude_cost.ANYWHERE else claude_cost.REGION_SHARE
    models = tuple(dict.fromkeys((model, message.model)))
    return claude_cost.price((Call(models, usage, True, share * factor),), now)


def used(message: Message) -> Usage:
    """The tokens of a whole answer."""
    said = message.usage
    written = said.cache_creation_input_tokens or 0
    split = said.cache_creation
    long = min(split.ephemeral_1h_input_tokens if split else 0, written)
    return Usage(
        input=said.input_tokens or 0,
        cache_write_5m=written - long,
        cache_write_1h=long,
        cache_read=said.cache_read_input_tokens or 0,
        output=said.output_tokens or 0,
    )


def rejected(tries: int) -> Answer:
    """A ticket that the API does not take; that costs nothing."""
    return Answer(reason=REJECTED, tries=tries)


def most(parameters: dict[str, Any], at: float, share: float = 1.0) -> float | None:
    """The most that a call with these `parameters` can cost, in USD: no token is less
    than a byte. None when the price is not known."""
    said = parameters["system"][0]["text"] + parameters["messages"][0]["content"]
    schema = str(parameters["output_config"])
    tokens = len(said.encode()) + len(schema.encode()) + _FRAME_TOKENS
    usage = Usage(cache_write_1h=tokens, output=parameters["max_tokens"])
    call = Call((parameters["model"],), usage, share=share * claude_cost.REGION_SHARE)
    return claude_cost.price((call,), at)
