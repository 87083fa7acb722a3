"""Images: they become links, and nothing else does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.images import MOST_CHARS, Images, linked
from tests.unit.rendering.feeding import fed

NASTY = st.lists(
    st.sampled_from(
        [
            *["![", "![a](u)", "[![b](s)](h)", "](", ")", "(", "[", "]", "!", "<", ">"],
            *["`", "``", "\\", " ", '"t"', "'", '"', "word", "u", "é", "\t"],
        ]
    ),
    max_size=25,
).map("".join)


IMAGES = (
    ("See ![a cat](http://x/y.png) here", "See [a cat](http://x/y.png) here"),
    ('![a](u "title")', "[a](u)"),
    ("![](u 'title')", "[title](u)"),
    ("![](http://x/y.png)", "<http://x/y.png>"),
    ("![](<a b>)", "<a b>"),
    ("![a [b] \\] c](u(1)v)", "[a [b] \\] c](u(1)v)"),
    ("![a](b)![c](d)", "[a](b)[c](d)"),
    ("[![build](s)](http://ci)", "[build](http://ci) (<s>)"),
    ("[![a](s) more](h)", "[[a](s) more](h)"),
    ("`![a](b)` ![c](d)", "`![a](b)` [c](d)"),
    ("`` ` ![a](b) `` ![c](d)", "`` ` ![a](b) `` [c](d)"),
    ("a ` b ![c](d)", "a ` b [c](d)"),
    ("\\` ![a](b) `", "\\` [a](b) `"),
)


def test_an_image_becomes_a_link() -> None:
    for line, shown in IMAGES:
        assert linked(line) == shown, line


@pytest.mark.parametrize(
    "line",
    [
        *["[a](b)", "\\![a](b)", "![a][b]", "![a] (b)", "![a](b c)", "![a]()", "![a"],
        *["wow! [see](this)", "`![a](b)`"],
        "![" + "a" * MOST_CHARS + "](b)",
    ],
)
def test_anything_else_stays_as_it_is(line: str) -> None:
    assert linked(line) == line


@given(line=NASTY | st.text(), size=st.integers(1, 9))
def test_pieces_do_not_matter(line: str, size: int) -> None:
    assert fed(Images(), line, size) == linked(line)


def test_holds_back_only_what_could_become_an_image() -> None:
    images = Images()
    assert images.feed("so [x](y) and `code ![") == "so [x](y) and `code "
    assert images.feed("a](b)` !") == "![a](b)` "
    assert images.feed("[c") == ""
    assert images.feed("](d") == ""
    assert images.feed(" e") == "![c](d e"
    assert images.flush() == ""


def test_a_line_leaves_nothing_behind() -> None:
    images = Images()
    assert images.feed("`open ![a](b") + images.flush() == "`open ![a](b"
    assert images.feed("![c](d)") == "[c](d)"


def test_backticks_count_once_all_of_them_have_come() -> None:
    images = Images()
    assert images.feed("`![a](b)`") == "`"
    assert images.feed("` c") == ""
    assert images.flush() == "[a](b)`` c"
