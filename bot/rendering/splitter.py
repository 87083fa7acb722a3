"""Cuts a message in progress, and decides how much of it may be shown.

Rule 1: the shown text depends only on the text, never on the pieces in which it
arrived. So a reply that is rendered again after a crash has the same messages.
Rule 2: text is shown only if no later decision can take it back. Far from the limit,
all text is shown at once. In the last stretch before the limit, text is shown up to the
best place for a cut so far, and the cut is made there when the limit is reached. A
block that would be moved as a whole is held back from its first character on. So is a
heading until the text after it is known, since a heading moves with its block.
Rule 3: a block that a cut leaves open is closed at the end of the message and reopened
at the top of the next one. The room for that is always kept free.
Rule 4: on platforms that fold long messages, lines are a second limit, and code that
would be cut there is moved as a whole, like a table. Blank lines at the end do not
count.
"""

import math
from dataclasses import dataclass, replace

from bot.rendering.markdown import (
    MOST_MARKERS,
    Fence,
    beginning,
    ends_sentence,
    ends_word,
    fence_after,
    is_blank,
    is_delimiter,
    is_heading,
    is_row,
    joins,
    may_become_block,
    may_become_closer,
    may_become_delimiter,
    may_become_heading,
    may_become_row,
    quote_of,
)
from bot.rendering.places import Place, Rank, Table
from bot.rendering.spans import is_inside_span

# The most characters before the limit in which a place for the cut is searched: about a
# paragraph. More would make readers wait while Claude writes.
STRETCH = 600


@dataclass(frozen=True, slots=True)
class Opening:
    """The beginning of a message that continues a divided block."""

    #: The opener of a fence or the head of a table, as whole lines.
    text: str = ""
    fence: Fence | None = None
    #: The marks of the quote whose line was cut.
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Cut:
    """A full message, with the opening and the text of the next one."""

    text: str
    opening: Opening
    rest: str


