"""Numbers of ordered lists, as they are shown."""

from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.numbering import Numbering
from tests.unit.rendering.feeding import fed

NASTY = st.lists(
    st.sampled_from(
        [
            *["1. a\n", "1. ", "2) b\n", "   1. c\n", "> 1. d\n", "- e\n", "\n"],
            *["text\n", "  ", "```\n", "# h\n", "10", ".", ")", ">", " ", "\t", "word"],
        ]
    ),
    max_size=25,
).map("".join)


def numbered(text: str, size: int = 10**6) -> str:
    return fed(Numbering(), text, size)


ITEMS = (
    ("1. a\n1. b\n1. c", "1. a\n2. b\n3. c"),
    ("1. a\n2. b\n3. c", "1. a\n2. b\n3. c"),
    ("3. a\n3. b\n\n   more\n\n3. c", "3. a\n4. b\n\n   more\n\n5. c"),
    ("1. a\nlazy\n1. b\n\nEnd\n\n1. x", "1. a\nlazy\n2. b\n\nEnd\n\n1. x"),
    ("1. a\n   1. b\n   1. c\n1. d", "1. a\n   1. b\n   2. c\n2. d"),
    ("> 1. a\n> 1. b\n\n1. c", "> 1. a\n> 2. b\n\n1. c"),
    ("1. a\n   ```\n   1. x\n   ```\n1. b", "1. a\n   ```\n   1. x\n   ```\n2. b"),
    ("1. a\n   - x\n1. b", "1. a\n   - x\n2. b"),
    ("1. a\n- x\n1. b", "1. a\n- x\n1. b"),
    ("1) a\n1) b\n1. c", "1) a\n2) b\n1. c"),
    ("1. a\n# T\n1. b", "1. a\n# T\n1. b"),
    ("3.5 is\n2026 was", "3.5 is\n2026 was"),
)


def test_items_count_from_the_first() -> None:
    for text, shown in ITEMS:
        assert numbered(text) == shown, text


@given(text=NASTY, size=st.integers(1, 9))
def test_pieces_do_not_matter(text: str, size: int) -> None:
    assert numbered(text, size) == numbered(text)


def test_words_are_never_held_back() -> None:
    numbering = Numbering()
    assert numbering.feed("The answer") == "The answer"
    assert numbering.feed("\n1") == "\n"
    assert numbering.feed("0. x") == "10. x"
