"""The catalogue's prices and contexts, against a list that others keep.

Rule: nothing is asked of the network: the list is the one that its package brings.
"""

import datetime

import pytest
from genai_prices import Usage as Counted
from genai_prices import calc_price

from bot.claude.catalog import MODELS, ModelFacts, cost
from bot.domain.completion import Usage

#: The list has one price for a model, the newest; ours of before are not compared. All
#: of ours hold on this day, on which both were read.
DAY = datetime.datetime(2026, 11, 28, tzinfo=datetime.UTC)
#: What the list does not know: models for verified organisations.
UNLISTED = {"claude-mythos-5-1", "claude-mythos-5"}
LISTED = [facts for facts in MODELS.values() if facts.id not in UNLISTED]

KINDS = ("input", "output", "cache_write_5m", "cache_write_1h", "cache_read")


def listed(model: str, usage: Usage) -> float:
    """Return the price of `usage` by the list, in USD. Raises LookupError."""
    counted = Counted(
        input_tokens=usage.prompt,
        output_tokens=usage.output,
        cache_write_tokens=usage.cache_write_5m + usage.cache_write_1h,
        cache_write_5m_tokens=usage.cache_write_5m,
        cache_write_1h_tokens=usage.cache_write_1h,
        cache_read_tokens=usage.cache_read,
        web_searches=usage.searches,
    )
    found = calc_price(
        counted, model, provider_id="anthropic", genai_request_timestamp=DAY
    )
    assert found.model.id == model
    return float(found.total_price)


def usages(facts: ModelFacts) -> list[Usage]:
    """Return the usage of each kind of token alone, up to the context, and on both
    sides of the limit from which a prompt is long; and of searches."""
    # The list has prices for prompts that are longer than our contexts: those of betas.
    sizes = {10, facts.context}
    for tariff in facts.tariffs:
        sizes |= {tariff.long_prompt, tariff.long_prompt + 1}
    alone = [Usage(**{kind: size}) for kind in KINDS for size in sorted(sizes)]
    return [*alone, Usage(searches=3)]


def test_the_price_is_that_of_the_list() -> None:
    for facts in LISTED:
        for usage in usages(facts):
            ours = cost(facts.id, usage, DAY.timestamp())
            assert ours == pytest.approx(listed(facts.id, usage), rel=1e-9), usage


def test_the_context_is_that_of_the_list() -> None:
    for facts in LISTED:
        found = calc_price(Counted(input_tokens=1), facts.id, provider_id="anthropic")
        assert found.model.context_window == facts.context, facts


@pytest.mark.parametrize("model", sorted(UNLISTED))
def test_what_the_list_does_not_know_is_known_to_be_so(model: str) -> None:
    with pytest.raises(LookupError):
        listed(model, Usage(input=1))