class Page:
    """One message while it fills, with at most `limit` characters and `lines` lines."""

    def __init__(
        self,
        limit: int,
        opening: Opening | None = None,
        *,
        lines: int | None = None,
    ) -> None:
        self._limit = limit
        self._opening = opening or Opening()
        self._room = limit - len(self._opening.text)
        self._stretch = min(limit // 5, STRETCH)
        #: The most characters of a fence, with its prefix, that a cut may divide.
        self._longest_fence = min(limit // 6, MOST_MARKERS)
        #: The most lines, and the number of lines up to which no cut can be near.
        self._most_lines = math.inf if lines is None else lines
        self._most_lines -= self._opening.text.count("\n")
        self._calm_lines = self._most_lines - max(2, (lines or 0) // 3)
        #: Code is moved only for the limit of lines. The limit of characters would move
        #: most code.
        self._moves_code = lines is not None
        #: The complete lines with their ends.
        self._lines: list[str] = []
        #: The current line, the index at which it begins, and the fence that was open
        #: there.
        self._line = self._opening.quote
        self._start = 0
        self._fence = self._opening.fence
        #: The start of the code that a cut would move as a whole.
        self._code: Place | None = None
        self._table: Table | None = None
        if self._opening.text and self._fence is None:
            self._table = Table(0, "", self._opening.text)
        #: Whether no further text can make this line the beginning of a block.
        self._plain = False
        #: The index of the headings that are the last text; None if other text is the
        #: last.
        self._heading: int | None = None
        #: The rank of the end of the last line.
        self._rank = Rank.LINE
        self._size = len(self._line)
        #: The number of lines up to the last one with text, and the index at which the
        #: lines are enough for a message of decent size.
        self._height = 0
        self._decent: int | None = None
        #: The end of the text that fits, and the fence that is open there.
        self._end = self._size
        self._open = self._fence
        self._best: Place | None = None
        self._shown = self._size

    @property
    def shown(self) -> str:
        """The text that the message should show now; "" before the first word."""
        body = self._body[: self._shown]
        is_blank = not body[len(self._opening.quote) :].strip()
        return "" if is_blank else self._opening.text + body

    @property
    def whole(self) -> str:
        """The whole text of the message, including text that is not shown yet."""
        return self._opening.text + self._body

    @property
    def calm(self) -> int:
        """The most characters, in at most two lines, that can follow before a cut can
        be near."""
        if len(self._lines) + 2 > self._calm_lines:
            return 0
        largest_reserve = 2 * self._longest_fence + 1
        return self._room - self._stretch - largest_reserve - self._size

    def add(self, text: str) -> Cut | None:
        """Take `text`. If it does not fit, return the full message with the rest of
        `text`; the page is then complete."""
        taken = 0
        while taken < len(text):
            step = self._step(text, taken)
            self._line += text[taken : taken + step]
            self._size += step
            taken += step
            if self._line.endswith("\n"):
                self._end_line()
            last = Place(self._end, Rank.ANYWHERE, self._open)
            if self._measure():
                self._look(last)
            elif self._is_full(text[taken - 1]):
                return self._cut(self._best or last, text[taken:])
        return None

    def close(self) -> str:
        """Return the final text of the message at the end of the answer.

        Blanks that do not fit are dropped, since they would need a message of their
        own.
        """
        return self._close_fence(Place(self._end, Rank.ANYWHERE, self._open))

    @property
    def _body(self) -> str:
        return "".join([*self._lines, self._line])

    @property
    def _top(self) -> int:
        """The index of the cut that moves a block that begins in this line. The cut is
        above the block's headings, which are useless without the block."""
        return self._start if self._heading is None else self._heading

    def _step(self, text: str, taken: int) -> int:
        """Return the number of characters to take before the next decision.

        Text is taken line by line, or character by character if a cut can be near. With
        larger steps the result would depend on the pieces.
        """
        end = text.find("\n", taken) + 1 or len(text)
        return max(1, min(end - taken, self.calm))

    def _end_line(self) -> None:
        """Update the state for the lines below the line that just ended."""
        line, before = self._line[:-1], self._fence
        self._fence = fence_after(before, line, self._longest_fence)
        self._table = None if self._fence or before else self._table_below(line)
        self._lines.append(self._line)
        if self._fence is not before:
            self._code = self._code_place(before) if self._fence else None
        top = self._top
        self._start += len(self._line)
        self._line, self._plain = "", False
        if line.strip():
            self._height = len(self._lines)
        if self._decent is None and len(self._lines) * 3 >= self._most_lines:
            self._decent = self._start
        blank = is_blank(line)
        if before or not blank:
            self._heading = top if before is None and is_heading(line) else None
        if self._heading is not None:
            self._rank = Rank.INSIDE
        elif self._fence is None and (before or blank):
            self._rank = Rank.BLOCK
        else:
            self._rank = Rank.LINE

    def _table_below(self, line: str) -> Table | None:
        """Return the table that may continue below `line`, or None."""
        table = self._table
        if table and table.head and is_row(line):
            return table
        if table and not table.head and is_delimiter(line):
            return replace(table, head=table.first + self._line)
        return Table(self._top, self._line) if is_row(line) else None

    def _measure(self) -> bool:
        """Return True if the text fits with its open fence closed; record the end and
        the open fence if so."""
        fence, line = self._fence, self._line
        if line and not self._plain:
            fence = fence_after(fence, line, self._longest_fence)
        reserve = _reserve(fence)
        if fence and line and fence is self._fence and not self._plain:
            if may_become_closer(line):
                reserve = len(f"\n{fence.closer}")
            else:
                self._plain = True
        if self._size + reserve > self._room or self._rows(fence) > self._most_lines:
            return False
        self._end, self._open = self._size, fence
        return True

    def _rows(self, fence: Fence | None) -> int:
        """Return the number of lines if the message ends here and `fence` is closed."""
        if fence is None:
            return len(self._lines) + 1 if self._line.strip() else self._height
        is_closer = fence is self._fence and may_become_closer(self._line)
        return len(self._lines) + (1 if is_closer else 2)

    def _is_full(self, last: str) -> bool:
        # Blanks alone do not fill a message. Otherwise an answer that ends with a
        # newline could end with an empty message, which platforms refuse.
        return not last.isspace() or self._size >= self._limit + STRETCH

    def _look(self, last: Place) -> None:
        """Decide how much may be shown now, and whether this is a good place for a
        cut."""
        held = self._hold_from()
        reserve = _reserve(self._fence or self._open)
        is_calm = self._size <= self._room - reserve - self._stretch
        if is_calm and self._rows(self._open) <= self._calm_lines:
            self._best = None
            self._consider(held)
            self._shown = max(self._shown, held.at if held else self._size)
            return
        if held and (held.at == self._size or self._is_movable(held.at)):
            self._consider(held)
        elif not self._line:
            self._consider(self._line_place())
        else:
            if self._is_table_over():
                self._consider(Place(self._start, Rank.BLOCK, None))
            self._consider(self._place_of_words(last))
        if self._best:
            self._shown = max(self._shown, self._best.at)

    def _consider(self, place: Place | None) -> None:
        """Keep `place` as the best place, unless the best one so far is better."""
        at_least = self._best.rank if self._best else Rank.ANYWHERE
        least = max(self._shown, len(self._opening.quote) + 1)
        if place and place.at >= least and place.rank >= at_least:
            self._best = place

    def _place_of_words(self, last: Place) -> Place | None:
        """Return `last`, the place before the newest character, if a cut is possible
        there, which only the newest character decides."""
        line = self._line
        if len(line) < 2 or last.at < self._size - 1 or joins(line, len(line) - 1):
            return None
        if ends_word(line[-2]) and not line[-1].isspace():
            return replace(last, rank=self._rank_of_words(line[:-1]))
        return last

    def _rank_of_words(self, words: str) -> Rank:
        """Return the rank of the place after `words`, the beginning of the line."""
        if len(words) <= beginning(words):
            return Rank.ANYWHERE
        if self._fence or self._open or is_row(words) or is_inside_span(words):
            return Rank.INSIDE
        return Rank.SENTENCE if ends_sentence(words) else Rank.WORD

    def _line_place(self) -> Place:
        head = self._table.head if self._table else ""
        return Place(self._start, self._rank, self._fence, head)

    def _hold_from(self) -> Place | None:
        """Return the place after which nothing may be shown yet, or None.

        The text after it may be a block that a cut would move as a whole. A block that
        begins near the top of a message is cut instead of moved.
        """
        line, table = self._line, self._table
        if self._code and (self._open is self._fence or may_become_closer(line)):
            return self._code
        if self._plain:
            return None
        if self._open is not None and self._open is not self._fence:
            return Place(self._top, Rank.BLOCK, self._fence)
        if self._fence:
            # Code that must be moved may begin outside of the fence's quote.
            is_outside = self._moves_code and self._fence.is_left_by(line)
            return self._line_place() if is_outside and may_become_block(line) else None
        if table and table.head and may_become_row(line):
            if self._is_movable(table.start):
                return Place(table.start, Rank.BLOCK, None)
            return Place(self._start, Rank.LINE, None, table.head)
        if table and not table.head and may_become_delimiter(line):
            return Place(table.start, Rank.BLOCK, None)
        if is_row(line):
            return Place(self._top, Rank.BLOCK, None)
        if may_become_heading(line) and self._is_movable(self._top):
            return Place(self._top, Rank.BLOCK, None)
        self._plain = bool(line) and not may_become_block(line)
        if self._plain:
            return None
        if self._heading is not None and self._is_movable(self._heading):
            return Place(self._heading, Rank.BLOCK, None)
        return self._line_place() if 0 < len(line) <= self._longest_fence else None

    def _is_table_over(self) -> bool:
        table = self._table
        return table is not None and bool(table.head) and not may_become_row(self._line)

    def _code_place(self, before: Fence | None) -> Place | None:
        """Return the place above the fence that was just opened, if a cut would move
        the fence."""
        is_movable = self._moves_code and self._is_movable(self._top)
        return Place(self._top, Rank.BLOCK, before) if is_movable else None

    def _is_movable(self, start: int) -> bool:
        """Return True if a cut at `start` would leave a message of decent size."""
        is_tall = self._decent is not None and start >= self._decent
        is_long = len(self._opening.text) + start >= self._limit // 3
        return start > 0 and (is_tall or is_long)

    def _cut(self, place: Place, rest: str) -> Cut:
        rest = self._body[place.at :] + rest
        return Cut(self._close_fence(place), self._opening_at(place), rest)

    def _close_fence(self, place: Place) -> str:
        """Return the message up to `place`, with the open fence closed."""
        text = self._opening.text + self._body[: place.at]
        if place.fence is None:
            return text
        end = "" if text.endswith("\n") else "\n"
        return f"{text}{end}{place.fence.closer}"

    def _opening_at(self, place: Place) -> Opening:
        most = self._limit // 3
        quote = self._quote_at(place)
        if place.fence:
            fence = place.fence.shortened(most)
            return Opening(fence.opener, fence, quote)
        return Opening(place.head if len(place.head) <= most else "", None, quote)

    def _quote_at(self, place: Place) -> str:
        """Return the marks that keep the rest of the line at `place` in its quote."""
        line = self._body[: place.at].rpartition("\n")[2]
        if len(line) <= beginning(line):
            return ""
        quote = quote_of(place.fence.prefix if place.fence else line)
        return quote if len(quote) <= self._longest_fence else ""


def _reserve(fence: Fence | None) -> int:
    """Return the number of characters to keep free while `fence` is open.

    Closing the fence takes a newline and the closer. With room for a second closer, the
    answer's own closer fits instead of being cut off.
    """
    return 2 * len(fence.closer) + 1 if fence else 0
