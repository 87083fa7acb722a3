"""The blank that a quote needs after its mark on Discord."""

from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.quotes import Quotes
from tests.unit.rendering.feeding import fed

NASTY = st.lists(
    st.sampled_from([">", ">>", " ", "\n", "\t", "a", "- ", "```\n", "> ```\n", "> a"]),
    max_size=25,
).map("".join)


class _Reader(Quotes):
    def flush(self) -> str:
        return ""


def quoted(text: str, size: int = 10**6) -> str:
    return fed(_Reader(), text, size)


LINES = (
    ("> a\n>\n> b\n>", "> a\n> \n> b\n>"),
    (">a\n>>b\n> > c", "> a\n> >b\n> > c"),
    ("a > b\n- a\n  >b", "a > b\n- a\n  > b"),
    ("```\n>a\n```\n>b", "```\n>a\n```\n> b"),
    ("> ```\n>a\n>\n> ```\n>b", "> ```\n> a\n> \n> ```\n> b"),
)


def test_each_mark_has_a_blank_after_it() -> None:
    for text, shown in LINES:
        assert quoted(text) == shown, text


@given(NASTY, st.integers(1, 5))
def test_pieces_do_not_matter(text: str, size: int) -> None:
    assert quoted(text, size) == quoted(text)
