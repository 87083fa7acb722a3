"""Past answers are priced for other models; unknown costs are reported as such."""

from bot.claude import repricing
from bot.domain.budget import PastCall
from bot.domain.completion import Usage
from tests.support.command_harness import NOON

#: With Sonnet 5.5, $2 and $10 per million tokens: $0.70.
ANSWER = PastCall("claude-sonnet-5-5", Usage(input=100_000, output=50_000), 0.7)


def test_another_model_is_priced_by_the_same_tokens() -> None:
    assert repricing.with_model([ANSWER] * 2, "claude-opus-5-5", NOON) == (
        "Your last 2 answers here would have cost about $2.80 with this model; what "
        "was spent is $1.40."
    )
    assert repricing.with_model([ANSWER], "no-such-model", NOON) == ""


def test_each_answer_is_priced_by_the_length_of_its_own_prompt() -> None:
    long = PastCall("claude-sonnet-5-5", Usage(input=200_000), 0.4)
    told = repricing.with_model([long, ANSWER], "claude-haiku-5-5", NOON)
    # $0.50 per million beyond 100,000 tokens, and $0.10 and $0.50 up to that.
    assert "about $0.14 with" in told


def test_auto_is_between_its_models() -> None:
    told = repricing.with_auto([ANSWER], NOON)
    assert "Your last answer here would have cost between $0.04 and $0.70" in told


def test_what_cannot_be_known_is_said() -> None:
    assert "can't be known" in repricing.with_effort([ANSWER])
    assert "would have added $0.02, and" in repricing.with_search([ANSWER] * 2, on=True)
    searched = PastCall("claude-sonnet-5-5", Usage(searches=3), 0.03)
    assert "searched 3 times, for $0.03" in repricing.with_search([searched], on=False)
    assert "cost $0.70 each" in repricing.with_triage([ANSWER] * 2)
