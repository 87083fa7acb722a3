"""Escapes text that would notify people.

Rule 1: a pattern from the platform's limits matches text that notifies. A zero-width
space is inserted after the first character of each match, so that the text stays
readable and nobody is notified.
Rule 2: the answer arrives in pieces that end anywhere. Text that might still become a
match is held back, so that the result does not depend on the pieces.
Rule 3: text that notifies only outside of code is left unchanged where it is certainly
code, since people copy code.
"""

import copy
import re

from bot.rendering.certain_code import CertainCode

ZERO_WIDTH_SPACE = "\u200b"

_NOTHING = re.compile(r"(?!)")
_SIGNS = re.compile(r"[<@&]")

# The number of characters, including the first, that decide whether a match begins. The
# longest known mention, "&#x0003C;\\&#x00040;U00000001234567", has 35.
REACH = 40

#: The group of a pattern whose matches notify only outside of code.
PROSE = "prose"


class MentionEscaper:
    """Escapes mentions in a text that arrives in pieces.

    A pattern must keep three rules: a match begins with "<", "@" or "&"; `REACH`
    characters, look-ahead included, decide whether it begins; and there is no
    look-behind. A match with the group `PROSE` is escaped only outside of code. If the
    pattern is None, all text passes unchanged.
    """

    def __init__(self, pattern: re.Pattern[str] | None) -> None:
        self._pattern = pattern or _NOTHING
        self._has_pattern = pattern is not None
        self._held = ""
        self._code = CertainCode()

    def feed(self, text: str) -> str:
        """Take the next piece; return the text that is decided now."""
        return self._take(text, is_over=False)

    def preview(self, text: str) -> str:
        """Return the text that is held back, and `text`, escaped as if nothing
        followed. Do not take `text`."""
        held, code = self._held, copy.copy(self._code)
        shown = self._take(text, is_over=True)
        self._held, self._code = held, code
        return shown

    def flush(self) -> str:
        """Complete the text; return the text that was held back."""
        return self._take("", is_over=True)

    def _take(self, text: str, *, is_over: bool) -> str:
        text, self._held = self._held + text, ""
        if not self._has_pattern:
            return text
        end = len(text) if is_over else self._clear(text)
        pieces = []
        start = 0
        # Matches may overlap ("<@here"), so the search continues after the first
        # character of each match, not after the match.
        while (match := self._pattern.search(text, start)) and match.start() < end:
            at = match.start()
            self._code.read(text[start:at])
            pieces.append(text[start:at])
            start = at
            is_code = self._is_code(match, text[at:], is_over=is_over)
            if is_code is None:
                end = at
                break
            pieces.append(text[at] if is_code else text[at] + ZERO_WIDTH_SPACE)
            self._code.read(text[at])
            start = at + 1
        self._code.read(text[start:end])
        self._held = text[end:]
        return "".join([*pieces, text[start:end]])

    def _is_code(
        self, match: re.Match[str], following: str, *, is_over: bool
    ) -> bool | None:
        """Return True if the match is in code and notifies nobody there; None if that
        is undecided."""
        if PROSE not in self._pattern.groupindex or match[PROSE] is None:
            return False
        return self._code.holds(following, is_over=is_over)

    def _clear(self, text: str) -> int:
        """Return the number of characters of `text` that no later text can change."""
        tail = _SIGNS.search(text, max(0, len(text) - REACH + 1))
        return tail.start() if tail else len(text)
