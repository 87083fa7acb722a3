"""Decides the text of each message of a reply. Does no I/O.

Rule 1: a part only grows until it is final, and a final part never changes. So one
renderer serves platforms that edit and platforms that append, and no text disappears.
There is one exception on platforms without tables, where all messages are edited: the
next line may make a line that was shown as text a heading or the head of a table.
Rule 2: this module never reads a clock. The times at which parts are written are
decided elsewhere and do not change their text.
Rule 3: nothing is left out. The parts joined, without the lines that close and reopen
blocks at a cut, are the answer in the platform's dialect, with mentions escaped, and
with only the first lines of a block that is a file. Only blanks at the very end that
would need a message of their own are dropped.
"""

from dataclasses import replace

from bot.domain.answer_file import AnswerFile
from bot.domain.platform import Limits
from bot.domain.reply import Control, Part
from bot.rendering.fallbacks import Dialect
from bot.rendering.file_blocks import FileBlocks
from bot.rendering.loose_fences import LooseFences
from bot.rendering.markdown import (
    has_marks,
    is_blank,
    last_character,
    without_growing_end,
)
from bot.rendering.mentions import MentionEscaper
from bot.rendering.numbering import Numbering
from bot.rendering.quotes import Quotes
from bot.rendering.splitter import Page

# The smallest useful limit of characters, which leaves room beside a fence that is
# closed and reopened.
FEWEST_CHARS = 40

# The number of characters that are processed before other tasks may run. The most
# expensive ones take about 20 µs each (`python -m tests.security.stalls`).
STEP_CHARS = 400

# The smallest useful limit of lines: a repeated table head, or a fence that is reopened
# and closed, and some more lines.
FEWEST_LINES = 5

# The factor by which messages are shortened after the platform has refused one. It
# often refuses one of several blocks, or their total size.
SHORTER = 4


