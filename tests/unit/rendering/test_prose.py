"""Inline Markdown for a platform that reads some of it otherwise."""

import re

from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.prose import Prose, prose
from tests.unit.rendering.feeding import fed

NASTY = st.lists(
    st.sampled_from(
        [
            *["`", "``", "```", "|", "||", "&", "&amp;", "&#38;", "<", "<br>", "<b>"],
            *[
                "[!TIP]",
                "\n",
                "</b>",
                "<kbd>",
                "</kbd>",
                "<details>",
                "</summary>",
                "<sup>",
            ],
            *["$", "$$", "$x^2$", "\\(", "\\)", "\\frac{a}{b}", "\\", "[", "]", "]("],
            *["[a](https://x.y)", "https://x.y", "[a][1]", "[^1]", "![a](u)", " "],
            *[
                ")",
                "word",
                "_",
                "__",
                "__init__",
                "__a",
                "(",
                ".",
                "http",
                "h",
                "https://x.y/a__b[0][1]",
            ],
        ]
    ),
    max_size=25,
).map("".join)


MARKS = (
    ("a || b, `x || y`, ||| c", "a \\|\\| b, `x || y`, \\|\\|\\| c"),
    ("a | b", "a | b"),
    # Inside a word they underline nothing in Markdown.
    (
        "a__b__c_d, 1__ __x__ __init__.py",
        "a\\_\\_b\\_\\_c_d, 1__ __x__ \\_\\_init\\_\\_.py",
    ),
    (
        "`a__b`, https://a.b/c__d?e[0][1]=$x$ e__f",
        "`a__b`, https://a.b/c__d?e[0][1]=$x$ e\\_\\_f",
    ),
    ("**__init__.py**, x.__dict__", "**\\_\\_init\\_\\_.py**, x.\\_\\_dict\\_\\_"),
    ("so __foo__() or __main__, not", "so \\_\\_foo\\_\\_() or \\_\\_main\\_\\_, not"),
    ("__very__ or __name it__. __now__.", "__very__ or __name it__. __now__."),
    # Links whose text has an address.
    ("[https://a.b/c](https://a.b/c)", "<https://a.b/c>"),
    ("[https://a.b](https://a.b/).", "<https://a.b/>."),
    ("[to https://a.b now](https://c.d/e)", "to https://a.b now (<https://c.d/e>)"),
    ('[to https://a.b](https://c.d "t")', "to https://a.b (<https://c.d>)"),
    ("[docs](https://a.b/c_(d))", "[docs](https://a.b/c_(d))"),
    # References.
    ("see [the docs][1] and [this][]", "see the docs [1] and this"),
    ("a[0][1], f()[0][1]", "a[0][1], f()[0][1]"),
    ("so[^1] it is[^note]", "so[1] it is[note]"),
    # Entities and tags.
    ("a &nbsp;&amp; b &copy; &#39;&#x27;", "a \u00a0& b © ''"),
    ("&lt;@1&gt; &ast;x&ast;", "\\<@1\\> \\*x\\*"),
    ("AT&T &foo; &#8203; `&amp;`", "AT&T &foo; &#8203; `&amp;`"),
    ("<kbd>Ctrl</kbd> <strong>now</strong>", "`Ctrl` **now**"),
    ("List<User>, a<c>b", "List<User>, a<c>b"),
    ("<details><summary>More</summary>x</details>", "**More**x"),
    (
        "Use <b> for bold, <b> and </b>, <b></b>.",
        "Use <b> for bold, <b> and </b>, <b></b>.",
    ),
    ("the <details> tag, <kbd> and </kbd>", "the <details> tag, <kbd> and </kbd>"),
    ("<b>a <i>b</i></b> <code>&lt;b&gt;</code>", "**a *b*** `<b>`"),
    ("</details>", ""),
    ("> [!NOTE]", "> **Note**"),
    ("see [!NOTE] there", "see [!NOTE] there"),
    ("2<sup>8</sup> H<sub>2</sub>O <mark>a</mark>", "2^8 H2O a"),
    ("a\\\n", "a\n"),
    ("<detail>, C:\\dir", "<detail>, C:\\dir"),
    # Formulas.
    ("so $E = mc^2$ and \\(a \\leq b\\)", "so E = mc² and a ≤ b"),
    ("$\\alpha_1$, $$x$$, \\[\\sqrt{2}\\]", "α₁, x, √2"),
    ("$\\foo{x}$ is `\\foo`", "`\\foo{x}` is `\\foo`"),
    ("$5 and $10, $HOME and $PATH", "$5 and $10, $HOME and $PATH"),
    ("$A_B/$C and ${A_B}$C", "$A_B/$C and ${A_B}$C"),
    ("`$x^2$` \\[not one\\]", "`$x^2$` \\[not one\\]"),
    ("$x^*$", "x^\\*"),
)


def test_marks_are_replaced() -> None:
    for line, shown in MARKS:
        assert prose(line) == shown, line


@given(line=NASTY | st.text(), size=st.integers(1, 9))
def test_pieces_do_not_matter(line: str, size: int) -> None:
    assert fed(Prose(), line, size) == prose(line)


@given(line=NASTY.map(lambda line: line.replace("`", "")))
def test_outside_of_code_no_pipes_are_left_that_hide(line: str) -> None:
    # A formula that cannot be read is shown as code.
    shown = re.sub(r"`[^`]*`", "", prose(line))
    assert "||" not in shown.replace("\\|", "")


def test_only_what_could_be_replaced_is_held_back() -> None:
    reader = Prose()
    assert reader.feed("costs $5 a|b and `x") == "costs $5 a|b and `x"
    assert reader.feed(" y` |") == " y` "
    assert reader.feed("| z &am") == "\\|\\| z "
    assert reader.feed("p; [doc") == "& "
    assert reader.feed("s](https://a.b) on") == "[docs](https://a.b) on"
    assert reader.feed(" with https://a.b/c[") == " with https://a.b/c"
    assert reader.feed("0]/d|") == "[0]/d"
