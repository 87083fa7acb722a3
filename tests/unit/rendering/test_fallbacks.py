"""The dialect: what a platform cannot show is said in what it can."""

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.fallbacks import Dialect
from bot.rendering.markdown import MOST_LINE
from bot.rendering.tables import MOST_HELD
from tests.unit.rendering.feeding import fed

WORDS = re.compile(r"\w+")
# What stands behind the mark of a fence: a language, and more that nobody is shown.
INFO = re.compile(r"(?:```|~~~)(.*)")

PIECES = [
    *["```", "```python\n", "```\n", "~~~\n", "> ```\n", ">", "> ", "- ", "1. "],
    *["| a | b |\n", "|---|:-:|\n", "| 1 | 2 |\n", "|", "\\|", "> | q |\n> |--|\n"],
    *["a | b\n", "1 | `2|3`\n", "Title\n", "Title? 1.2\n", "===\n", "> T\n", "|-\n"],
    *["[1]: https://a.b\n", "[a][1]", "![b][1]", "[1]", "    "],
    *["---|---\n", "||\n", "| c \n |-\n", "| `x|y` | **z** |\n", "| ``` |\n"],
    *["---\n", "***\n", "* * *\n", "_", "-", "--", "\n---", "#", "#### T", " ####\n"],
    *["![alt](u)", "![", "!", "](", ")", '![a](<u v> "t")', "[![b](s)](h)", "[", "]"],
    *[
        "`",
        "``",
        "\\",
        "\n",
        "\n\n",
        "\r\n",
        " ",
        "\t",
        "word",
        "A b. ",
        "漢字",
        "<br>",
    ],
    *[" " * 61, "`" * 61, '"', "(", "'", "**"],
]
NASTY = st.lists(st.sampled_from(PIECES) | st.text(max_size=5), max_size=30).map(
    "".join
)
SHOWN = st.tuples(st.booleans(), st.booleans())


def changed(
    text: str, size: int = 10**6, *, tables: bool = False, images: bool = False
) -> str:
    return fed(Dialect(tables=tables, images=images), text, size)


@given(text=NASTY, size=st.integers(1, 20), shown=SHOWN)
def test_pieces_do_not_matter(text: str, size: int, shown: tuple[bool, bool]) -> None:
    tables, images = shown
    whole = changed(text, tables=tables, images=images)
    assert changed(text, size, tables=tables, images=images) == whole


@given(text=NASTY, size=st.integers(1, 20))
def test_where_all_is_shown_everything_passes_at_once(text: str, size: int) -> None:
    dialect = Dialect(tables=True, images=True)
    for at in range(0, len(text), size):
        assert dialect.feed(text[at : at + size]) == text[at : at + size]
    assert dialect.flush() == ""


@given(text=NASTY, size=st.integers(1, 20))
def test_no_word_is_lost(text: str, size: int) -> None:
    # An image's title has no place in a link; the language of code has one only
    # where it stays code. The name of an address is resolved, as are
    # entities and tags.
    for mark in ('"', "'", "<br>", "<", "(", "[1]: ", "&"):
        text = text.replace(mark, "")
    shown = changed(text, size)
    text = INFO.sub("", text)
    for word in set(WORDS.findall(text.replace("_", " "))):
        assert shown.count(word) >= text.count(word)


@given(text=NASTY.map(lambda text: re.sub(r"[|!#*_`~<\[&$=\\-]", "", text)))
def test_nothing_else_is_changed(text: str) -> None:
    assert changed(text) == text


TABLE = """\
| Name | Price | **Note** |
|:-----|------:|:--------:|
| `a` | 1 | x |
| 漢字 | 12.50 | [t](http://u) |
| e\u0301 \\| b | 3 | ~~no~~ snake_case |
"""
BLOCK = """\
```
Name  | Price |     Note
------+-------+--------------
a     |     1 |       x
漢字  | 12.50 | t (http://u)
e\u0301 | b |     3 | no snake_case
```
"""


TABLE_OF_MARKS = "```\na\n-----------\nx || y & z²\n```\n"


def test_a_table_becomes_a_block_with_its_columns_in_line() -> None:
    assert changed(TABLE) == BLOCK
    assert changed(f"So:\n\n{TABLE}\nThen.") == f"So:\n\n{BLOCK}\nThen."


