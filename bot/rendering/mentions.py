"""Escaping of text that would notify people.

Rule 1: what notifies is data, a pattern from the platform's limits. A zero-width space
is inserted after the first character of each match, so that the text stays readable and
nobody is notified.
Rule 2: the answer arrives in pieces that end anywhere. What might still become a match
is held back, so that the result does not depend on the pieces.
"""

import re

ZERO_WIDTH_SPACE = "\u200b"

_NOTHING = re.compile(r"(?!)")

# This many characters, the first included, decide whether a match begins there. The
# longest known mention, "<!subteam^", takes 10.
REACH = 16


class MentionEscaper:
    """Escapes mentions in a text that arrives in pieces.

    A pattern must keep three rules: a match begins with a sign (neither letter, digit
    nor space) that the pattern spells out; `REACH` characters, look-ahead included,
    decide whether it begins; and it never looks back. Without a pattern everything
    passes unchanged.
    """

    def __init__(self, pattern: re.Pattern[str] | None) -> None:
        self._pattern = pattern or _NOTHING
        self._held = ""
        spelled = pattern.pattern if pattern else ""
        self._signs = frozenset(
            sign for sign in spelled if not sign.isalnum() and not sign.isspace()
        )

    def feed(self, text: str) -> str:
        """Take the next piece; return what is decided now."""
        text = self._held + text
        clear = self._clear(text)
        self._held = text[clear:]
        return self._defused(text, clear)

    def preview(self, text: str) -> str:
        """Return what was held back and `text`, escaped as if the text were complete;
        take nothing."""
        text = self._held + text
        return self._defused(text, len(text))

    def flush(self) -> str:
        """Return what was held back: the text is complete."""
        text, self._held = self._held, ""
        return self._defused(text, len(text))

    def _clear(self, text: str) -> int:
        """Return how many characters of `text` no later text can change."""
        tail = range(max(0, len(text) - REACH + 1), len(text))
        return next((at for at in tail if text[at] in self._signs), len(text))

    def _defused(self, text: str, end: int) -> str:
        """Return the first `end` characters of `text`, escaped; what follows is only
        looked at."""
        pieces = []
        start = 0
        # Matches may overlap ("<@here"), so the search continues right behind the first
        # character of each, not behind the match.
        while (match := self._pattern.search(text, start)) and match.start() < end:
            pieces += [text[start : match.start() + 1], ZERO_WIDTH_SPACE]
            start = match.start() + 1
        return "".join([*pieces, text[start:end]])
