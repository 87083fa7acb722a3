"""The models of Claude: their parameters, limits and prices.

Rule: an unknown price is None, never 0, and every number cites its source: [docs] is
Anthropic's own documentation as read in August to November 2026, [sdk] the anthropic
package 2.12.0, [3p] a third party; (?) marks a number that no first-party source
confirms. A price that changed stays here with its date, so that last month's turns keep
last month's cost.
"""

import datetime
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from bot.domain.completion import Usage
from bot.messages import values as messages

#: The current Sonnet [docs, models overview].
DEFAULT_MODEL = "claude-sonnet-5-5"

#: The cheapest model and the default, between which `auto` chooses [docs, models
#: overview].
CHEAP_MODEL = "claude-haiku-5-5"
CAPABLE_MODEL = DEFAULT_MODEL

#: How long before its retirement people are warned about a model.
RETIRES_SOON = datetime.timedelta(days=60)

#: USD for one web search, with any model [docs, web search].
SEARCH_PRICE = 0.01

_TOKENS = 1_000_000
_DATED = re.compile(r"-20\d{6}$")


@dataclass(frozen=True, slots=True)
class Prices:
    """USD for a million tokens of each kind."""

    input: float
    output: float
    cache_write_5m: float
    cache_write_1h: float
    cache_read: float

    def of(self, usage: Usage) -> float:
        """Return the cost of `usage`, in USD."""
        return (
            self.input * usage.input
            + self.output * usage.output
            + self.cache_write_5m * usage.cache_write_5m
            + self.cache_write_1h * usage.cache_write_1h
            + self.cache_read * usage.cache_read
        ) / _TOKENS + SEARCH_PRICE * usage.searches


@dataclass(frozen=True, slots=True)
class Tariff:
    """The prices of a model from a day on (UTC), until the day of the next tariff."""

    since: datetime.date
    prices: Prices
    #: Prices of the whole call if its prompt has more than `long_prompt` tokens.
    long_prices: Prices | None = None
    #: In tokens.
    long_prompt: int = 0

    def of(self, usage: Usage) -> float:
        """Return the cost of `usage`, in USD."""
        return self.prices_for(usage.prompt).of(usage)

    def prices_for(self, prompt: float) -> Prices:
        """Return the prices of a call whose prompt has `prompt` tokens."""
        long = self.long_prices
        return long if long is not None and prompt > self.long_prompt else self.prices


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """The documented facts of one model."""

    id: str
    #: Input and output together, in tokens.
    context: int
    #: The largest `max_tokens`.
    max_output: int
    #: Prompts shorter than this many tokens are never cached.
    min_cache: int
    #: Oldest first; empty if no price is known.
    tariffs: tuple[Tariff, ...]
    #: Whether `effort` may be sent at all.
    takes_effort: bool = True
    #: The model's effort if none is sent; None if unknown.
    effort: str | None = None
    #: The day on which the model stops answering; None if none is announced.
    retires: datetime.date | None = None
    #: Whether the API's version before 2026-10-21 accepts a temperature: Opus 4.7 and
    #: all later models reject it in every version [docs, 3p].
    takes_temperature: bool = False
    #: Only verified organisations may use it.
    restricted: bool = False
    #: Whether the model takes images and PDFs: all known models do [docs, vision and
    #: PDF].
    takes_images: bool = True
    takes_pdfs: bool = True
    #: The longest edge, in pixels, of an image that the model sees in full: this value
    #: holds for Opus 4.7 and all later models [docs, vision].
    edge: int = 2576

    def prices_on(self, day: datetime.date) -> Prices | None:
        """Return the prices on `day` for a prompt that is not long, or None if
        unknown."""
        tariff = self.tariff_on(day)
        return tariff.prices if tariff else None

    def tariff_on(self, day: datetime.date) -> Tariff | None:
        """Return the tariff on `day`, or None if unknown."""
        known = [tariff for tariff in self.tariffs if tariff.since <= day]
        return known[-1] if known else None


@dataclass(frozen=True, slots=True)
class ModelAvailability:
    """The API's report about the models in this catalog."""

    #: Retired models.
    retired: frozenset[str] = frozenset()
    #: Models that the API does not list for this key.
    unlisted: frozenset[str] = frozenset()
    #: Announced retirement dates.
    retires: Mapping[str, datetime.date] = field(default_factory=dict)
    #: Listed models that are not in this catalog.
    unknown: tuple[str, ...] = ()
    #: Whether a model takes images, and PDFs, by its id.
    images: Mapping[str, bool] = field(default_factory=dict)
    pdfs: Mapping[str, bool] = field(default_factory=dict)
    #: Whether a model's code may call tools, by model id.
    code: Mapping[str, bool] = field(default_factory=dict)
    #: Whether the API can compact a conversation for a model, by model id.
    compaction: Mapping[str, bool] = field(default_factory=dict)


