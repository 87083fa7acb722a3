"""Decides what each message of a reply should read now. Does no I/O.

Rule 1: until it is final a part only grows; once final it never changes. So one
renderer serves platforms that edit and platforms that append, and nobody sees
words disappear.
Rule 2: this file knows no time. When the parts are shown is decided elsewhere,
and what they read does not depend on it.
Rule 3: nothing is left out. The parts joined, without what was closed and opened
for a cut, are the answer in the platform's dialect, defused. Only blanks at the
very end that would have needed a message of their own are dropped.
"""

from dataclasses import replace

from bot.domain.platform import Limits
from bot.domain.reply import Control, Part
from bot.rendering.fallbacks import Dialect
from bot.rendering.mentions import MentionEscaper
from bot.rendering.splitter import Page

# Below this nothing sensible is left beside a fence that is closed and reopened.
FEWEST_CHARS = 40

# How much is taken in, and laid out, between two looks at whether others wait: what
# costs most is measured at about 20 µs a character (`python -m tests.security.stalls`).
STEP_CHARS = 400

# A table's head, which is repeated, or a fence that is reopened and closed, and
# some lines to go with it.
FEWEST_LINES = 5


class Renderer:
    """Renders one reply while it arrives, for a platform's `limits`.

    Raises ValueError when a message may hold less than `FEWEST_CHARS` or
    `FEWEST_LINES`.
    """

    def __init__(self, limits: Limits) -> None:
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
        self._dialect = Dialect(tables=limits.tables, images=limits.images)
        # The last to see the text: what was not a ping may have become one.
        self._defuser = MentionEscaper(limits.pings)
        self._page = Page(self._limit, lines=self._lines)
        #: What is known of the answer, and not laid out yet.
        self._pending = ""
        self._final: list[Part] = []
        self._has_words = False
        self._finished = False

    @property
    def parts(self) -> tuple[Part, ...]:
        """What every message of the reply should read now.

        The last one is not final before `finish`. Its text is empty as long as
        there is no word for it.
        """
        if self._finished:
            return tuple(self._final)
        return (*self._final, Part(len(self._final), self._page.shown))

    def feed(self, text: str) -> None:
        """Take in the next piece of the answer. Not to be called after `finish`."""
        for start in range(0, len(text), STEP_CHARS):
            self.take_in(text[start : start + STEP_CHARS])
            while self.lay_out():
                pass

    def take_in(self, text: str) -> None:
        """Take in up to `STEP_CHARS` characters of the answer; `lay_out` is to follow.

        The two are `feed` in steps whose time has a bound, whatever the text is.
        """
        self._pending += self._defuser.feed(self._dialect.feed(text))

    def lay_out(self) -> bool:
        """Lay out some of what was taken in; return whether there is more."""
        ready, self._pending = (
            self._pending[:STEP_CHARS],
            self._pending[STEP_CHARS:],
        )
        self._take(ready)
        return bool(self._pending)

    def finish(
        self, note: str = "", controls: tuple[Control, ...] = (), calls: str = ""
    ) -> None:
        """The answer is complete. Add `note` below it, as its own paragraph, let the
        last message have `controls`, and call somebody below that, if wanted.

        Without a word of an answer the reply is just the note. Without a note
        either, it stays the placeholder that it was: an empty part, now final.
        """
        rest, self._pending = self._pending, ""
        rest += self._defuser.feed(self._dialect.flush()) + self._defuser.flush()
        self._take(rest)
        text = self._page.close() if self._has_words else ""
        if note:
            text = self._with_note(text, note)
        self._end_part(text)
        self._final[-1] = replace(self._final[-1], controls=controls)
        if calls:
            self._final.append(Part(len(self._final), "", final=True, calls=calls))
        self._finished = True

    def _with_note(self, text: str, note: str) -> str:
        """The last part: `text` and `note`, or `note` alone if it has no room."""
        defuser = MentionEscaper(self._pings)
        note = defuser.feed(note) + defuser.flush()
        page = Page(self._limit, lines=self._lines)
        fits = page.add(note) is None
        if text:
            gap = "\n\n"[len(text) - len(text.rstrip("\n")) :]
            below = f"{text}{gap}{page.close()}"
            if fits and len(below) <= self._limit and not self._is_too_tall(below):
                return below
            self._end_part(text)
        self._page = Page(self._limit, lines=self._lines)
        self._fill(note)
        return self._page.close()

    def _is_too_tall(self, text: str) -> bool:
        lines = text.rstrip().count("\n") + 1
        return self._lines is not None and lines > self._lines

    def _take(self, text: str) -> None:
        self._has_words = self._has_words or bool(text.strip())
        self._fill(text)

    def _fill(self, text: str) -> None:
        # A page copies what it has no room for, so it never gets much of that.
        for start in range(0, len(text), self._limit):
            rest = text[start : start + self._limit]
            while cut := self._page.add(rest):
                self._end_part(cut.text)
                self._page = Page(self._limit, cut.opening, lines=self._lines)
                rest = cut.rest

    def _end_part(self, text: str) -> None:
        self._final.append(Part(len(self._final), text, final=True))
