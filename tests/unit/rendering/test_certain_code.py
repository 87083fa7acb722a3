"""Code is left as it is where it notifies nobody."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.certain_code import MOST_LINE, MOST_SPAN
from bot.rendering.mentions import ZERO_WIDTH_SPACE, MentionEscaper
from tests.unit.rendering.feeding import fed

NAMES = re.compile(r"<!here>|(?P<prose>@here\b)")

PIECES = st.lists(
    st.sampled_from(
        [
            *["@here", "`@here`", "``@here``", "`", "```", "```\n", "```ruby\n", "\n"],
            *["~~~\n", "\n\n", " ", "   ", "    ", "- ", "1. ", "> ", "word ", "\\"],
            *["<", "<div>", "<!--", "|", "](", "[a]:", "# ", "\t", "\r", "<!here>"],
        ]
    ),
    max_size=20,
).map("".join)


def shown(text: str, size: int = 10**6) -> str:
    """Return `text` as it is written; "~" where a name was broken up."""
    return fed(MentionEscaper(NAMES), text, size).replace(ZERO_WIDTH_SPACE, "~")


WHOLE = (
    "```ruby\n@here = 1\n```\n",
    "~~~\n@here\n~~~~\n",
    "   ```\n   @here\n   ```\n",
    "- step\n  ```sql\n  SET @here = 1;\n\n  @here\n  ```\n",
    "1. step\n   ```\n     @here\n   ```\n",
    "````\n```\n@here\n````\n",
    "- ```\n  x\n  ```\n\n```\n@here\n```\n",
    "> ```\n> x\n> ```\n\n```\n@here\n```\n",
    "write `@here` or `a @here b`",
    '`@here("x")` and ``@here``',
    "a (`@here`), 1 < 2, `<b>`, \\*: `@here`",
    "| a | `@here` |",
    "```\n@here",
)


@pytest.mark.parametrize("size", [1, 5, 10**6])
def test_in_code_a_name_stays_whole(size: int) -> None:
    for text in WHOLE:
        assert shown(text, size) == text, text


DOUBTFUL = (
    ("@here `x`", "@~here `x`"),
    ("```\nx\n```\n@here", "```\nx\n```\n@~here"),
    ("`<!here>`", "`<~!here>`"),
    # Not closed, or not surely.
    ("`@here", "`@~here"),
    ("`@here``", "`@~here``"),
    ("xxxxxxxxxxx`@here`", "xxxxxxxxxxx`@~here`"),
    ("**bold `@here` text", "**bold `@~here` text"),
    ("a `b\n`@here`", "a `b\n`@~here`"),
    ("\\`@here`", "\\`@~here`"),
    ("[x](<a`@here`b>)", "[x](<a`@~here`b>)"),
    ('<a title="`@here`">', '<a title="`@~here`">'),
    ("|`a | b` `@here`|", "|`a | b` `@~here`|"),
    # No fence, or one that others see elsewhere.
    ("- ```\n@here", "- ```\n@~here"),
    ("- a\n  ```\n@here", "- a\n  ```\n@~here"),
    ("    ```\n@here", "    ```\n@~here"),
    ("> ```\n@here", "> ```\n@~here"),
    ("<div>\n```\n@here\n```", "<div>\n```\n@~here\n```"),
    ("> ```\n  <div>\n```\n@here", "> ```\n  <div>\n```\n@~here"),
    ("```x | y\n|---|---|\n@here", "```x | y\n|---|---|\n@~here"),
    ("```\n@here\r```\n@here", "```\n@here\r```\n@~here"),
)


def test_in_doubt_it_is_broken_up() -> None:
    for text, safe in DOUBTFUL:
        assert shown(text) == safe, text


def test_long_lines_and_long_code_are_text() -> None:
    assert "~" in shown("x" * MOST_LINE + " `@here`")
    assert "~" in shown(f"`@here({'x' * MOST_SPAN}`")
    assert shown(f"```\n{'x' * 2 * MOST_LINE} @here\n```").count("~") == 0


def test_what_is_undecided_is_held_back_and_no_more() -> None:
    escaper = MentionEscaper(NAMES)
    assert escaper.feed("a `@here(" + "x" * 40) == "a `"
    assert escaper.preview(" ") == f"@{ZERO_WIDTH_SPACE}here({'x' * 40} "
    assert escaper.feed("`.") == f"@here({'x' * 40}`."
    assert (
        escaper.feed(" `@here(" + "x" * 60) == f" `@{ZERO_WIDTH_SPACE}here({'x' * 60}"
    )
    assert escaper.flush() == ""


@given(text=PIECES, size=st.integers(1, 20))
def test_pieces_do_not_matter(text: str, size: int) -> None:
    assert shown(text, size) == shown(text)
