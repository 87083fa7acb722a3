"""Formulas as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.rendering.latex import readable


@pytest.mark.parametrize(
    ("formula", "text"),
    [
        (r"\frac{a}{b+1}", "a/(b+1)"),
        (r"x^2 + y_{12} = \sqrt{x+1}", "x² + y₁₂ = √(x+1)"),
        (r"\sum_{i=1}^{n} i = \frac{n(n+1)}{2}", "∑ᵢ₌₁ⁿ i = (n(n+1))/2"),
        (r"e^{i\pi} + 1 = 0", "e^(iπ) + 1 = 0"),
        (r"O(n \log n)", "O(n log n)"),
        (r"\forall x \in \mathbb{R}", "∀ x ∈ ℝ"),
        (r"\text{if } x \to \infty", "if x → ∞"),
        (r"90^\circ", "90°"),
        (r"\left( \frac{1}{2} \right)", "( 1/2 )"),
        (r"50\%", "50%"),
    ],
)
def test_common_commands_are_known(formula: str, text: str) -> None:
    assert readable(formula) == text


@pytest.mark.parametrize(
    "formula",
    [r"\foo{x}", r"\begin{cases}1\end{cases}", "{", "}", "\\", "a & b", "x^", "{" * 99],
)
def test_what_is_not_known_is_left_alone(formula: str) -> None:
    assert readable(formula) is None


@given(st.text(alphabet="ab\\{}^_[] frac$&sqrt1", max_size=60))
def test_no_formula_fails(formula: str) -> None:
    readable(formula)