@pytest.mark.parametrize("prefix", ["> ", "  ", "> > "])
def test_a_table_in_a_quote_or_a_list_stays_there(prefix: str) -> None:
    inside = re.sub("(?m)^", prefix, TABLE.rstrip("\n")) + "\n"
    assert changed(inside) == re.sub("(?m)^", prefix, BLOCK.rstrip("\n")) + "\n"


def test_a_table_at_the_end_needs_no_newline() -> None:
    assert changed(TABLE.rstrip("\n")) == BLOCK.rstrip("\n")


def test_what_is_drawn_as_one_sign_is_as_wide_as_one() -> None:
    rows = ["| a | b |", "|---|---|", "| 👩\u200d👩\u200d👧 | c |", "| ❤\ufe0f | 🇩🇪 |"]
    lines = changed("\n".join(rows) + "\n").splitlines()
    assert lines[1] == "a  | b"
    assert lines[3:5] == ["👩\u200d👩\u200d👧 | c", "❤\ufe0f | 🇩🇪"]


@pytest.mark.parametrize("each", ["🇩", "\u200d", "👨\u200d", "\u0301", "क्", "漢"])
def test_the_width_of_a_cell_takes_linear_time(each: str) -> None:
    begin = time.process_time()
    changed(f"| a | b |\n|---|---|\n| {each * 60_000} | c |\n")
    # With the square of its length, it would be ten seconds and more.
    assert time.process_time() - begin < 5


def test_a_wide_table_becomes_records() -> None:
    wide = (
        "| | Good for | Mind: |\n|---|---|---|\n"
        "| SQLite | `one` machine, with hardly any setting up | one writer<br>only |\n"
        "| Postgres | many machines | |\n"
        "\nThe end."
    )
    assert changed(wide) == (
        "**SQLite**\n"
        "**Good for:** `one` machine, with hardly any setting up\n"
        "**Mind:** one writer only\n"
        "\n"
        "**Postgres**\n"
        "**Good for:** many machines\n"
        "\nThe end."
    )


def test_records_show_the_heading_of_a_column_that_is_to_be_filled_in() -> None:
    wide = (
        "| Task | What has to be done before the release | Owner |\n|---|---|---|\n"
        "| Notes | | |\n| Tests | Run all |\n"
    )
    assert changed(wide) == (
        "**Task:** Notes\n**Owner:**\n\n"
        "**Task:** Tests\n**What has to be done before the release:** Run all\n"
        "**Owner:**\n"
    )


def test_a_cell_cannot_end_the_block() -> None:
    block = changed("| a |\n|---|\n| ``` |\n| `````x |\n")
    assert block.count("```") == 2
    assert block.replace("\u200b", "").count("`") == 6 + 3 + 5


def test_pipes_in_code_are_kept_where_they_would_make_too_many_cells() -> None:
    table = "| type | use |\n|---|---|\n| `a | b` | x |\n| `a \\| b` | y |\n"
    assert changed(table).endswith("\na | b | x\na | b | y\n```\n")


def test_cells_without_a_column_are_shown() -> None:
    assert "\n1 | 2 | 3\n" in changed("| a |\n|---|\n| 1 | 2 | 3 |\n")


