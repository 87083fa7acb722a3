"""Lists in the operator's configuration: words separated by spaces or commas. Pure."""

import re

from bot.messages import config as messages


def read(
    text: str, variable: str, form: re.Pattern[str], expected: str
) -> tuple[frozenset[str], list[str]]:
    """Return the entries of `text`, and a problem for each one that violates `form`.

    A problem states the entry's number in `variable`, not the entry itself, which may
    be a misplaced secret. `expected` describes valid entries.
    """
    words = text.replace(",", " ").split()
    problems = [
        messages.entry(number=number, variable=variable, problem=expected)
        for number, word in enumerate(words, 1)
        if not form.fullmatch(word)
    ]
    return frozenset(words), problems
