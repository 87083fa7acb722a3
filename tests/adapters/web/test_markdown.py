"""Markdown in answers and in messages of people, rendered as HTML."""

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.web.markdown import (
    LONG_LIST,
    MOST_COLOURED,
    MOST_GROWING,
    GrowingBlocks,
    render,
    render_small,
)
from tests.support.deep import rounds

WHOLE = """\
# A title

Text with *emphasis*, **strength**, `code`, ~~a mistake~~ and a [link](http://example.org).

```python
def f(x):
    return "<b>"
```

| a | b |
|:--|--:|
| 1 | 2 |

3. three
4. four
   - nested

> quoted
> too

The formula $x_1 + y_1$ and \\(a_b\\) cost $5 and $6.

$$
a_1 = b_1
$$
"""

PIECES = st.sampled_from(
    [
        *("word ", "*", "**", "`", "```\n", "```python\n", "\n", "\n\n", "- ", "1. "),
        *("> ", "# ", "| a | b |\n", "|--|--|\n", "$", "$$", "\\(", "\\)", "---\n"),
        *("    ", "[x](http://a)", "<b>", "===\n", "\t", "~~", "@Claude ", "!", "x"),
    ]
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("See https://a.b/c_d_e(f)?g#h.", ">https://a.b/c_d_e(f)?g#h</a>."),
        ("(https://a.b), `https://a.b`", ">https://a.b</a>), <code>https://a.b</code>"),
        ("[https://a.b](https://c.d)", '<a href="https://c.d"'),
        ("H<sub>2</sub>O <b>a *b*</b>", "H<sub>2</sub>O <strong>a <em>b</em></strong>"),
        ("Use <b> or <details> here", "Use &lt;b&gt; or &lt;details&gt; here"),
        ("<details><summary>More</summary>", "<p><strong>More</strong></p>"),
        ("|a|\n|-|\n|b<br>c|", "b<br>"),
        ("> [!TIP]\n> Sleep.", "<p><strong>Tip</strong><br>\nSleep.</p>"),
        ("[!TIP]\n\n> a\n>\n> [!TIP]", "<p>[!TIP]</p>\n<blockquote>\n<p>a</p>\n<p>[!"),
        ("- [ ] a\n- [x] *b*\n- c [x] d", "<li>☐ a</li>\n<li>☑ <em>b</em></li>"),
        (r"\(\frac{1}{2}\) $\begin{x}$", "1/2</span> "),
        (r"\(\frac{1}{2}\) $\begin{x}$", r">$\begin{x}$</span>"),
    ],
)
def test_what_answers_contain_besides_markdown_is_shown(text: str, shown: str) -> None:
    html = "".join(render(text)).replace(' target="_blank"', "")
    assert shown in html.replace(' rel="noopener noreferrer nofollow"', "")


def test_a_line_below_a_list_is_a_paragraph() -> None:
    html = render_small("- one\n- two\nBy person\n- three\n  more")
    assert "<li>two</li>\n</ul>\n<p>By person</p>\n<ul>" in html
    assert "three<br>\nmore" in html


def test_an_address_in_a_message_is_a_link() -> None:
    assert '<a href="https://a.b/c"' in render_small("see https://a.b/c, please")


def test_an_answer_is_drawn_block_by_block() -> None:
    found = render(WHOLE)
    assert found[0] == "<h3>A title</h3>\n"
    assert "<em>emphasis</em>" in found[1]
    assert 'rel="noopener noreferrer nofollow"' in found[1]
    assert '<span class="c-k">def</span>' in found[2]
    assert "&lt;b&gt;" in found[2]
    assert '<th class="right">b</th>' in found[3]
    assert '<ol start="3">' in found[4]
    assert found[5].startswith("<blockquote>")
    assert '<span class="formula">x₁ + y₁</span>' in found[6]
    assert '<span class="formula">a_b</span> cost $5 and $6.' in found[6]
    assert '<span class="formula">a₁ = b₁</span>' in found[7]
    assert len(found) == 8


@given(st.lists(PIECES, max_size=60), st.integers(1, 9))
def test_what_grew_reads_in_the_end_as_the_whole(pieces: list[str], step: int) -> None:
    grew(pieces, step)


def test_it_does_at_length() -> None:
    for nth in range(rounds(4, 2000)):
        shuffled = [
            WHOLE[k : k + 1 + nth % 7] for k in range(0, len(WHOLE), 1 + nth % 7)
        ]
        grew(shuffled, 1 + nth % 5)


