"""Takes the sting out of sequences that would notify people.

Rule 1: what is dangerous is data, a pattern from the platform's limits. A
zero-width space goes in after the first character of each match, so that the
words stay readable and nobody is called.
Rule 2: the answer arrives in pieces that end anywhere. What might still become
a match is held back until it is clear, so that the pieces never matter.
"""

import re

ZERO_WIDTH_SPACE = "\u200b"

_NOTHING = re.compile(r"(?!)")

# Whether a match begins at a character is clear from this many characters, that
# one included. The longest ping that we know of, "<!subteam^", takes 10.
REACH = 16


class MentionEscaper:
    """Defuses a text that arrives in pieces.

    A pattern must keep to three rules: a match begins with a sign (neither
    letter, digit nor space) that the pattern spells out; whether it begins is
    clear within `REACH` characters, look-ahead included; and it never looks
    back. Without a pattern everything passes as it is.
    """

    def __init__(self, pattern: re.Pattern[str] | None) -> None:
        self._pattern = pattern or _NOTHING
        self._held = ""
        spelled = pattern.pattern if pattern else ""
        self._signs = frozenset(
            sign for sign in spelled if not sign.isalnum() and not sign.isspace()
        )

    def feed(self, text: str) -> str:
        """Take in the next piece; return what is now safe to show."""
        text = self._held + text
        clear = self._clear(text)
        self._held = text[clear:]
        return self._defused(text, clear)

    def flush(self) -> str:
        """Return what was held back: nothing more will come."""
        text, self._held = self._held, ""
        return self._defused(text, len(text))

    def _clear(self, text: str) -> int:
        """How many characters of `text` no later text can change."""
        tail = range(max(0, len(text) - REACH + 1), len(text))
        return next((at for at in tail if text[at] in self._signs), len(text))

    def _defused(self, text: str, end: int) -> str:
        """The first `end` characters of `text`; what follows is looked at only."""
        pieces = []
        start = 0
        # Matches may overlap ("<@here"), so the search goes on right behind the
        # first character of each, not behind the match.
        while (match := self._pattern.search(text, start)) and match.start() < end:
            pieces += [text[start : match.start() + 1], ZERO_WIDTH_SPACE]
            start = match.start() + 1
        return "".join([*pieces, text[start:end]])
