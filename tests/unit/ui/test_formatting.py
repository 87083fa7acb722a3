"""Amounts, dates and numbers, as people read them."""

from datetime import UTC, datetime

import pytest

from bot.domain.completion import Usage
from bot.domain.scope import ScopeLevel
from bot.messages import plurals
from bot.text import times
from bot.ui import formatting


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "$0.00"),
        (1234.5, "$1,234.50"),
        (0.5, "$0.50"),
        (0.0123, "$0.0123"),
        (0.0000421, "$0.000042"),
        (0.0000000001, "$0.000001"),
    ],
)
def test_an_exact_amount_is_told_from_nothing(amount: float, text: str) -> None:
    assert formatting.exact_usd(amount) == text


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        (0.0, "$0.00"),
        (0.0000000001, "<$0.01"),
        (0.00999, "<$0.01"),
        (0.01, "$0.01"),
        (0.0149, "$0.01"),
        (0.996, "$1.00"),
        (1234.5, "$1,234.50"),
    ],
)
def test_in_the_chat_an_amount_is_in_cents(amount: float, text: str) -> None:
    assert formatting.usd(amount) == text


@pytest.mark.parametrize(
    ("cost", "chat", "exact"),
    [
        (0.0, "at most $0.00", "at most $0.00"),
        (0.0004, "at most $0.01", "at most $0.0004"),
        (0.1 + 0.2, "at most $0.30", "at most $0.30"),
        (0.301, "at most $0.31", "at most $0.3010"),
    ],
)
def test_an_upper_bound_is_rounded_up(cost: float, chat: str, exact: str) -> None:
    assert formatting.amount(cost, bounded=True) == chat
    assert formatting.amount(cost, bounded=True, exact=True) == exact


def test_the_line_below_an_answer_is_exact_on_the_command_line() -> None:
    usage = Usage(input=9, output=2)
    line = formatting.footer("m", usage, 0.0004)
    assert line == "m · 9 tokens read, 2 written · <$0.01"
    line = formatting.footer("m", usage, 0.0004, exact=True)
    assert line == "m · 9 tokens read, 2 written · $0.0004"


def test_a_bar_says_how_much_and_warns_only_near_the_end() -> None:
    assert formatting.bar(0.38) == "▰▰▱▱▱ 38 %"
    assert formatting.bar(0) == "▱▱▱▱▱ 0 %"
    assert formatting.bar(0.0001) == "▱▱▱▱▱ < 1 %"
    assert formatting.bar(0.999) == "▰▰▰▰▱ 99 %"
    assert formatting.bar(1.5) == "▰▰▰▰▰ 150 %"
    assert formatting.gauge(0.94) == formatting.bar(0.94)
    assert formatting.gauge(0.95) == "⚠️ ▰▰▰▰▱ 95 %"


def test_a_day_and_a_minute_are_in_utc() -> None:
    at = datetime(2026, 3, 5, 9, 7, tzinfo=UTC).timestamp()
    assert times.day(at) == "5 Mar 2026"
    assert times.minute(at) == "5 Mar 2026, 09:07 UTC"
    assert times.without_year(at) == "05 Mar 09:07"


@pytest.mark.parametrize(
    ("number", "text"), [(0, "0 answers"), (1, "1 answer"), (1234, "1,234 answers")]
)
def test_a_noun_stands_in_the_form_for_its_number(number: int, text: str) -> None:
    assert plurals.ANSWERS(number) == text


def test_headings_of_a_model_become_bold_lines() -> None:
    text = "# One\n- a\n  ## *Two* in C#\n#hashtag\n####### no\n## \n    # code"
    assert formatting.without_headings(text) == (
        "**One**\n- a\n**Two in C#**\n#hashtag\n####### no\n## \n    # code"
    )


@pytest.mark.parametrize(
    ("level", "platform", "name"),
    [
        (ScopeLevel.WORKSPACE, "slack", "the workspace"),
        (ScopeLevel.WORKSPACE, "discord", "the server"),
        (ScopeLevel.CHANNEL, "discord", "this channel"),
        (ScopeLevel.OPERATOR, "", "the operator"),
    ],
)
def test_a_scope_has_the_name_that_people_there_have_for_it(
    level: ScopeLevel, platform: str, name: str
) -> None:
    assert formatting.here(level, platform) == name
