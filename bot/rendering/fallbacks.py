"""Replaces Markdown that a platform does not render.

Rule 1: only elements that would be unreadable are replaced: tables, images, horizontal
rules, headings below the third level or with underlines, checkboxes of tasks, fences
other than three backticks, and the elements that `prose` lists. Code is never changed,
except that three backticks in it are divided, since they would end it.
Rule 2: the answer arrives in pieces that end anywhere, and the result does not depend
on the pieces. A line is held back while it may still need replacing, which its first
character mostly decides. A line longer than `MOST_LINE` is text. A line that can be a
heading or the head of a table is also held back until the next line decides that;
`preview` shows such a line meanwhile.
Rule 3: text that was passed on is never revoked, and nothing is lost.
"""

import re

from bot.rendering import latex
from bot.rendering.fences import InnerTicks, backticks
from bot.rendering.heads import definition, may_become_definition, may_become_head
from bot.rendering.images import Images, linked
from bot.rendering.markdown import (
    LINES,
    MOST_LINE,
    MOST_MARKERS,
    Fence,
    continuation,
    deep_heading,
    fence_after,
    is_blank,
    is_delimiter,
    is_heading,
    is_row,
    is_underline,
    may_become_block,
    may_become_closer,
    may_become_deep_heading,
    may_become_delimiter,
    may_become_row,
    may_become_rule,
    may_become_task,
    may_become_underline,
    quote_of,
    rule,
    task,
)
from bot.rendering.prose import Prose, escape, prose
from bot.rendering.tables import Table, columns

# The most definitions of reference links that are remembered.
MOST_LINKS = 500

# Marks at the beginning of a line that only Discord interprets: a quote of the rest of
# the message, and small print.
_FOREIGN = re.compile(r"\A( {0,3}+)(?=>>>[ \t]|-#(?:[ \t]|$))")
# A line that opens a formula of several lines, and the beginning of such a line.
_FORMULA = re.compile(rf"[ \t>]{{0,{MOST_MARKERS}}}+(?:\$\$|\\\[)[ \t\r]*+$")
_FORMULA_SO_FAR = re.compile(
    rf"[ \t>]{{0,{MOST_MARKERS}}}+(?:\$|\$\$[ \t\r]*+|\\|\\\[[ \t\r]*+)$"
)