def refused(model: str, survey: ModelAvailability) -> str:
    """Return why `model` cannot be chosen, or "" if it can."""
    if model in survey.retired:
        return messages.model_was_retired(model=model)
    return messages.model_not_available(model=model) if model in survey.unlisted else ""


def named(text: str) -> ModelFacts | None:
    """Return the model with the id `text`, or the newest of the family `text`, such as
    "opus"; None if there is none."""
    wanted = text.strip().lower()
    return find(wanted) or next(
        (f for f in MODELS.values() if f.id.split("-")[1] == wanted), None
    )


def find(model: str) -> ModelFacts | None:
    """Return the facts of `model`, an id or a dated id, or None if unknown."""
    return MODELS.get(model) or MODELS.get(_DATED.sub("", model))


def cost(model: str, usage: Usage, at: float) -> float | None:
    """Return the cost of `usage` of `model` at `at` (seconds since 1970), in USD, or
    None if its price at that time is unknown. Empty usage costs nothing, for any
    model."""
    if usage == Usage():
        return 0.0
    facts = find(model)
    if facts is None:
        return None
    tariff = facts.tariff_on(day_of(at))
    return tariff.of(usage) if tariff else None


def saved(model: str, usage: Usage, at: float, calls: int = 1) -> float:
    """Return the savings by caching on `usage`, the sum of `calls` calls, in USD;
    negative if it cost more, 0 if the price is unknown."""
    facts = find(model)
    tariff = facts.tariff_on(day_of(at)) if facts is not None else None
    if tariff is None:
        return 0.0
    plain = replace(
        usage, input=usage.prompt, cache_write_5m=0, cache_write_1h=0, cache_read=0
    )
    # Each call has its own price; their average size chooses between the prices.
    prices = tariff.prices_for(usage.prompt / max(1, calls))
    return prices.of(plain) - prices.of(usage)


def day_of(at: float) -> datetime.date:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).date()


# "1M" and "200K" are round numbers in the documentation, and so they are here.
_1M, _200K = 1_000_000, 200_000
_128K, _64K = 128_000, 64_000

#: The first day of a price that never changed.
_ALWAYS = datetime.date.min


def _day(text: str) -> datetime.date:
    return datetime.date.fromisoformat(text)


# Prices: input, output, 5 minute write, 1 hour write, read. Up to Opus 5 [docs,
# pricing, August]; Opus, Sonnet and Haiku 5.5 [docs, what's new, September to
# November; 3p: claudit 1.9.2, re-checked live on 2026-10-24].
_OPUS = Prices(5.00, 25.00, 6.25, 10.00, 0.50)
_SONNET_4 = Prices(3.00, 15.00, 3.75, 6.00, 0.30)
_FABLE_5 = Prices(10.00, 50.00, 12.50, 20.00, 1.00)
_FABLE_5_1 = Prices(10.00, 50.00, 12.50, 20.00, 0.25)
# Fable 5.2: input and output [docs, release notes of 2026-11-09], the 5 minute
# write and the read [3p], the 1 hour write (?) is twice the input as elsewhere.
_FABLE_5_2 = Prices(8.00, 40.00, 10.00, 16.00, 0.20)

# Context and output: [sdk, docs: models overview, 5.5 model pages]. Smallest cached
# prompt: [docs, prompt caching and what's new]. Effort: [docs, effort and what's new];
# without a documented default, there is none here.
_CURRENT = (
    ModelFacts(
        "claude-haiku-5-5",
        _1M,
        _128K,
        min_cache=512,
        effort="medium",
        tariffs=(
            Tariff(
                _day("2026-10-07"),
                Prices(0.10, 0.50, 0.125, 0.20, 0.01),
                # From 100,001 tokens on, the whole call costs five times as much
                # [docs].
                long_prices=Prices(0.50, 2.50, 0.625, 1.00, 0.05),
                long_prompt=100_000,
            ),
        ),
    ),
    ModelFacts(
        # Not retired before 2027-09-28 [docs].
        "claude-sonnet-5-5",
        _1M,
        _128K,
        min_cache=512,
        effort="high",
        tariffs=(
            Tariff(_day("2026-09-28"), Prices(2.00, 10.00, 2.50, 4.00, 0.20)),
            # The price of cache reads was halved [docs].
            Tariff(_day("2026-10-07"), Prices(2.00, 10.00, 2.50, 4.00, 0.10)),
        ),
    ),
    ModelFacts(
        "claude-opus-5-5",
        _1M,
        _128K,
        min_cache=512,
        effort="medium",
        tariffs=(Tariff(_day("2026-09-22"), Prices(4.00, 20.00, 5.00, 8.00, 0.20)),),
    ),
    ModelFacts(
        "claude-fable-5-2",
        _1M,
        _128K,
        min_cache=512,  # (?)
        effort="high",
        tariffs=(Tariff(_day("2026-11-09"), _FABLE_5_2),),
    ),
)

