"""The renderer where there are no tables and no images, and messages are folded."""

import re
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from bot.domain.platform import Limits
from bot.domain.reply import Part
from bot.rendering.mentions import ZERO_WIDTH_SPACE
from bot.rendering.renderer import FEWEST_CHARS, FEWEST_LINES, Renderer
from tests.unit.rendering.test_fallbacks import NASTY
from tests.unit.rendering.test_renderer import SIZES, open_fence, pieces

DISCORD = Limits(part_chars=2_000, part_lines=17, tables=False, images=False)
ROW = "| some words | 12345 |\n"

CODE = "```py\n" + "x = 1\n" * 8 + "```"
BLOCKS = [
    f"{CODE}\n\n",
    *[
        "# Heading\n\n",
        "#### Deep\n\n",
        "---\n\n",
        "![a](http://b)\n\n",
        "Words. " * 80 + "\n\n",
    ],
    *["One line.\n" * lines + "\n" for lines in (1, 5, 9, 30)],
    *["```py\n" + "x = 1\n" * lines + "```\n\n" for lines in (1, 14, 15, 40)],
    *["| a | b |\n|---|---|\n" + ROW * rows + "\n" for rows in (1, 12, 90)],
    "| a | b |\n|---|---|\n" + f"| {'wide ' * 12}| c |\n" * 9 + "\n",
]
WORD = re.compile(r"[^\W_]+")
ANSWERS = st.lists(st.sampled_from(BLOCKS), max_size=8).map("".join)
LIMITS = st.builds(
    Limits,
    part_chars=st.integers(FEWEST_CHARS, 400),
    part_lines=st.integers(FEWEST_LINES, 20),
    tables=st.booleans(),
    images=st.booleans(),
)


def check(
    text: str, limits: Limits, sizes: Sequence[int], note: str = ""
) -> tuple[Part, ...]:
    """Feed `text` in pieces and in one; see that no part but grows, and that the
    pieces do not matter. Return the parts."""
    renderer, whole = Renderer(limits), Renderer(limits)
    seen: tuple[Part, ...] = ()
    for piece in [*pieces(text, sizes), None]:
        if piece is None:
            renderer.finish(note)
        else:
            renderer.feed(piece)
        assert len(renderer.parts) >= len(seen)
        for earlier, later in zip(seen, renderer.parts, strict=False):
            if later == earlier:
                continue
            assert not earlier.final
            if limits.tables:
                assert later.text.startswith(earlier.text)
            # A line can become a heading, or the head of a table.
            *words, _ = WORD.findall(earlier.text) or [""]
            assert set(words) <= set(WORD.findall(later.text))
        seen = renderer.parts
    whole.feed(text)
    whole.finish(note)
    assert seen == whole.parts
    assert all(len(part.text) <= limits.part_chars for part in seen)
    return seen


@given(text=NASTY, limits=LIMITS, sizes=SIZES, note=st.just("") | NASTY)
def test_whatever_comes_parts_only_grow(
    text: str, limits: Limits, sizes: list[int], note: str
) -> None:
    check(text, limits, sizes, note)


@given(text=ANSWERS, sizes=SIZES)
def test_no_message_of_an_answer_is_folded(text: str, sizes: list[int]) -> None:
    for part in check(text, DISCORD, sizes):
        assert part.text.rstrip().count("\n") < 17
        assert open_fence(part.text, most=60) is None


@given(text=ANSWERS)
def test_code_of_half_a_message_is_never_divided(text: str) -> None:
    shown = [part.text for part in check(text, DISCORD, [10**6])]
    assert sum(part.count(CODE) for part in shown) >= text.count(CODE)


def test_a_message_has_no_more_lines_than_it_may_with_its_note() -> None:
    parts = check("One line.\n" * 15, DISCORD, [4], note="_Stopped._")
    assert [part.text.count("\n") for part in parts] == [16]
    parts = check("One line.\n" * 16, DISCORD, [4], note="_Stopped._")
    assert [part.text for part in parts][1:] == ["_Stopped._"]


def test_a_long_table_goes_on_in_the_next_message() -> None:
    parts = check("| a | b |\n|---|--:|\n" + ROW * 90, DISCORD, [3])
    assert len(parts) == 7
    assert all(part.text.startswith("```\n") for part in parts)
    assert all(part.text.rstrip().endswith("\n```") for part in parts)
    rows = sum(part.text.count("\nsome words | 12345") for part in parts)
    assert rows == 90


def test_what_becomes_a_ping_on_the_way_is_defused() -> None:
    pings = re.compile(r"@(?=everyone|here)")
    limits = Limits(part_chars=2_000, tables=False, images=False, pings=pings)
    text = "| a |\n|---|\n| @**everyone** |\n\n#### @**here**\n"
    (part,) = check(text, limits, [1])
    assert f"@{ZERO_WIDTH_SPACE}everyone" in part.text
    assert f"**@{ZERO_WIDTH_SPACE}here**" in part.text


def test_an_answer_of_which_nothing_is_shown_is_just_its_note() -> None:
    (part,) = check("---\n", DISCORD, [1], note="Nothing to say.")
    assert part.text == "Nothing to say."