class Dialect:
    """Replaces Markdown in a text that arrives in pieces.

    `tables` and `images` say what the platform renders. `tables` stands for all
    Markdown except images: a platform renders all of it or a small part (platform facts
    A6, B5). If both are rendered, all text passes unchanged.
    """

    def __init__(self, *, tables: bool, images: bool) -> None:
        self._shows_tables = tables
        self._shows_images = images
        #: The addresses of the reference links defined so far, by label.
        self._links: dict[str, str] = {}
        self._spans: Images | Prose = Images() if tables else Prose(self._links)
        self._ticks = InnerTicks()
        #: The part of the current line that is held back.
        self._line = ""
        #: Whether the line is known to be text, of which only inline marks are held
        #: back.
        self._is_words = False
        self._fence: Fence | None = None
        #: The previous line with its end, if the next line may make it a heading or the
        #: head of a table; and whether it begins a paragraph.
        self._head = ""
        self._is_first = False
        #: The head of the table that is held back, as the text that `preview` showed;
        #: "" if it was not shown.
        self._shown_head = ""
        #: The line that closes the open formula; "" outside of a formula.
        self._formula = ""
        self._table: Table | None = None
        self._is_below_blank = True
        self._is_below_words = False

    def feed(self, text: str) -> str:
        """Take the next piece; return the text that is decided now."""
        if self._shows_tables and self._shows_images:
            return text
        return "".join([self._take(piece) for piece in LINES.findall(text)])

    def preview(self) -> str:
        """Return the text that is held back, if it is most likely text, so that only
        the next line can make a heading or the head of a table of it."""
        if self._table:
            return "" if self._table.is_shown else self._shown_head
        if is_row(self._head):
            return ""
        line = "" if self._may_be_marks(self._line) else self._line
        last = Prose(self._links)
        last.before = continuation(line)
        return self._replace_marks(self._head) + last.feed(line)

    def flush(self) -> str:
        """Complete the text; return the text that was held back."""
        has_end = not self._line
        text = self._take("", is_last=True) if self._line or self._is_words else ""
        text += self._let_go()
        # The last line of a table gets a line end even if the answer has none.
        return text if has_end else text.removesuffix("\n")

    def _take(self, piece: str, *, is_last: bool = False) -> str:
        """Take a piece of one line; return the text that is decided now."""
        text, self._line = self._line + piece, ""
        is_over = is_last or text.endswith("\n")
        if self._is_words:
            return self._words(text, is_over)
        # This part of the line decides its kind, however long the line gets.
        line = text.removesuffix("\n")[: MOST_LINE + 1]
        is_short = len(line) <= MOST_LINE
        if is_short and not is_over and self._is_unclear(line):
            self._line = text
            return "" if self._may_go_on(line) else self._let_go()
        if self._fence and self._fence.is_left_by(line):
            self._fence = None
        if is_short and is_over:
            return self._convert_line(line, text[len(line) :])
        return self._let_go() + self._first_words(line, text, is_over)

    def _may_go_on(self, line: str) -> bool:
        """Return True if `line` may still belong to the block that is held back."""
        if self._table:
            return self._table.is_loose or may_become_row(line)
        return may_become_delimiter(line) or may_become_underline(line)

    def _is_unclear(self, line: str) -> bool:
        """Return True if `line` may still become more than text."""
        return self._may_be_marks(line) or (
            (self._fence is None or self._fence.is_left_by(line))
            and not self._shows_tables
            and may_become_head(line)
        )

    def _may_be_marks(self, line: str) -> bool:
        """Return True if `line` may still become more than text, by itself or together
        with the text that is held back."""
        if self._fence and may_become_closer(line):
            return True
        if self._fence and not self._fence.is_left_by(line):
            return False
        if may_become_block(line) or fence_after(None, line, MOST_MARKERS):
            return True
        return not self._shows_tables and (
            is_row(line)
            or bool(self._formula)
            or may_become_rule(line)
            or may_become_underline(line)
            or may_become_deep_heading(line)
            or may_become_task(line)
            or _FORMULA_SO_FAR.match(line) is not None
            or (bool(self._head) and may_become_delimiter(line))
            or may_become_definition(line)
            or (self._table is not None and self._table.is_loose)
        )

    def _convert_line(self, line: str, end: str) -> str:
        """Take a complete line that was held back."""
        if self._fence:
            return self._code(line + end)
        if self._table and self._table.takes(line):
            return self._table.add(line + end)
        if self._head and is_delimiter(line):
            table = Table(self._head, line)
            # Without pipes at its sides, a row needs one between two cells.
            is_meant = not table.is_loose or 1 < columns(self._head) == columns(line)
            if is_meant and table.goes_on_with(line):
                self._shown_head = (
                    self._replace_marks(self._head) if table.is_loose else ""
                )
                self._table, self._head = table, ""
                return ""
        if self._head and (title := self._underlined_heading(line)):
            self._head = ""
            self._is_below_blank = self._is_below_words = False
            return title + end
        before = self._let_go()
        if not self._shows_tables and (self._formula or _FORMULA.match(line)):
            return before + self._formula_line(line, end)
        if fence_after(None, line, MOST_MARKERS):
            return before + self._code(line + end)
        if not self._shows_tables and (is_row(line) or _is_head(line)):
            self._head, self._is_first = line + end, not self._is_below_words
            return before
        found = None if self._shows_tables else definition(line)
        if found and len(self._links) < MOST_LINKS:
            # The first of two definitions counts.
            self._links.setdefault(*found)
        changed = None if self._shows_tables else self._replacement(line, end)
        if changed is None:
            changed = self._first_words(line, line + end, is_over=True)
        return before + changed

    def _let_go(self) -> str:
        """Return the text that was held back for a table, which has ended or did not
        begin."""
        if self._table:
            text, self._table = self._table.close(), None
            self._is_below_blank = self._is_below_words = False
            return text
        text, self._head = self._head, ""
        if text:
            self._is_below_blank, self._is_below_words = False, True
        return self._replace_marks(text)

    def _underlined_heading(self, line: str) -> str:
        """Return the line that is held back as a heading, if `line` underlines it;
        otherwise ""."""
        found = rule(line)
        is_line = is_underline(line) or (found is not None and found[1] == "-")
        quote = quote_of(self._head)
        is_same = quote.count(">") == quote_of(line).count(">")
        if not (is_line and is_same and self._is_first) or is_row(self._head):
            return ""
        title = prose(self._head[len(quote) :].strip(), before=None, links=self._links)
        return f"{quote}{'##' if found else '#'} {title}"

    def _code(self, text: str) -> str:
        """Take a line of code, or a line that opens or closes a fence."""
        line = text.removesuffix("\n")
        before, self._fence = self._fence, fence_after(self._fence, line, MOST_MARKERS)
        self._is_below_blank = self._is_below_words = False
        if self._shows_tables:
            return text
        if before is None or self._fence is None:
            return backticks(line, self._fence) + text[len(line) :]
        return self._ticks.divide(text)

    def _formula_line(self, line: str, end: str) -> str:
        """Take a line of a formula of several lines. The lines that open and close the
        formula are not shown."""
        words = line.strip(" \t\r>")
        if not self._formula:
            self._formula = {"$$": "$$", "\\[": "\\]"}[words]
            return ""
        if words == self._formula:
            self._formula = ""
            return ""
        shown = latex.readable(words)
        quote = quote_of(line)
        if shown is None:
            # Show the line as code, unless its own backticks would end the code.
            return f"{quote}`{words}`{end}" if "`" not in words else line + end
        return f"{quote}{escape(shown)}{end}"

    def _replacement(self, line: str, end: str) -> str | None:
        """Return the replacement of a rule or a deep heading; None for any other
        line."""
        if found := rule(line):
            quote, mark = found
            if mark == "-" and self._is_below_words:
                # The dashes underline a heading. Its words were shown already, as a
                # line of text, so the dashes are dropped.
                self._is_below_words = False
                return ""
            text = "" if self._is_below_blank else quote + end
            self._is_below_blank, self._is_below_words = True, False
            return text
        if self._is_below_words and is_underline(line):
            self._is_below_words = False
            return ""
        if found := deep_heading(line):
            quote, title = found
            # Two stars would end the bold text.
            title = self._replace_marks(title).replace("**", "")
            self._is_below_blank = self._is_below_words = False
            return f"{quote}**{title}**{end}"
        return None

    def _first_words(self, line: str, text: str, is_over: bool) -> str:
        """Pass on `text`, which begins with `line`, as text."""
        is_outside = self._fence is None
        self._is_below_blank = is_outside and is_blank(line)
        self._is_below_words = not (is_blank(line) or is_heading(line)) and is_outside
        if is_outside and not self._shows_tables:
            text = _FOREIGN.sub(r"\1\\", text)
            if isinstance(self._spans, Prose):
                self._spans.before = None if is_heading(line) else continuation(line)
            if found := task(line):
                marks, is_done, length = found
                text = f"{marks}{'☑' if is_done else '☐'}{text[length:]}"
        return self._words(text, is_over)

    def _words(self, text: str, is_over: bool) -> str:
        self._is_words = not is_over
        if self._fence:
            return text if self._shows_tables else self._ticks.divide(text)
        if self._shows_tables and self._shows_images:
            return text
        return self._spans.feed(text) + (self._spans.flush() if is_over else "")

    def _replace_marks(self, line: str) -> str:
        """Return a complete line of text, or a part of one, with replacements."""
        if self._shows_tables:
            return line if self._shows_images else linked(line)
        shown = _FOREIGN.sub(r"\1\\", line)
        return prose(shown, before=continuation(line), links=self._links)


def _is_head(line: str) -> bool:
    """Return True if the next line can make a heading or a table of `line`."""
    is_line = is_blank(line) or is_underline(line) or rule(line) is not None
    return not is_line and may_become_head(line)