class Renderer:
    """Renders one reply while it arrives, within a platform's `limits`. `file_lines` is
    the `lines` of `FileBlocks`.

    Raises ValueError if a message may hold less than `FEWEST_CHARS` or `FEWEST_LINES`.
    """

    def __init__(self, limits: Limits, file_lines: float | None = None) -> None:
        if limits.part_chars < FEWEST_CHARS:
            raise ValueError(
                f"part_chars is {limits.part_chars}; the least is {FEWEST_CHARS}"
            )
        if limits.part_lines is not None and limits.part_lines < FEWEST_LINES:
            raise ValueError(
                f"part_lines is {limits.part_lines}; the least is {FEWEST_LINES}"
            )
        self._limit = limits.part_chars
        self._lines = limits.part_lines
        self._pings = limits.pings
        self._is_append_only = limits.tables
        self._blocks = FileBlocks(file_lines)
        self._loose = LooseFences()
        self._numbering = Numbering()
        self._dialect = Dialect(tables=limits.tables, images=limits.images)
        self._quotes = None if limits.tables else Quotes()
        # Must be the last step, since the other steps may turn text into a mention.
        self._defuser = MentionEscaper(limits.pings)
        self._page = Page(self._limit, lines=self._lines)
        #: The text that is not laid out yet.
        self._pending = ""
        self._final: list[Part] = []
        #: Whether the platform refused the layout of the message in progress.
        self._is_plain = False
        self._shorter = max(FEWEST_CHARS, self._limit // SHORTER)
        self._has_words = self._has_marks = False
        #: The last character of the answer so far, which may still grow.
        self._last = ""
        #: The line above the answer, and the answer's blanks after it. Both are held
        #: back until the first word, since an answer without words is not shown.
        self._opening = ""
        self._finished = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts of the reply as they should read now.

        The last part is not final before `finish`. Its text is "" while it has no
        words.
        """
        if self._finished:
            return tuple(self._final)
        text = without_growing_end(self._growing(), has_marks=self._has_marks)
        return (*self._final, Part(len(self._final), text, plain=self._is_plain))

    def _growing(self) -> str:
        """Return the message in progress. Lines that wait for the next line are shown
        as text meanwhile, unless a cut may be near."""
        shown, laid_out = self._page.shown, self._page.whole
        is_held = shown != laid_out and not is_blank(laid_out)
        if self._is_append_only or self._pending or is_held:
            return shown
        words = self._preview()
        words = words[: max(0, self._page.calm)]
        return laid_out + words if words.strip() else shown

    def begin(self, head: str) -> None:
        """Set the line shown above the answer, or "" for none. Call this before feeding
        any text; a later call replaces the line."""
        defuser = MentionEscaper(self._pings)
        self._opening = defuser.feed(head) + defuser.flush()
        if head:
            self._opening += "\n\n"

    def _preview(self) -> str:
        text = self._dialect.preview()
        if self._quotes is not None:
            text = self._quotes.preview(text)
        return self._defuser.preview(text)

    def feed(self, text: str) -> None:
        """Take the next piece of the answer. Must not be called after `finish`."""
        for start in range(0, len(text), STEP_CHARS):
            self.take_in(text[start : start + STEP_CHARS])
            while self.lay_out():
                pass

    def take_in(self, text: str) -> None:
        """Take up to `STEP_CHARS` characters of the answer. Call `lay_out` afterwards.

        Together the two do the work of `feed` in steps of bounded time.
        """
        self._add(self._blocks.feed(self._loose.feed(text)))

    def _add(self, text: str) -> None:
        self._look_for_marks(text)
        self._pending += self._escaped(self._dialect.feed(self._numbering.feed(text)))

    def _escaped(self, text: str) -> str:
        """Return the next piece of the text in the platform's dialect with quotes that
        the platform recognises, and with mentions escaped."""
        if self._quotes is not None:
            text = self._quotes.feed(text)
        return self._defuser.feed(text)

    def _look_for_marks(self, text: str) -> None:
        """Record whether the answer has combining marks before its last character."""
        if self._has_marks:
            return
        seen = self._last + text
        start = last_character(seen)
        self._last = seen[start:]
        # Do not examine hundreds of marks on one letter again with each piece.
        self._has_marks = has_marks(seen[:start]) or len(self._last) > STEP_CHARS

    def lay_out(self) -> bool:
        """Lay out some of the text that was taken. Return True if more is left."""
        ready, self._pending = (
            self._pending[:STEP_CHARS],
            self._pending[STEP_CHARS:],
        )
        self._take(ready)
        if self._opening and not self._is_append_only and self._preview().strip():
            self._open()
        return bool(self._pending)

    def flush(self) -> None:
        """Take the text that was held back, since the answer is complete.

        Call `lay_out` until nothing is left, as after `take_in`. `finish` then takes
        one step.
        """
        self._add(self._blocks.feed(self._loose.flush()))
        self._add(self._blocks.flush())
        last = self._dialect.feed(self._numbering.flush()) + self._dialect.flush()
        self._pending += self._escaped(last) + self._defuser.flush()

    @property
    def has_files(self) -> bool:
        """True if parts of the answer become files. Does not change after `flush`."""
        return self._blocks.has_files

    def files(self) -> tuple[AnswerFile, ...]:
        """Return the files of the answer. Call this in a thread if the answer is
        long."""
        return self._blocks.files()

    def append(self, text: str) -> None:
        """Take up to `STEP_CHARS` characters of Markdown to show below the answer. No
        part of it becomes a file. Call this after `flush`, and `lay_out` afterwards."""
        self._add(text)

    def finish(
        self, note: str = "", controls: tuple[Control, ...] = (), calls: str = ""
    ) -> None:
        """Complete the answer. Add `note` below it as a paragraph, `controls` to the
        last message, and a message that mentions `calls`.

        If the answer has no words, the reply is the note. If there is no note either,
        the reply is the placeholder: one empty part, which is final.
        """
        self.flush()
        while self.lay_out():
            pass
        text = self._page.close() if self._has_words else ""
        if note:
            text = self._with_note(text, note)
        self._end_part(text, is_plain=self._is_plain)
        self._final[-1] = replace(self._final[-1], controls=controls)
        if calls:
            self._final.append(Part(len(self._final), "", final=True, calls=calls))
        self._finished = True

    def refit(self, index: int) -> bool:
        """Lay out message `index` again after the platform refused it. Return False if
        it cannot be made any shorter.

        A long message is divided into shorter ones, and text that is laid out later
        goes into shorter messages, too. A short message is shown as plain text; if the
        platform refuses that, it is divided into ever shorter ones. No text is lost,
        and the messages before `index` stay unchanged.
        """
        part = self.parts[index]
        size = len(part.text) if part.final else len(self._page.whole)
        if not part.plain and (size <= self._shorter or part.calls):
            self._replace(index, self._limit, is_plain=True)
        elif not part.plain:
            self._limit = self._shorter
            self._replace(index, self._limit, is_plain=False)
        elif size > FEWEST_CHARS:
            self._replace(index, max(FEWEST_CHARS, size // 2), is_plain=True)
        else:
            return False
        return True

    def _replace(self, index: int, limit: int, *, is_plain: bool) -> None:
        """Lay out message `index` again with at most `limit` characters."""
        part, later = self.parts[index], self._final[index + 1 :]
        text = part.text if part.final else self._page.whole
        del self._final[index:]
        page = Page(limit, lines=self._lines)
        while cut := page.add(text):
            self._end_part(cut.text, is_plain=is_plain)
            page, text = Page(limit, cut.opening, lines=self._lines), cut.rest
        if not part.final:
            self._page, self._is_plain = page, is_plain
            return
        self._end_part(page.close(), is_plain=is_plain)
        last = self._final[-1]
        self._final[-1] = replace(last, controls=part.controls, calls=part.calls)
        for each in later:
            self._final.append(replace(each, index=len(self._final)))

    def _with_note(self, text: str, note: str) -> str:
        """Return the text of the last part: `text` and `note`, or only `note` if both
        do not fit."""
        defuser = MentionEscaper(self._pings)
        note = defuser.feed(note) + defuser.flush()
        page = Page(self._limit, lines=self._lines)
        fits = page.add(note) is None
        if text:
            gap = "\n\n"[len(text) - len(text.rstrip("\n")) :]
            below = f"{text}{gap}{page.close()}"
            if fits and len(below) <= self._limit and not self._is_too_tall(below):
                return below
            self._end_part(text, is_plain=self._is_plain)
            self._is_plain = False
        self._page = Page(self._limit, lines=self._lines)
        self._fill(note)
        return self._page.close()

    def _is_too_tall(self, text: str) -> bool:
        lines = text.rstrip().count("\n") + 1
        return self._lines is not None and lines > self._lines

    def _take(self, text: str) -> None:
        self._has_words = self._has_words or bool(text.strip())
        if self._opening and not self._has_words:
            self._opening += text
            return
        self._open()
        self._fill(text)

    def _open(self) -> None:
        opening, self._opening = self._opening, ""
        self._fill(opening)

    def _fill(self, text: str) -> None:
        # At most one message's worth at a time: `Page.add` copies the overflow.
        for start in range(0, len(text), self._limit):
            rest = text[start : start + self._limit]
            while cut := self._page.add(rest):
                self._end_part(cut.text, is_plain=self._is_plain)
                self._is_plain = False
                self._page = Page(self._limit, cut.opening, lines=self._lines)
                rest = cut.rest

    def _end_part(self, text: str, *, is_plain: bool) -> None:
        part = Part(len(self._final), text, final=True, plain=is_plain)
        self._final.append(part)
