"""Estimates the cost of a file before anything is paid for.

The API counts the tokens of a sample for free. The cost follows from the prices in the
catalog.
"""

import asyncio
import json
import random
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.claude.batches import BATCH_SHARE
from bot.claude.catalog import find
from bot.claude.client import ClaudeClient
from bot.schemes.scheme import Scheme
from bot.triage.answer import Ticket
from bot.triage.bulk.request import build_request, too_long

#: The number of tickets that are counted for each model.
SAMPLE = 30

# The number of concurrent counts, which have rate limits of their own (Claude facts
# 1.5).
_AT_ONCE = 8

# The best and the worst share of a batch's requests that read the prompt from the cache
# (Claude facts 1.8). In consecutive calls, all but the first do.
_BEST_HITS, _WORST_HITS = 0.98, 0.3

# The tokens of an answer if the scheme has no examples; a guess (?).
_ANSWER = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """A uniform random sample of tickets."""

    tickets: tuple[str, ...]
    #: The number of distinct tickets that would be sent.
    total: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """The estimated cost with one model, in USD; None if its price is unknown."""

    model: str
    now: float | None
    #: With the best and the worst known share of cache reads.
    batch_best: float | None
    batch_worst: float | None
    #: In tokens: the shared prompt, the average ticket, and the average answer.
    prompt: int
    ticket: float
    answer: float
    #: Whether the prompt is long enough to be cached.
    cached: bool


def draw(tickets: Iterable[Ticket], seed: int = 0) -> Sample:
    """Return a sample of `tickets`, always the same one for the same file."""
    chance = random.Random(seed)
    kept: list[str] = []
    seen: set[int] = set()
    for ticket in tickets:
        name = hash(ticket.text)
        unsent = ticket.problem or not ticket.text or too_long(ticket.text)
        if unsent or name in seen:
            continue
        seen.add(name)
        if len(kept) < SAMPLE:
            kept.append(ticket.text)
        elif (place := chance.randrange(len(seen))) < SAMPLE:
            kept[place] = ticket.text
    return Sample(tuple(kept), len(seen))


async def estimate(
    client: ClaudeClient,
    scheme: Scheme,
    sample: Sample,
    models: Sequence[str],
    now: Callable[[], float] = time.time,
) -> list[Estimate]:
    """Return the estimated cost of all tickets that `sample` was drawn from, by model.

    Raises a ModelError if the API cannot count the tokens.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def count(model: str, text: str) -> int:
        async with gate:
            return await client.count(build_request(scheme, model, text))

    async def one(model: str) -> Estimate:
        bare = await count(model, ".")
        sizes = await asyncio.gather(*(count(model, text) for text in sample.tickets))
        answers = [
            json.dumps(dict(example.values), ensure_ascii=False)
            for example in scheme.examples
        ]
        lengths = await asyncio.gather(*(count(model, text) for text in answers))
        ticket = sum(size - bare for size in sizes) / max(1, len(sizes))
        answer = sum(n - bare for n in lengths) / len(lengths) if lengths else _ANSWER
        return _price(model, sample.total, bare, ticket, answer, now())

    return list(await asyncio.gather(*(one(model) for model in models)))


def _price(
    model: str, total: int, prompt: int, ticket: float, answer: float, now: float
) -> Estimate:
    facts = find(model)
    cached = facts is not None and prompt >= facts.min_cache
    prices = facts.prices_on(datetime.fromtimestamp(now, UTC).date()) if facts else None

    def price(hits: float, share: float = 1.0) -> float | None:
        if prices is None:
            return None
        kept = hits * prices.cache_read + (1 - hits) * prices.cache_write_5m
        each = (
            prompt * (kept if cached else prices.input)
            + ticket * prices.input
            + answer * prices.output
        )
        return total * share * each / 1_000_000

    return Estimate(
        model,
        now=price((total - 1) / total if total else 0.0),
        batch_best=price(_BEST_HITS, BATCH_SHARE),
        batch_worst=price(_WORST_HITS, BATCH_SHARE),
        prompt=prompt,
        ticket=ticket,
        answer=answer,
        cached=cached,
    )