def grew(pieces: list[str], step: int) -> None:
    growing, text = GrowingBlocks(), ""
    for nth, piece in enumerate(pieces):
        text += piece
        if nth % step == 0:
            growing.update(text, final=False)
    growing.update(text, final=True)
    assert growing.html == render(text)


def test_only_the_last_blocks_are_rendered_again() -> None:
    growing = GrowingBlocks()
    growing.update("One.\n\nTwo.\n\nThree.\n\nFour", final=False)
    assert growing.work("One.\n\nTwo.\n\nThree.\n\nFour.") < len("Three.\n\nFour.") + 2
    before = growing.html
    growing.update("One.\n\nTwo.\n\nThree.\n\nFour and more", final=False)
    # The same objects: nobody made them anew.
    assert all(a is b for a, b in zip(before[:2], growing.html[:2], strict=True))
    # A text that is another is taken as it is.
    growing.update("Other.", final=False)
    assert growing.html == ["<p>Other.</p>\n"]


def test_a_link_that_is_defined_below_is_one_in_the_end() -> None:
    growing = GrowingBlocks()
    growing.update("See [x].\n\nB.\n\nC.\n\n", final=False)
    growing.update("See [x].\n\nB.\n\nC.\n\n[x]: http://example.org", final=True)
    assert 'href="http://example.org"' in growing.html[0]


def test_long_code_is_coloured_when_it_is_complete() -> None:
    code = "```python\n" + "x = 1\n" * (MOST_GROWING // 6 + 1) + "```\n"
    growing = GrowingBlocks()
    growing.update(code + "\n\nA.\n\nB.\n\nC.", final=False)
    assert "c-n" not in growing.html[0]
    growing.update(code + "\n\nA.\n\nB.\n\nC.", final=True)
    assert "c-n" in growing.html[0]
    longer = "x = 1\n" * MOST_COLOURED
    assert "c-n" not in render(f"```python\n{longer}```")[0]


def test_a_long_list_is_several_that_count_on() -> None:
    items = [f"{nth}. item number {nth}\n" for nth in range(1, LONG_LIST // 10)]
    found = render("".join(items))
    assert len(found) > 1
    counted = 0
    for block in found:
        start = int(block.partition('start="')[2].partition('"')[0] or 1)
        assert start == counted + 1
        counted += block.count("<li>")
    assert counted == len(items)


class _Tags(HTMLParser):
    """Collects the tags and attributes of HTML."""

    def __init__(self) -> None:
        super().__init__()
        self.found: set[tuple[str, str, str]] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found |= {(tag, name, value or "") for name, value in attrs} | {
            (tag, "", "")
        }


HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg/onload=alert(1)>',
    "[a](javascript:alert(1))",
    "[a](JaVaScRiPt:alert(1))",
    "[a](data:text/html;base64,PHN2Zz4=)",
    "[a](vbscript:x)",
    "![a](javascript:alert(1))",
    '![a"onerror="alert(1)](http://x/"onerror="y)',
    "<javascript:alert(1)>",
    '```"><script>\nx\n```',
    "```html onload=x\n<b>\n```",
    "| <b onclick=x> |\n|--|\n| <i> |",
    "<style>*{display:none}</style>",
    "<a href='http://x' onclick=y>z</a>",
    "$<script>$ \\(<img onerror=x>\\)",
    "@Claude<script>",
    "&lt;script&gt; &#60;script&#62;",
    '[a](http://x "title\\" onmouseover=\\"y")',
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nobody_s_markup_is_markup(text: str) -> None:
    for html in ("".join(render(text)), render_small(text)):
        parser = _Tags()
        parser.feed(html)
        for tag, name, value in parser.found:
            assert tag not in ("script", "style", "img", "svg", "iframe", "b", "i")
            assert not name.startswith("on")
            assert name != "style"
            if name == "href":
                assert value.startswith(("http://", "https://", "mailto:"))


def test_what_people_type_keeps_its_lines_and_mentions() -> None:
    html = render_small("@Claude hi\n**b** `c` # no title\n- one\n\nmail@Ben.org")
    assert '<bdi class="mention">@Claude</bdi> hi<br>' in html
    assert "<strong>b</strong> <code>c</code> # no title" in html
    assert "<li>one</li>" in html
    assert html.count("mention") == 1
