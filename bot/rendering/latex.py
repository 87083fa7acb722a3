"""Converts LaTeX formulas to text. Pure.

Rule: a formula is converted as a whole or not at all. A formula with an unknown command
is left as it was typed.
"""

import re

_SYMBOLS = {
    **{"alpha": "α", "beta": "β", "gamma": "γ", "delta": "δ", "epsilon": "ε"},
    **{"varepsilon": "ε", "zeta": "ζ", "eta": "η", "theta": "θ", "vartheta": "ϑ"},
    **{"iota": "ι", "kappa": "κ", "lambda": "λ", "mu": "μ", "nu": "ν", "xi": "ξ"},
    **{"pi": "π", "rho": "ρ", "sigma": "σ", "tau": "τ", "upsilon": "υ", "phi": "φ"},
    **{"varphi": "φ", "chi": "χ", "psi": "ψ", "omega": "ω", "Gamma": "Γ"},
    **{"Delta": "Δ", "Theta": "Θ", "Lambda": "Λ", "Xi": "Ξ", "Pi": "Π", "Sigma": "Σ"},
    **{"Upsilon": "Υ", "Phi": "Φ", "Psi": "Ψ", "Omega": "Ω"},
    **{"times": "×", "cdot": "·", "div": "÷", "pm": "±", "mp": "∓", "ast": "∗"},
    **{"star": "⋆", "circ": "∘", "bullet": "•", "oplus": "⊕", "otimes": "⊗"},
    **{"le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "ne": "≠", "neq": "≠"},
    **{"ll": "≪", "gg": "≫", "approx": "≈", "equiv": "≡", "sim": "∼", "simeq": "≃"},
    **{"cong": "≅", "propto": "∝", "in": "∈", "notin": "∉", "ni": "∋"},
    **{"subset": "⊂", "subseteq": "⊆", "supset": "⊃", "supseteq": "⊇", "cup": "∪"},
    **{"cap": "∩", "setminus": "∖", "emptyset": "∅", "varnothing": "∅"},
    **{"forall": "∀", "exists": "∃", "nexists": "∄", "neg": "¬", "lnot": "¬"},
    **{"land": "∧", "wedge": "∧", "lor": "∨", "vee": "∨", "top": "⊤", "bot": "⊥"},
    **{"to": "→", "rightarrow": "→", "leftarrow": "←", "gets": "←", "mapsto": "↦"},
    **{"leftrightarrow": "↔", "Rightarrow": "⇒", "Leftarrow": "⇐", "implies": "⇒"},
    **{"Leftrightarrow": "⇔", "iff": "⇔", "uparrow": "↑", "downarrow": "↓"},
    **{"sum": "∑", "prod": "∏", "int": "∫", "iint": "∬", "oint": "∮"},
    **{"partial": "∂", "nabla": "∇", "infty": "∞", "prime": "′", "degree": "°"},
    **{"ldots": "…", "dots": "…", "cdots": "⋯", "vdots": "⋮", "ell": "ℓ"},
    **{"hbar": "ℏ", "Re": "ℜ", "Im": "ℑ", "aleph": "ℵ", "angle": "∠"},
    **{"perp": "⊥", "parallel": "∥", "mid": "|", "vert": "|", "Vert": "‖"},
    **{"langle": "⟨", "rangle": "⟩", "lfloor": "⌊", "rfloor": "⌋", "lceil": "⌈"},
    **{"rceil": "⌉", "therefore": "∴", "because": "∵", "square": "□", "checkmark": "✓"},
    **{"quad": "  ", "qquad": "   ", "left": "", "right": "", "limits": ""},
    **{"displaystyle": "", "textstyle": "", "big": "", "Big": "", "bigg": ""},
}
_WORDS = {
    *("sin", "cos", "tan", "log", "ln", "exp", "lim", "max", "min", "sup", "inf"),
    *("det", "dim", "gcd", "arg", "deg", "ker", "Pr", "mod", "bmod", "sinh", "cosh"),
    *("tanh", "arcsin", "arccos", "arctan", "cot", "sec"),
}
#: Commands whose argument is shown without the command.
_PLAIN = {
    *("text", "textrm", "textbf", "textit", "mathrm", "mathbf", "mathit", "mathsf"),
    *("mathcal", "operatorname", "boxed", "mbox", "boldsymbol"),
}
_ACCENTS = {
    **{"hat": "\u0302", "bar": "\u0304", "vec": "\u20d7", "tilde": "\u0303"},
    **{"dot": "\u0307", "ddot": "\u0308", "overline": "\u0305", "widehat": "\u0302"},
}
_DOUBLE = dict(zip("CHNPQRZ", "ℂℍℕℙℚℝℤ", strict=True))
_SPACES = {",": " ", ";": " ", ":": " ", "!": "", " ": " ", "\\": "\n"}
_ABOVE = dict(
    zip(
        "0123456789+-=()abcdefghijklmnoprstuvwxyzT",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᵀ",
        strict=True,
    )
)
_BELOW = dict(
    zip(
        "0123456789+-=()aehijklmnoprstuvx",
        "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ",
        strict=True,
    )
)
_COMMAND = re.compile(r"\\(?:([A-Za-z]++)[ ]?|(.))", re.DOTALL)
_SIMPLE = re.compile(r"[\w.′]*+")
# The deepest nesting. Deeper formulas are left as typed.
_DEPTH = 20


def readable(formula: str) -> str | None:
    """Return `formula`, which has no dollars, as text; None if it cannot be shown as
    text."""
    reader = _Reader(formula)
    try:
        text = reader.all()
    except _Unreadable:
        return None
    return " ".join(text.split(" ")).strip()


class _Unreadable(Exception):
    """The formula has an element that cannot be shown as text."""


class _Reader:
    """Reads one formula."""

    def __init__(self, formula: str) -> None:
        self._formula = formula
        self._at = 0
        self._depth = 0

    def all(self) -> str:
        """Return all of the formula."""
        text = self._until("")
        if self._at < len(self._formula):
            raise _Unreadable
        return text

    def _until(self, end: str) -> str:
        pieces = []
        while self._at < len(self._formula) and self._formula[self._at] != end:
            pieces.append(self._next())
        return "".join(pieces)

    def _next(self) -> str:
        """Return the next part: a character, a command with its arguments, a group."""
        sign = self._formula[self._at]
        if sign == "\\":
            return self._command()
        self._at += 1
        if sign == "{":
            return self._group()
        if sign in "^_":
            return self._script(sign)
        if sign in "}&#%$":
            raise _Unreadable
        return "\u00a0" if sign == "~" else sign

    def _group(self) -> str:
        self._depth += 1
        if self._depth > _DEPTH:
            raise _Unreadable
        text = self._until("}")
        if self._at >= len(self._formula):
            raise _Unreadable
        self._at += 1
        self._depth -= 1
        return text

    def _argument(self) -> str:
        while self._formula[self._at : self._at + 1] == " ":
            self._at += 1
        if self._at >= len(self._formula):
            raise _Unreadable
        self._depth += 1
        if self._depth > _DEPTH:
            raise _Unreadable
        text = self._next()
        self._depth -= 1
        return text.strip()

    def _script(self, sign: str) -> str:
        text = self._argument()
        if text in ("∘", "°") and sign == "^":
            return "°"
        signs = _ABOVE if sign == "^" else _BELOW
        if text and all(each in signs for each in text):
            return "".join(signs[each] for each in text)
        return f"{sign}{text}" if len(text) == 1 else f"{sign}({text})"

    def _command(self) -> str:
        match = _COMMAND.match(self._formula, self._at)
        if match is None:
            raise _Unreadable
        self._at = match.end()
        name, sign = match[1], match[2]
        if sign is not None:
            if sign in "{}$%&#_|":
                return sign
            if sign in _SPACES:
                return _SPACES[sign]
            raise _Unreadable
        shown = name if name in _WORDS else _SYMBOLS.get(name)
        if shown is not None:
            # The blank that ends the name of a command is kept as a blank between
            # words.
            return f"{shown} " if shown and match[0].endswith(" ") else shown
        return self._with_arguments(name)

    def _with_arguments(self, name: str) -> str:
        if name in ("frac", "dfrac", "tfrac"):
            return f"{_bracket(self._argument())}/{_bracket(self._argument())}"
        if name == "binom":
            return f"C({self._argument()}, {self._argument()})"
        if name == "sqrt":
            return self._root()
        if name in _PLAIN:
            return self._argument()
        if name == "mathbb":
            text = self._argument()
            return "".join(_DOUBLE.get(each, each) for each in text)
        if name in _ACCENTS:
            text = self._argument()
            if len(text) == 1:
                return text + _ACCENTS[name]
        raise _Unreadable

    def _root(self) -> str:
        index = ""
        if self._formula[self._at : self._at + 1] == "[":
            self._at += 1
            index = self._until("]")
            self._at += 1
        signs = {"": "√", "2": "√", "3": "∛", "4": "∜"}
        if index not in signs:
            raise _Unreadable
        return signs[index] + _bracket(self._argument())


def _bracket(text: str) -> str:
    return text if _SIMPLE.fullmatch(text) else f"({text})"