_LEGACY = (
    ModelFacts(
        "claude-fable-5-1",
        _1M,
        _128K,
        min_cache=512,
        effort="high",
        tariffs=(Tariff(_day("2026-09-01"), _FABLE_5_1),),
    ),
    ModelFacts(
        # Effort is not documented for this model; its successors take it (?).
        "claude-fable-5",
        _1M,
        _128K,
        min_cache=512,
        tariffs=(Tariff(_day("2026-06-09"), _FABLE_5),),
    ),
    ModelFacts(
        "claude-sonnet-5",
        _1M,
        _128K,
        min_cache=1024,
        effort="high",
        tariffs=(Tariff(_ALWAYS, Prices(2.00, 10.00, 2.50, 4.00, 0.20)),),
    ),
    ModelFacts(
        "claude-opus-5",
        _1M,
        _128K,
        min_cache=512,
        effort="high",
        tariffs=(Tariff(_ALWAYS, _OPUS),),
    ),
    ModelFacts(
        "claude-opus-4-8", _1M, _128K, min_cache=1024, tariffs=(Tariff(_ALWAYS, _OPUS),)
    ),
    ModelFacts(
        "claude-opus-4-7", _1M, _128K, min_cache=2048, tariffs=(Tariff(_ALWAYS, _OPUS),)
    ),
    ModelFacts(
        "claude-opus-4-6",
        _1M,
        _128K,
        min_cache=4096,
        takes_temperature=True,
        edge=1568,
        tariffs=(Tariff(_ALWAYS, _OPUS),),
    ),
    ModelFacts(
        # It is not confirmed that it takes effort (?), and a 400 costs an answer.
        "claude-opus-4-5",
        _200K,
        _64K,
        min_cache=4096,
        takes_effort=False,
        takes_temperature=True,
        edge=1568,
        tariffs=(Tariff(_ALWAYS, _OPUS),),
        retires=_day("2027-01-22"),  # [sdk 2.14.0, DEPRECATED_MODELS]
    ),
    ModelFacts(
        # Not retired before 2027-02-17 [docs].
        "claude-sonnet-4-6",
        _1M,
        _128K,
        min_cache=1024,
        takes_temperature=True,
        edge=1568,
        tariffs=(Tariff(_ALWAYS, _SONNET_4),),
    ),
    ModelFacts(
        "claude-sonnet-4-5",
        _200K,
        _64K,
        min_cache=1024,
        takes_effort=False,
        takes_temperature=True,
        edge=1568,
        tariffs=(Tariff(_ALWAYS, _SONNET_4),),
        retires=_day("2026-11-30"),  # [sdk, DEPRECATED_MODELS]
    ),
    ModelFacts(
        # The only promise was "not before 2026-10-15" [docs].
        "claude-haiku-4-5",
        _200K,
        _64K,
        min_cache=4096,
        takes_effort=False,
        takes_temperature=True,
        edge=1568,
        tariffs=(Tariff(_ALWAYS, Prices(1.00, 5.00, 1.25, 2.00, 0.10)),),
    ),
)

# For verified organisations only. Facts and prices are those of the Fable with the same
# number [docs, models overview].
_MYTHOS = (
    ModelFacts(
        "claude-mythos-5-2",
        _1M,
        _128K,
        restricted=True,
        min_cache=512,  # (?)
        effort="high",
        tariffs=(Tariff(_ALWAYS, _FABLE_5_2),),
    ),
    ModelFacts(
        "claude-mythos-5-1",
        _1M,
        _128K,
        restricted=True,
        min_cache=512,
        effort="high",
        tariffs=(Tariff(_ALWAYS, _FABLE_5_1),),
    ),
    ModelFacts(
        "claude-mythos-5",
        _1M,
        _128K,
        restricted=True,
        min_cache=512,
        tariffs=(Tariff(_ALWAYS, _FABLE_5),),
    ),
)

#: All models by id; the recommended ones first.
MODELS = {facts.id: facts for facts in (*_CURRENT, *_LEGACY, *_MYTHOS)}
