"""Every sentence that people read stands in `bot.messages`, and is short and plain."""

import re

import pytest

from tests.support.messages_page import FILE, messages, page

# The most characters of a message, of a sentence, and of a label.
MOST_CHARS, MOST_SENTENCE, MOST_LABEL = 420, 230, 100
# Words and parts of sentences, which have no full stop.
LABELS = {"labels", "options", "phrases", "summaries"}
# Clauses behind a colon, and findings in a table.
CLAUSES = LABELS | {"check", "claude", "yaml"}
# More words than this, behind a capital, are a sentence.
FEW_WORDS = 6

# Riddles, and words of our own for what people call otherwise.
_ODD = re.compile(
    r"\b(afresh|lest|shall|whoever|whomever|wherever|administers?|read no more|"
    r"take[ns]? back|stands? there|rehearsal|steward|heard|told|lanes?|desk|"
    r"authority|beheld)\b",
    re.IGNORECASE,
)
# British spelling, as everywhere in the docs. "canceled:" is a word of the API.
_AMERICAN = re.compile(
    r"\b(canceled(?!:)|canceling|labeled|organizations?|recognized?|behaviors?|colors?|"
    r"favorites?|centers?|catalogs?|authorized?|customized?)\b",
    re.IGNORECASE,
)
_ERROR = re.compile(r"\b[A-Z]\w+(?:Error|Exception)\b|Traceback")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n")
_MARKS = "*_`~>- "
_END = re.compile(r"[.!?:…](?:[*_`”\"')]*)$")

FOUND = list(messages())


def test_the_page_is_that_of_the_code() -> None:
    assert FILE.read_text() == page(), "run `make docs`"


@pytest.mark.parametrize(
    ("module", "text"),
    [(module, text) for module, _, text in FOUND],
    ids=[f"{module}.{name}" for module, name, _ in FOUND],
)
def test_a_message_is_short_and_plain(module: str, text: str) -> None:
    assert text.strip()
    assert "  " not in text
    assert "!!" not in text
    assert text.count("!") <= 1
    assert not _ODD.search(text)
    assert not _AMERICAN.search(text)
    assert not _ERROR.search(text)
    assert len(text) <= (MOST_LABEL if module in LABELS else MOST_CHARS)
    assert max(map(len, _SENTENCE_END.split(text))) <= MOST_SENTENCE
    is_item = text.startswith("- ")
    is_sentence = text.strip(_MARKS)[0].isupper() and len(text.split()) > FEW_WORDS
    if module not in CLAUSES and is_sentence and not is_item:
        assert _END.search(text.rstrip()) or text.rstrip().endswith("}")


def test_nothing_is_said_twice_in_a_room() -> None:
    for module in {module for module, _, _ in FOUND}:
        texts = [text for each, _, text in FOUND if each == module]
        assert len(texts) == len(set(texts)), module