def test_a_long_table_is_shown_before_it_ends() -> None:
    dialect = Dialect(tables=False, images=False)
    row = "| some words | 12345 |\n"
    shown = dialect.feed("| a | b |\n|---|---|\n" + row * (MOST_HELD // len(row) - 1))
    assert shown == ""
    shown = dialect.feed(row)
    assert shown.startswith("```\na          | b\n")
    assert shown.endswith("\nsome words | 12345\n")
    assert (
        dialect.feed("| x | longer than that |\n") == "x          | longer than that\n"
    )
    assert dialect.feed("Words.") == "```\nWords."


@pytest.mark.parametrize(
    "text",
    [
        "```\n| a |\n|---|\n#### b\n---\n![c](d)\n```\n",
        "|x| is\nat least 0",
        "| a |\nwords\n|---|\n",
        "| a |\n> |---|\n",
        "a | b\n--- | --- | ---\n1 | 2\n",
        "| " + "word " * MOST_LINE + "|\n|---|\n",
        "===\na = b\n\n===\n",
        "--\n- a\n- b\n**bold** *** x\n",
        "### Three\n#### \n#hash ######## x\n",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert changed(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\n\n---\n\nb", "a\n\n\nb"),
        ("a\n***\nb", "a\n\nb"),
        ("# a\n- - -\nb", "# a\n\nb"),
        ("> a\n> ___\n> b", "> a\n> \n> b"),
        ("a\n\n---", "a\n\n"),
        ("#### Title\nx", "**Title**\nx"),
        ("> ###### **One** of `two` ##\n", "> **One of `two`**\n"),
        ("##### C#\n", "**C#**\n"),
        ("#### ![a](b)", "**[a](b)**"),
        ("#### **a** <b>b</b>", "**a b**"),
    ],
)
def test_rules_and_deep_headings(text: str, shown: str) -> None:
    assert changed(text) == shown


FOUR = "````markdown\n# T\n\n```bash\nmake\n```\n\nEnd.\n````\nafter"


CODE = (
    ("~~~python\nprint('hi')\n~~~\n", "```python\nprint('hi')\n```\n"),
    (FOUR, "```markdown\n# T\n\n``~`bash\nmake\n``~`\n\nEnd.\n```\nafter"),
    ("```py\nx\n````\nafter", "```py\nx\n```\nafter"),
    ("~~~md\n```sh\nls\n```\n~~~\n", "```md\n``~`sh\nls\n``~`\n```\n"),
    ("```\nx = '`````'\n```\n", "```\nx = '``~``~`'\n```\n"),
    ("> ~~~\n> | a |\n> ~~~\n", "> ```\n> | a |\n> ```\n"),
    ("- x\n  ~~~\n  y\n  ~~~\n", "- x\n  ```\n  y\n  ```\n"),
    ("- ~~~~py\n  y\n  ~~~~\n", "- ```py\n  y\n  ```\n"),
    ('```{.py} title="a"\nx\n```\n', "```py\nx\n```\n"),
    ("``` c++\nx\n```\n", "```c++\nx\n```\n"),
    ("use ```x || y``` here", "use `x || y` here"),
    ("```a`b```", "`` a`b ``"),
    ("three ``` ticks", "three \\`\\`\\` ticks"),
)


def test_code_is_one_block_in_three_backticks() -> None:
    for text, shown in CODE:
        assert changed(text).replace("\u200b", "~") == shown, text


AS_TYPED = (
    ("Title\n=====\n\nSub\n---\n\ntext", "# Title\n\n## Sub\n\ntext"),
    ("> T\n> ==\n> x", "> # T\n> x"),
    ("Step 1: a<br>**b**\n---", "## Step 1: a **b**"),
    ("```\nx\n```\nWhy?\n-\ny", "```\nx\n```\nWhy?\n-\ny"),
    # Only the last line of a paragraph is held back.
    ("a\nb\n===\nc", "a\nb\nc"),
    ("A sentence.\n---\nx", "A sentence.\nx"),
    ("> T\n===\nx", "> T\nx"),
    ("- T\n---\nx", "- T\nx"),
    ("- [ ] a\n- [x] b\n  * [X] c\n1. [ ] d", "- ☐ a\n- ☑ b\n  * ☑ c\n1. ☐ d"),
    ("- [ ](u) and [x]", "- [ ](u) and [x]"),
    ("a<br>b", "a\nb"),
    ("> - a<br/>b", "> - a\n>   b"),
    ("# a<br>b", "# a b"),
    ("$$\n\\frac{a}{b}\n\\foo{x}_1\n$$\nEnd", "a/b\n`\\foo{x}_1`\nEnd"),
    ("> \\[\n> x_1\n> \\]\n", "> x₁\n"),
    (
        "a | b\n--- | :-:\n1 | `x|y`\nc | 2\n\nEnd",
        "```\na |  b\n--+----\n1 | x|y\nc |  2\n```\n\nEnd",
    ),
    ("So:\na | b\n-|-\n1 | 2\n", "So:\n```\na | b\n--+--\n1 | 2\n```\n"),
    (
        "> a | b\n> -|-\n> 1 | 2\nEnd",
        "> ```\n> a | b\n> --+--\n> 1 | 2\n> ```\nEnd",
    ),
    (f"{'w' * 60} | b\n-|-\n1 | 2\n", f"{'w' * 60} | b\n-|-\n1 | 2\n"),
    ("| a |\n|---|\n| x \\|\\| y &amp; $z^2$ |\n", TABLE_OF_MARKS),
)


def test_what_discord_would_show_as_typed() -> None:
    for text, shown in AS_TYPED:
        assert changed(text) == shown, text
        assert changed(text, 1) == shown, text


DEFINED = '[1]: https://a.b/c\n> [the Docs]: <https://d.e> "T"\n\n'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see [it][1].", "see [it](<https://a.b/c>)."),
        (
            "- [The  docs][], [the docs]",
            "- [The  docs](<https://d.e>), [the docs](<https://d.e>)",
        ),
        (
            "![a][1] [https://x.y][1]",
            "[a](<https://a.b/c>) https://x.y (<https://a.b/c>)",
        ),
        ("[it][2] and [3], [1](u), [1]: x", "it [2] and [3], [1](u), [1]: x"),
        ("`[it][1]` a[0][1]", "`[it][1]` a[0][1]"),
        ("[a|b][1] | c\n", "[a|b](<https://a.b/c>) | c\n"),
    ],
)
def test_a_link_is_one_where_its_address_was_given_before(
    text: str, shown: str
) -> None:
    assert changed(DEFINED + text) == DEFINED + shown
    assert changed(DEFINED + text, 1) == DEFINED + shown


def test_the_address_of_a_link_may_follow() -> None:
    text = "see [the docs][1] and ![a][2].\n\n[1]: https://a.b\n[2]: https://c.d\n"
    assert changed(text) == (
        "see the docs [1] and a [2].\n\n[1]: https://a.b\n[2]: https://c.d\n"
    )


def test_what_follows_a_quote_is_not_in_its_code() -> None:
    text = "> ```\n> #### x\n#### Title\n"
    assert changed(text) == "> ```\n> #### x\n**Title**\n"


def test_only_what_may_be_a_heading_or_the_head_of_a_table_is_held_back() -> None:
    dialect = Dialect(tables=False, images=False)
    assert dialect.feed("The answer") == ""
    assert dialect.feed(" is here") == ""
    assert dialect.feed(".") == "The answer is here."
    assert dialect.feed(" It is a|b! See `x") == " It is a|b! See `x"
    assert dialect.feed("`.\n- a") == "`.\n- a"
    assert dialect.feed("\n\nA title\n") == "\n\n"
    assert dialect.feed("t") == "A title\n"
    assert dialect.feed("o") == ""
    assert dialect.feed(" w" * 30) == "to" + " w" * 30
    assert dialect.feed(" | w\n") == " | w\n"
    assert dialect.feed("## Ti") == "## Ti"
    assert dialect.feed("tle\n```py\nif ![x") == "tle\n```py\nif ![x"


@pytest.mark.parametrize("text", ["|", "-", "> |-", "#### x", "> ", "`", "~", " "])
def test_no_line_is_held_back_for_ever(text: str) -> None:
    dialect = Dialect(tables=False, images=False)
    assert dialect.feed((text * MOST_LINE)[:MOST_LINE] + "words") != ""
    assert dialect.feed(" and words") == " and words"


TYPED = (
    (">>> print(1)\n1\n\nafter", "\\>>> print(1)\n1\n\nafter"),
    ("a\n>>> b. c\n>>> d", "a\n\\>>> b. c\n\\>>> d"),
    ("-# small", "\\-# small"),
    ("  -# a. b\nc", "  \\-# a. b\nc"),
    ("`>>> a` and x -# y", "`>>> a` and x -# y"),
    ("```\n>>> a\n-# b\n```", "```\n>>> a\n-# b\n```"),
    ("> a\n> > b", "> a\n> > b"),
    ("- # a\n-#b", "- # a\n-#b"),
)


@pytest.mark.parametrize("size", [1, 3, 100])
def test_what_only_discord_reads_is_shown_as_typed(size: int) -> None:
    for text, shown in TYPED:
        assert changed(text, size=size) == shown, text
