"""The sentences that people read in the chat, as a list."""

import re

import pytest

from tests.support.messages_page import FILE, messages, page

MOST_CHARS = 300
# Riddles, and words of our own for what people call otherwise.
_ODD = re.compile(r"\b(whoever|afresh|shall|lest|administers?|read no more)\b")


def test_the_page_is_that_of_the_code() -> None:
    assert FILE.read_text() == page(), "run `make docs`"


@pytest.mark.parametrize(
    "text",
    [text for _, _, text in messages()],
    ids=[f"{m}.{n}" for m, n, _ in messages()],
)
def test_a_message_is_short_and_plain(text: str) -> None:
    assert len(text) <= MOST_CHARS
    assert text[0].isupper() or text[0] in "`*"
    assert text.rstrip().endswith((".", "!", "?", ":", "…"))
    assert not _ODD.search(text)
