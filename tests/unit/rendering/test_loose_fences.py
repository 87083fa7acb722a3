"""Fences behind words get a line of their own."""

from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.loose_fences import LooseFences
from tests.unit.rendering.feeding import fed

NASTY = st.lists(
    st.sampled_from(
        [
            *["`", "``", "```", "````", "py", "run:", "word", " ", "\n", "\n\n", "> "],
            *["- ", "  ", "\t", "```\n", "a: ```sh\n", "~~~\n", "```x```", "\r\n"],
        ]
    ),
    max_size=25,
).map("".join)


def fences(text: str, size: int = 10**6) -> str:
    return fed(LooseFences(), text, size)


FENCES = (
    ("Run: ```sh\nnpm i\n```\nThen **x**.", "Run: \n```sh\nnpm i\n```\nThen **x**."),
    ("1. Run ```\nls\n```\n2. Go", "1. Run \n   ```\nls\n```\n2. Go"),
    ("> a:```\n> x\n> ```\nb", "> a:\n> ```\n> x\n> ```\nb"),
    ("a ```py\nb = 1``` and\nc", "a \n```py\nb = 1\n```\nand\nc"),
    ("a: ```\nb```", "a: \n```\nb\n```"),
)

LEFT_ALONE = (
    "Blocks begin with ```\nand end\nwith three.",
    "use ```x```\nand ``` y ```: `a`",
    "```\nrun: ```py\n```\nb",
    "- ```sh\n  ls\n  ```\n- `a` ``b`` ",
    "a: ```py",
    "a: ~~~py\nb",
)


def test_a_fence_behind_words_begins_a_line() -> None:
    for text, shown in FENCES:
        assert fences(text) == shown, text


def test_other_backticks_stay() -> None:
    for text in LEFT_ALONE:
        assert fences(text) == text


@given(NASTY, st.integers(1, 5))
def test_pieces_do_not_matter(text: str, size: int) -> None:
    assert fences(text, size) == fences(text)
