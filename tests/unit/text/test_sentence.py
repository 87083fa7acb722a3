"""Sentences with named values."""

import pytest

from bot.text.sentence import SENTENCES, Sentence


@pytest.fixture(autouse=True)
def registry(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(SENTENCES):
        monkeypatch.delitem(SENTENCES, name)


def test_values_are_given_by_name() -> None:
    spent = Sentence("test.spent", "You spent {usd} of {budget}.")
    assert spent(budget="$5.00", usd="$1.00") == "You spent $1.00 of $5.00."
    assert spent.values == ("usd", "budget")
    assert {"test.spent": spent} == SENTENCES


def test_a_value_is_not_read_as_a_template() -> None:
    said = Sentence("test.said", "You said {text}.")
    assert said(text="{0.__class__} {usd}") == "You said {0.__class__} {usd}."


@pytest.mark.parametrize("values", [{}, {"usd": 1, "eur": 2}, {"eur": 1}])
def test_exactly_its_values_are_taken(values: dict[str, object]) -> None:
    spent = Sentence("test.spent", "You spent {usd}.")
    with pytest.raises(TypeError, match=r"test\.spent"):
        spent(**values)


@pytest.mark.parametrize("text", ["{}", "{0}", "{a.b}", "{a[0]}", "{a!r}", "{a:>9}"])
def test_a_field_is_a_plain_name(text: str) -> None:
    with pytest.raises(ValueError, match=r"test\.wrong"):
        Sentence("test.wrong", text)


def test_an_id_is_taken_once() -> None:
    Sentence("test.once", "Once.")
    with pytest.raises(ValueError, match="taken"):
        Sentence("test.once", "Twice.")
