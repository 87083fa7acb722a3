"""The splitter: lines as Markdown reads them, and one page that fills up."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.markdown import (
    Fence,
    beginning,
    deep_heading,
    ends_sentence,
    fence_after,
    is_blank,
    is_delimiter,
    is_heading,
    is_row,
    joins,
    may_become_block,
    may_become_closer,
    may_become_deep_heading,
    may_become_delimiter,
    may_become_heading,
    may_become_row,
    may_become_rule,
    quote_of,
    rule,
)
from bot.rendering.spans import is_inside_span
from bot.rendering.splitter import Cut, Opening, Page

PYTHON = Fence("", "```", "python")


def after(fence: Fence | None, *lines: str, most: int = 60) -> Fence | None:
    for line in lines:
        fence = fence_after(fence, line, most)
    return fence


OPENERS = (
    ("```python", PYTHON),
    ("```python\r", PYTHON),
    ("   ~~~~ a `b`", Fence("   ", "~~~~", " a `b`")),
    ("> > ```", Fence("> > ", "```")),
    ("- ```sh", Fence("  ", "```", "sh")),
    ("10. > ```", Fence("    > ", "```")),
    ("      ```", Fence("      ", "```")),
    ("```one line```", None),
    ("words ```", None),
    ("``", None),
    ("-```", None),
    ("`" * 61, None),
    ("> " * 300 + "```", None),
)


def test_knows_the_lines_that_open_a_fence() -> None:
    for line, fence in OPENERS:
        assert after(None, line) == fence, line


@pytest.mark.parametrize("line", ["```", "`````", "   ```", "``` \t\r"])
def test_knows_the_lines_that_close_a_fence(line: str) -> None:
    assert after(PYTHON, line) is None


@pytest.mark.parametrize(
    "line", ["~~~", "``", "``` x", "    ```", "x ```", "- ```", ""]
)
def test_knows_the_lines_that_do_not_close_it(line: str) -> None:
    assert after(PYTHON, line) == PYTHON


def test_a_fence_in_a_list_is_closed_at_its_own_depth() -> None:
    assert after(None, "1. item", "    ```", "    x = 1", "    ```") is None


def test_a_fence_in_a_quote_ends_with_the_quote() -> None:
    assert after(None, "> ```", "> x") == Fence("> ", "```")
    assert after(None, "> ```", "words") is None
    assert after(None, "> ```", "```py") == Fence("", "```", "py")


def test_a_long_info_string_is_cut_down_to_the_language() -> None:
    fence = Fence("", "```", "python title=example.py")
    assert fence.shortened(40) == fence
    assert fence.shortened(12) == PYTHON
    assert fence.shortened(9) == Fence("", "```")


def test_knows_tables() -> None:
    assert is_row("| a |")
    assert is_row("  > | a |")
    assert not is_row("a | b")
    assert is_delimiter("|---|:-:|")
    assert is_delimiter("--- | ---\r")
    assert not is_delimiter("---")
    assert not is_delimiter("| a |")
    assert not is_delimiter("||")


@pytest.mark.parametrize("line", ["---", " * * *", "> ___\r", "- - -  -"])
def test_knows_rules(line: str) -> None:
    assert rule(line)


@pytest.mark.parametrize("line", ["--", "-*-", "- -", "*** x", "|---|", "a---", ""])
def test_knows_what_is_no_rule(line: str) -> None:
    assert rule(line) is None


def test_knows_deep_headings() -> None:
    assert deep_heading("#### A b ##") == ("", "A b")
    assert deep_heading("> ######\tC#\r") == ("> ", "C#")
    assert deep_heading("### A") is None
    assert deep_heading("#### ") is None
    assert deep_heading("####A") is None


def test_knows_what_reads_well() -> None:
    assert ends_sentence('He said "yes." ')
    assert ends_sentence("**Why?** ")
    assert ends_sentence("他说：「好。」")
    assert not ends_sentence("3.14")
    assert not ends_sentence("and so ")
    assert is_heading("## Title")
    assert not is_heading("#hashtag")
    assert is_blank(" > ")
    for words in (
        *("see `the code", "see [the link", "so **very", "so *very", "so _very"),
        *("__so", "~~not this", "`` a ` b", "***so", "*a **b** c", "(*so"),
    ):
        assert is_inside_span(words), words
    for words in (
        *("see `the code` and [the](link)", "`f(**kwargs)` is", "`a*` b", "`` ` `` b"),
        *("*a* _b_ **c** __d__ ~~e~~ ***f***", "5 * 3, 2*3*4", "* item", "a_b_c, x__y"),
        *("__init__.py and *very*, *so*.", "price* 5"),
    ):
        assert not is_inside_span(words), words
    assert beginning("> 1. words") == 5
    assert quote_of("> > words") == "> > "
    assert quote_of("a > b") == ""


TOGETHER = (
    ("\r\n", 1),
    ("e\u0301", 1),
    ("👍🏽", 1),
    ("👩\u200d👧", 1),
    ("👩\u200d👧", 2),
    ("🇩🇪🇫🇷", 1),
    ("🇩🇪🇫🇷", 3),
    ("\ud83d\ude00", 1),
    ("क्ष", 1),
    ("क्ष", 2),
    ("विश्व", 4),
    ("น้ำ", 2),
    ("\u1112\u1161\u11ab", 2),
    ("🏴\U000e0067\U000e007f", 1),
    ("क्ष" * 1_000, 2_999),
    ("x```", 1),
)


def test_knows_what_must_stay_together() -> None:
    for text, at in TOGETHER:
        assert joins(text, at), text


@pytest.mark.parametrize(
    ("text", "at"),
    [
        *[("ab", 1), ("\n\r", 1), ("🇩🇪🇫🇷", 2), ("字字", 1)],
        *[("คน", 1), ("हिन्दी", 2), ("한글", 1), ("字" * 1_000, 999)],
    ],
)
def test_knows_what_may_be_parted(text: str, at: int) -> None:
    assert not joins(text, at)


LINES = st.lists(
    st.sampled_from(
        ["`", "```", "~~~", "|", "-", ":", ">", " ", "1.", "x", "\t", "* ", "_", "####"]
    ),
    max_size=8,
).map("".join)


@given(line=LINES, end=st.integers(0, 8))
def test_the_beginning_of_a_block_never_excludes_it(line: str, end: int) -> None:
    start = line[:end]
    assert may_become_row(start) or not is_row(line)
    if start.strip(" \t>"):
        assert may_become_heading(start) or not is_heading(line)
    assert may_become_delimiter(start) or not is_delimiter(line)
    assert may_become_closer(start) or not PYTHON.is_closed_by(line)
    # What comes before the first sign of these is a block of another kind.
    if start.strip(" \t>"):
        assert may_become_rule(start) or not rule(line)
        assert may_become_deep_heading(start) or not deep_heading(line)
    if (is_row(line) and not is_row(start)) or (
        after(None, line) and "``" not in start
    ):
        assert may_become_block(start) or after(None, start)


def test_a_page_takes_what_fits() -> None:
    page = Page(50)
    assert page.add("Some words.") is None
    assert page.shown == page.close() == "Some words."


def test_a_page_that_is_full_says_how_to_go_on() -> None:
    page = Page(50)
    cut = page.add("```py\n" + "first = 1\n" * 4 + "second = 2\n")
    text = "```py\n" + "first = 1\n" * 3 + "```"
    rest = "first = 1\nsecond = 2\n"
    assert cut == Cut(text, Opening("```py\n", Fence("", "```", "py")), rest)


def test_a_page_that_goes_on_counts_what_it_repeats() -> None:
    page = Page(50, Opening("```py\n", Fence("", "```", "py")))
    assert page.add("w" * 30) is None
    assert page.close() == "```py\n" + "w" * 30 + "\n```"
    cut = page.add("w" * 30)
    assert cut is not None
    assert len(cut.text) <= 50
    assert cut.rest == "w" * (60 - cut.text.count("w"))


def test_a_page_shows_nothing_but_what_it_repeats_for_no_word() -> None:
    page = Page(50, Opening("```py\n", Fence("", "```", "py")))
    page.add("\n")
    assert page.shown == ""
    page.add("x")
    assert page.shown == "```py\n\nx"


def test_there_is_always_room_for_the_fence_that_closes() -> None:
    for width in range(20, 60):
        page = Page(60)
        cut = page.add("```\n" + "w" * width + "\n```")
        text = cut.text if cut else page.close()
        assert text.endswith("w\n```"), width
        assert len(text) <= 60, width
        assert cut is None or "w" in cut.rest, "a fence closed on its own is empty"


WORDS = "Some words.\n"


def test_a_message_with_too_many_lines_is_cut_between_paragraphs() -> None:
    page = Page(500, lines=9)
    assert page.add(f"{WORDS * 7}\n{WORDS}") is None
    assert page.shown == f"{WORDS * 7}\n"
    cut = page.add(WORDS)
    assert cut == Cut(f"{WORDS * 7}\n", Opening(), WORDS * 2)


def test_blank_lines_at_the_end_are_no_lines() -> None:
    page = Page(500, lines=9)
    assert page.add(f"{WORDS * 9}\n\n\n") is None
    assert page.close() == f"{WORDS * 9}\n\n\n"


def test_code_that_does_not_fit_moves_as_a_whole() -> None:
    code = "```py\n" + "x = 1\n" * 5 + "```\n"
    page = Page(500, lines=9)
    assert page.add(f"{WORDS * 3}```py\nx = 1\n") is None
    assert page.shown == WORDS * 3, "it is held back until it is known to fit"
    cut = page.add("x = 1\n" * 4 + "```\n")
    assert cut == Cut(WORDS * 3, Opening(), code)
    page = Page(500, cut.opening, lines=9)
    assert page.add(cut.rest) is None
    assert page.close() == code


def test_code_that_fits_stays() -> None:
    text = f"{WORDS * 3}```py\nx = 1\nx = 2\n```\n"
    page = Page(500, lines=9)
    assert page.add(text) is None
    assert page.shown == text


def test_code_with_too_many_lines_is_cut_between_them() -> None:
    page = Page(500, lines=9)
    cut = page.add("```\n" + "x = 1\n" * 9)
    assert cut is not None
    assert cut.text == "```\n" + "x = 1\n" * 7 + "```"
    assert cut.opening == Opening("```\n", Fence("", "```"))
    page = Page(500, cut.opening, lines=9)
    cut = page.add("x = 1\n" * 9)
    assert cut is not None
    assert cut.text == "```\n" + "x = 1\n" * 7 + "```", "what is repeated counts"


def test_code_that_moves_leaves_the_code_above_it_closed() -> None:
    page = Page(500, lines=9)
    cut = page.add("> ```\n" + "> x = 1\n" * 4 + "```\n" + "y = 2\n" * 6)
    assert cut is not None
    assert cut.text == "> ```\n" + "> x = 1\n" * 4 + "> ```"
    assert cut.rest.startswith("```\ny = 2\n")


HEADED = "# Title\n\n"
TABLE = "| a | b |\n|---|---|\n| 1 | 2 |\n"


def pages(text: str, limit: int, lines: int | None = None) -> list[str]:
    """Return the messages that `text` becomes, character by character."""
    page, full = Page(limit, lines=lines), []
    left = list(reversed(text))
    while left:
        before = page.shown
        cut = page.add(left.pop())
        if cut is None:
            assert page.shown.startswith(before)
            continue
        assert cut.text.startswith(before)
        full.append(cut.text)
        page = Page(limit, cut.opening, lines=lines)
        left += reversed(cut.rest)
    return [*full, page.close()]


@pytest.mark.parametrize(
    "headings", [HEADED, "# Title\n", "# One\n## Two\n\n### Three\n"]
)
def test_a_heading_goes_with_the_code_below_it(headings: str) -> None:
    code = "```py\n" + "x = 1\n" * 4 + "```\n"
    assert pages(WORDS * 4 + headings + code, 500, 10) == [WORDS * 4, headings + code]


@pytest.mark.parametrize("lines", [None, 100])
def test_a_heading_goes_with_the_table_below_it(lines: int | None) -> None:
    words, table = WORDS * 4 + "\n", HEADED + TABLE + "| 3 | 4 |\n" * 3
    assert pages(words + table, 100, lines) == [words, table]


def test_a_heading_is_shown_once_its_block_is_known() -> None:
    page = Page(150)
    for piece in ("#", " Tit", "le\n", "\n"):
        page.add(f"{WORDS * 5}{piece}" if piece == "#" else piece)
        assert page.shown == WORDS * 5
    page.add("Th")
    assert page.shown == f"{WORDS * 5}{HEADED}Th"
    page = Page(150)
    page.add(f"{WORDS * 5}#")
    assert page.shown == WORDS * 5
    page.add("hashtag")
    assert page.shown == f"{WORDS * 5}#hashtag"


def test_a_heading_near_the_top_of_a_message_is_not_moved() -> None:
    first, *_ = pages(HEADED + TABLE + "| 3 | 4 |\n" * 20, 100)
    assert first.startswith(HEADED + TABLE)


BLOCKS = st.sampled_from(
    [
        WORDS,
        WORDS * 3,
        "\n",
        "# A\n",
        "## B\n\n",
        TABLE,
        "```\nx = 1\n```\n",
        "- item\n",
    ]
)


@given(blocks=st.lists(BLOCKS, max_size=20), lines=st.none() | st.just(12))
def test_no_message_but_the_last_ends_with_a_heading(
    blocks: list[str], lines: int | None
) -> None:
    text = "".join(blocks)
    found = pages(text, 150, lines)
    for each in found[:-1]:
        *_, last = each.rstrip("\n").split("\n")
        assert not is_heading(last) or len(each) < 50
