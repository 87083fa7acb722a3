"""Begins a line for a fence that stands behind words, as in "Run this: ```bash".

In Markdown, such backticks begin no block, and the backticks that were meant to end the
block begin one instead: the rest of the answer would be code. Authors mean a block, and
Discord shows one.

Rule 1: only backticks at the end of a line of words are a fence, and only if they name
a language, or follow a colon or the words of a list item.
Rule 2: the text arrives in pieces that end anywhere, and the result does not depend on
the pieces. Only backticks, and what may be a language after them, are held back.
"""

import re

from bot.rendering.markdown import (
    LINES,
    MOST_LINE,
    MOST_MARKERS,
    Fence,
    beginning,
    continuation,
    fence_after,
)

# The end of a line that may become a fence.
_TAIL = re.compile(r"(?<!`)(?:`{1,2}|(`{3,9})([\w+#.-]{0,30})[ \t]{0,9}\r?\n?)\Z")
_RUN = re.compile(r"`{3,}+")
_LAST_TICKS = re.compile(r"(?<!`)`{1,9}\Z")
_WORD = re.compile(r"\w")
# The most characters of the end of a line that are examined.
_MOST_TAIL = 60


class LooseFences:
    """Reads a text that arrives in pieces."""

    def __init__(self) -> None:
        #: The part of the current line that was passed on, cut to `MOST_LINE`, and the
        #: part that is held back.
        self._line = self._held = ""
        self._fence: Fence | None = None
        #: The line that closes the open loose fence; "" if none is open.
        self._closer = ""

    def feed(self, text: str) -> str:
        """Take the next piece; return the text that is decided now."""
        return "".join([self._take(piece) for piece in LINES.findall(text)])

    def flush(self) -> str:
        """Complete the text; return the text that was held back."""
        if self._closer and _RUN.fullmatch(self._held):
            return self._close("")
        text, self._held = self._held, ""
        return text

    def _take(self, piece: str) -> str:
        text, self._held = self._held + piece, ""
        if self._closer:
            return self._code(text)
        tail = None
        if self._fence is None and "`" in text:
            tail = _TAIL.search(text, max(0, len(text) - _MOST_TAIL))
        if tail is None:
            return self._pass_on(text)
        if not text.endswith("\n"):
            self._held = tail[0]
            return self._pass_on(text[: tail.start()])
        words = self._line + text[: tail.start()]
        if not self._is_fence(words, tail[1] or "", tail[2] or ""):
            return self._pass_on(text)
        indent = continuation(words)
        self._closer, self._line = f"{indent}```", ""
        return f"{text[: tail.start()]}\n{indent}```{tail[2]}\n"

    def _is_fence(self, words: str, mark: str, language: str) -> bool:
        """Return True if the backticks `mark` after `words` are meant as a fence."""
        start = beginning(words)
        said = words[start:].rstrip()
        if not mark or mark in said or not _WORD.search(said):
            return False
        is_item = bool(words[:start].strip(" \t>"))
        return bool(language) or is_item or said.endswith((":", "："))

    def _code(self, text: str) -> str:
        """Take a piece of a loose fence."""
        run = _RUN.search(text) or _LAST_TICKS.search(text)
        if run is None:
            return self._pass_on(text)
        if not text[run.start() :].strip("` \t\r"):
            # The rest of the line decides where the block ends.
            self._held = text[run.start() :]
            return self._pass_on(text[: run.start()])
        return self._pass_on(text[: run.start()]) + self._close(text[run.end() :])

    def _close(self, rest: str) -> str:
        """Close the loose fence above `rest`, which is on the same line."""
        closer = self._closer
        if self._line.strip(" \t>"):
            closer = f"\n{closer}"
        else:
            closer = closer[len(self._line) :].lstrip(" \t>")
        self._closer = self._line = self._held = ""
        behind = rest.lstrip(" \t\r")
        if behind and not behind.startswith("\n"):
            behind = "\n" + self._take(behind)
        return f"{closer}{behind}"

    def _pass_on(self, text: str) -> str:
        self._line = (self._line + text)[:MOST_LINE]
        if text.endswith("\n"):
            if not self._closer:
                self._fence = fence_after(self._fence, self._line[:-1], MOST_MARKERS)
            self._line = ""
        return text
