"""Reads the operator's lists: words of one form between blanks or commas. Pure."""

import re


def read(
    text: str, variable: str, form: re.Pattern[str], expected: str
) -> tuple[frozenset[str], list[str]]:
    """Return the entries of `text`, and a problem for each that is not of `form`.

    An entry is named by its number in `variable`, since whatever stands there by
    mistake may be a secret; `expected` says what it could have been.
    """
    words = text.replace(",", " ").split()
    problems = [
        f"Entry {number} of {variable} {expected}"
        for number, word in enumerate(words, 1)
        if not form.fullmatch(word)
    ]
    return frozenset(words), problems
