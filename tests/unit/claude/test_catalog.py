"""The catalogue: what models cost, and when that is not known."""

import dataclasses
import datetime
import math
from typing import get_args

import pytest
from anthropic.types import Model

from bot.claude import catalog
from bot.claude.catalog import MODELS, ModelAvailability, cost, named, refused, saved
from bot.domain.completion import Usage


def at(day: str) -> float:
    return datetime.datetime.fromisoformat(f"{day}T00:00:00+00:00").timestamp()


NOW = at("2026-11-22")


def test_every_kind_of_token_has_its_own_price() -> None:
    usage = Usage(
        input=100,
        cache_write_5m=200,
        cache_write_1h=300,
        cache_read=4_000,
        output=50,
    )
    assert catalog.cost("claude-sonnet-5-5", usage, NOW) == pytest.approx(
        (100 * 2.00 + 200 * 2.50 + 300 * 4.00 + 4_000 * 0.10 + 50 * 10.00) / 1e6
    )


def test_a_model_that_is_not_known_has_no_price_rather_than_none_to_pay() -> None:
    assert catalog.cost("claude-novel-9", Usage(input=1), NOW) is None
    assert catalog.cost("", Usage(output=1), NOW) is None


@pytest.mark.parametrize("model", ["claude-opus-5-5", "claude-novel-9", "offline"])
def test_to_use_nothing_costs_nothing_whoever_answered(model: str) -> None:
    assert catalog.cost(model, Usage(), NOW) == 0.0


@pytest.mark.parametrize(
    ("day", "dollars"),
    [("2026-09-28", 0.20), ("2026-10-06", 0.20), ("2026-10-07", 0.10)],
)
def test_sonnet_reads_its_cache_at_half_the_price_since_october(
    day: str, dollars: float
) -> None:
    read = Usage(cache_read=1_000_000)
    assert catalog.cost("claude-sonnet-5-5", read, at(day)) == pytest.approx(dollars)


def test_a_model_had_no_price_before_it_was_there() -> None:
    assert catalog.cost("claude-haiku-5-5", Usage(input=1), at("2026-10-06")) is None


def test_haiku_is_five_times_dearer_past_a_hundred_thousand_tokens() -> None:
    short = Usage(input=40_000, cache_write_1h=10_000, cache_read=50_000, output=100)
    long = Usage(input=40_001, cache_write_1h=10_000, cache_read=50_000, output=100)
    dollars = catalog.cost("claude-haiku-5-5", short, NOW)
    assert dollars == pytest.approx(
        (40_000 * 0.10 + 10_000 * 0.20 + 50_000 * 0.01 + 100 * 0.50) / 1e6
    )
    assert catalog.cost("claude-haiku-5-5", long, NOW) == pytest.approx(
        (40_001 * 0.50 + 10_000 * 1.00 + 50_000 * 0.05 + 100 * 2.50) / 1e6
    )


def test_output_does_not_make_a_prompt_long() -> None:
    usage = Usage(input=100_000, output=50_000)
    assert catalog.cost("claude-haiku-5-5", usage, NOW) == pytest.approx(
        (100_000 * 0.10 + 50_000 * 0.50) / 1e6
    )


@pytest.mark.parametrize(
    "dated", ["claude-haiku-4-5-20251001", "claude-sonnet-4-5-20250929"]
)
def test_a_dated_id_is_the_same_model(dated: str) -> None:
    assert catalog.find(dated) is catalog.find(dated[:-9])
    assert catalog.find(dated) is not None


def test_a_made_up_ending_is_not_a_date() -> None:
    assert catalog.find("claude-haiku-4-5-fast") is None
    assert catalog.find("") is None


def test_the_default_is_known_and_stays() -> None:
    facts = catalog.find(catalog.DEFAULT_MODEL)
    assert facts is not None
    assert facts.retires is None


def test_the_end_of_sonnet_4_5_is_announced() -> None:
    facts = catalog.find("claude-sonnet-4-5")
    assert facts is not None
    assert facts.retires == datetime.date(2026, 11, 30)


def test_every_model_that_the_sdk_names_is_known() -> None:
    # Model previews are not priced by anyone, and this one ended in June.
    named = set(get_args(get_args(Model)[0])) - {"claude-mythos-preview"}
    assert {name for name in named if catalog.find(name) is None} == set()


def test_the_table_is_sound() -> None:
    for facts in catalog.MODELS.values():
        assert facts.max_output < facts.context, facts
        assert facts.tariffs, facts
        days = [tariff.since for tariff in facts.tariffs]
        assert days == sorted(set(days)), facts
        assert facts.takes_effort or facts.effort is None, facts
        for tariff in facts.tariffs:
            prices = tariff.prices
            # 1.25 and 2 times the input for writing, less than it for reading: the one
            # rule that all of Anthropic's price lists have kept.
            assert math.isclose(prices.cache_write_5m, 1.25 * prices.input), facts
            assert math.isclose(prices.cache_write_1h, 2 * prices.input), facts
            assert prices.cache_read <= 0.1 * prices.input, facts
            assert math.isclose(prices.output, 5 * prices.input), facts


NOON = datetime.datetime(2026, 11, 26, 12, tzinfo=datetime.UTC).timestamp()


def test_a_search_costs_a_cent() -> None:
    usage = Usage(input=100, output=100)
    searched = dataclasses.replace(usage, searches=3)
    plain = cost("claude-sonnet-5-5", usage, NOON)
    dearer = cost("claude-sonnet-5-5", searched, NOON)
    assert plain is not None
    assert dearer is not None
    assert dearer - plain == pytest.approx(0.03)


def test_what_caching_saved_is_what_it_would_have_cost_without() -> None:
    read = Usage(input=10, cache_read=1_000_000, output=5)
    assert saved("claude-sonnet-5-5", read, NOON) == pytest.approx(2.00 - 0.10)
    written = Usage(cache_write_1h=1_000_000)
    assert saved("claude-sonnet-5-5", written, NOON) == pytest.approx(2.00 - 4.00)
    assert saved("claude-unheard-of", read, NOON) == 0.0


def test_people_name_a_model_by_its_family() -> None:
    for family in ("haiku", "sonnet", "opus", "fable"):
        facts = named(family.title())
        assert facts is not None
        assert facts.id.startswith(f"claude-{family}-5-")
    assert named("claude") is None
    assert named("") is None


def test_only_older_models_take_a_temperature() -> None:
    assert {facts.id for facts in MODELS.values() if facts.takes_temperature} == {
        *("claude-opus-4-6", "claude-opus-4-5", "claude-sonnet-4-6"),
        *("claude-sonnet-4-5", "claude-haiku-4-5"),
    }


def test_what_the_api_says_of_a_model_goes_before_our_list() -> None:
    survey = ModelAvailability(
        retired=frozenset({"claude-opus-5"}), unlisted=frozenset({"claude-opus-4-6"})
    )
    assert "retired" in refused("claude-opus-5", survey)
    assert "not available" in refused("claude-opus-4-6", survey)
    assert refused("claude-sonnet-5-5", survey) == ""
    assert refused("auto", ModelAvailability()) == ""
