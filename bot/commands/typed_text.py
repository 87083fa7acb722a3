"""Removes what people type around a command. Pure."""

import re

# Quotes and code marks around a whole command.
_MARKS = (
    *(("```", "```"), ("`", "`"), ("**", "**"), ("*", "*"), ("_", "_")),
    *(('"', '"'), ("\u201c", "\u201d"), ("\u201e", "\u201c"), ("'", "'")),
    *(("\u2018", "\u2019"), ("\u00ab", "\u00bb"), ("\u300c", "\u300d")),
)
_POLITE = frozenset(("please", "pls", "thanks"))
# The platform's own command, which is not needed behind a mention.
_SLASHED = frozenset(("/claude", "/claude-admin"))
_ENDS = ".,!\u2026\u3002\uff01"
# Marks of direction, which keyboards for Hebrew and Arabic and copied numbers have,
# and blanks without width, which copied text has.
_UNSEEN = re.compile("[\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


def without_unseen(text: str) -> str:
    """Return `text` without invisible characters that belong to no word."""
    return _UNSEEN.sub("", text)


def without_marks(text: str) -> str:
    """Return `text` without quotes or code marks around the whole."""
    text = text.strip()
    for opening, closing in _MARKS:
        inner = text[len(opening) : -len(closing)]
        whole = f"{opening}{inner}{closing}" == text
        if whole and set(opening + closing).isdisjoint(inner):
            return inner.strip()
    return text


def bare(text: str) -> str:
    """Return the words of `text` without a slash, politeness and a full stop."""
    words = text.split()
    if words and words[0].lower() in _SLASHED:
        words = words[1:]
    if words and words[0].strip(_ENDS).lower() in _POLITE:
        words = words[1:]
    if words and words[-1].strip(_ENDS).lower() in _POLITE:
        words = words[:-1]
    return " ".join(words).removeprefix("/").rstrip(f" {_ENDS}")
