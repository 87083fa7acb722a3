"""Replacements for the Markdown that a platform does not render.

Rule 1: only what would be unreadable is replaced: tables, images, horizontal rules and
headings below the third level. Code is never changed.
Rule 2: the answer arrives in pieces that end anywhere, and the result does not depend
on them. A line is held back while it may still need replacing, which its first
character mostly decides; a line longer than `MOST_LINE` is text.
Rule 3: nothing that was passed on is revoked, and nothing is lost.
"""

import re

from bot.rendering.images import Images, linked
from bot.rendering.markdown import (
    MOST_MARKERS,
    Fence,
    deep_heading,
    fence_after,
    is_blank,
    is_delimiter,
    is_heading,
    is_row,
    may_become_block,
    may_become_closer,
    may_become_deep_heading,
    may_become_delimiter,
    may_become_rule,
    rule,
)
from bot.rendering.tables import Table

# The longest line, in characters, that is held back: about a message, on platforms
# without tables (platform facts B5).
MOST_LINE = 2_000

_LINES = re.compile(r"[^\n]*+\n|[^\n]++")


class Dialect:
    """Replaces Markdown in a text that arrives in pieces.

    `tables` and `images` say what the platform renders. Rules and deep headings count
    as tables: a platform lacks both or none (platform facts B5). Where both are
    rendered, everything passes unchanged.
    """

    def __init__(self, *, tables: bool, images: bool) -> None:
        self._shows_tables = tables
        self._shows_images = images
        self._images = Images()
        #: The part of the current line that is held back.
        self._line = ""
        #: Whether the line is known to be text: nothing of it is held back, except
        #: images.
        self._is_words = False
        self._fence: Fence | None = None
        #: The previous line, its end included, if the next may make a table of it.
        self._head = ""
        self._table: Table | None = None
        self._is_below_blank = True
        self._is_below_words = False

    def feed(self, text: str) -> str:
        """Take the next piece; return what is decided now."""
        if self._shows_tables and self._shows_images:
            return text
        return "".join([self._take(piece) for piece in _LINES.findall(text)])

    def flush(self) -> str:
        """Return what was held back: the text is complete."""
        has_end = not self._line
        text = self._take("", is_last=True) if self._line or self._is_words else ""
        text += self._let_go()
        # The last line of a table has a line end even if the answer's has none.
        return text if has_end else text.removesuffix("\n")

    def _take(self, piece: str, *, is_last: bool = False) -> str:
        """Take a piece of one line; return what is decided now."""
        text, self._line = self._line + piece, ""
        is_over = is_last or text.endswith("\n")
        if self._is_words:
            return self._words(text, is_over)
        # This much decides the kind of the line, however long it gets.
        line = text.removesuffix("\n")[: MOST_LINE + 1]
        is_short = len(line) <= MOST_LINE
        if is_short and not is_over and self._is_unclear(line):
            self._line = text
            return ""
        if self._fence and self._fence.is_left_by(line):
            self._fence = None
        if is_short and is_over:
            return self._whole(line, text[len(line) :])
        return self._let_go() + self._first_words(line, text, is_over)

    def _is_unclear(self, line: str) -> bool:
        """Return True if `line` may still become more than text."""
        if self._fence and may_become_closer(line):
            return True
        if self._fence and not self._fence.is_left_by(line):
            return False
        if may_become_block(line) or fence_after(None, line, MOST_MARKERS):
            return True
        return not self._shows_tables and (
            is_row(line)
            or may_become_rule(line)
            or may_become_deep_heading(line)
            or (bool(self._head) and may_become_delimiter(line))
        )

    def _whole(self, line: str, end: str) -> str:
        """Take a complete line that was held back."""
        if self._fence:
            return self._code(line + end)
        if self._table and is_row(line) and self._table.takes(line):
            return self._table.add(line + end)
        if self._head and is_delimiter(line):
            table = Table(self._head, line)
            if table.takes(line):
                self._table, self._head = table, ""
                return ""
        before = self._let_go()
        if fence_after(None, line, MOST_MARKERS):
            return before + self._code(line + end)
        if not self._shows_tables and is_row(line):
            self._head = line + end
            return before
        changed = None if self._shows_tables else self._changed(line, end)
        if changed is None:
            changed = self._first_words(line, line + end, is_over=True)
        return before + changed

    def _let_go(self) -> str:
        """Return what was held back for a table that has ended, or for none."""
        if self._table:
            text, self._table = self._table.close(), None
            self._is_below_blank = self._is_below_words = False
            return text
        text, self._head = self._head, ""
        if text:
            self._is_below_blank, self._is_below_words = False, True
        return self._without_images(text)

    def _code(self, text: str) -> str:
        """Take a line of code, or one that opens or closes a fence."""
        line = text.removesuffix("\n")
        self._fence = fence_after(self._fence, line, MOST_MARKERS)
        self._is_below_blank = self._is_below_words = False
        return text

    def _changed(self, line: str, end: str) -> str | None:
        """Return the replacement of a rule or a deep heading; None for any other
        line."""
        if found := rule(line):
            quote, mark = found
            if mark == "-" and self._is_below_words:
                return None  # it makes a heading of them, and so it was meant
            text = "" if self._is_below_blank else quote + end
            self._is_below_blank, self._is_below_words = True, False
            return text
        if found := deep_heading(line):
            quote, title = found
            # It would end the bold text.
            title = title.replace("**", "")
            self._is_below_blank = self._is_below_words = False
            return f"{quote}**{self._without_images(title)}**{end}"
        return None

    def _first_words(self, line: str, text: str, is_over: bool) -> str:
        """Pass on `text`, which begins with `line`, as text."""
        is_outside = self._fence is None
        self._is_below_blank = is_outside and is_blank(line)
        self._is_below_words = not (is_blank(line) or is_heading(line)) and is_outside
        return self._words(text, is_over)

    def _words(self, text: str, is_over: bool) -> str:
        self._is_words = not is_over
        if self._fence or self._shows_images:
            return text
        return self._images.feed(text) + (self._images.flush() if is_over else "")

    def _without_images(self, line: str) -> str:
        return line if self._shows_images else linked(line)
