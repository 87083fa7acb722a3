"""Turns code blocks and tables of an answer into files.

A block becomes a file if its opening line names one (```python title="a.py"), or if it
is longer than a limit. Its first lines stay in the answer, followed by a line that says
that the whole block is below.

Rule 1: the answer arrives in pieces that end anywhere, and the result does not depend
on the pieces.
Rule 2: text that was passed on is never revoked. Of a block that may still become a
file, at most `MOST_HELD` lines are held back. The higher the limit, the more of its
first lines are shown.
Rule 3: nothing is lost. Lines that are not shown are in the file. Each file also has
its part of the answer as Markdown, for use if the file cannot be attached.
"""

import math
import re

from bot.domain.answer_file import AnswerFile
from bot.rendering.growing_blocks import CodeBlock, TableBlock, depth
from bot.rendering.heads import MOST_HEAD, may_become_head
from bot.rendering.markdown import (
    LINES,
    MOST_LINE,
    MOST_MARKERS,
    Fence,
    fence_after,
    is_delimiter,
    is_row,
    may_become_block,
    may_become_closer,
    may_become_delimiter,
    may_become_row,
)
from bot.rendering.tables import columns
from bot.text import file_names

# The number of lines that are shown of a block that is a file, and the smaller number
# if the answer names the block as a file.
FIRST_LINES, FEW_LINES = 15, 10

# The fewest lines of a block that a button offers as a file.
FEWEST_LINES = 5

# The most lines that are held back: about 400 tokens, so that nobody waits much more
# than five seconds for the next lines.
MOST_HELD = 40

# The most files of an answer: Discord takes ten in a message (platform facts B5).
MOST_FILES = 10

# The most characters of the line above a block that are searched for a file name.
_MOST_SAID = 200

_TITLE = re.compile(
    r"""(?:\A|[\s,{])(?:title|filename|file|name)=(?:"([^"]*+)"|'([^']*+)'|([^\s,}]++))"""
)
_LANGUAGE = re.compile(r"\A[\s{.]*+([A-Za-z0-9_+#-]++)(?!=)")
_MARKED = re.compile(r"[`*]{1,3}([^`*\s]{1,120})[`*]{1,3}")


class FileBlocks:
    """Extracts the files from a text that arrives in pieces.

    `lines` is the most lines of a block that is shown as a whole, unless the answer
    names it as a file; None if no block becomes a file. `most` is the most files.
    """

    def __init__(self, lines: float | None, most: float = MOST_FILES) -> None:
        self._lines = lines
        self._most = most
        #: The finished blocks that are files.
        self._found: list[CodeBlock | TableBlock] = []
        #: Whether a block that is not a file is long enough to be offered as one.
        self.has_more = False
        #: The part of the current line that is held back.
        self._line = ""
        #: Whether the current line is decided, so that it is passed on as it arrives.
        self._is_decided = False
        self._block: CodeBlock | TableBlock | None = None
        #: A line that is the head of a table if a delimiter row follows.
        self._head = ""
        #: The current or previous line of text, which was passed on already, and can be
        #: the head of a table without pipes at its sides.
        self._line_shown = ""
        #: The last line of text and the one above it, cut to `_MOST_SAID` characters.
        #: Either may name a file.
        self._said = self._above = ""
        self._is_new_line = True

    def feed(self, text: str) -> str:
        """Take the next piece; return the text that is decided now."""
        return "".join([self._take(piece) for piece in LINES.findall(text)])

    @property
    def has_files(self) -> bool:
        """True if any block so far is a file."""
        return bool(self._found)

    def files(self) -> tuple[AnswerFile, ...]:
        """Return the files so far. Call this in a thread if the text is long."""
        return tuple(block.file() for block in self._found)

    def flush(self) -> str:
        """Complete the text; return the text that was held back."""
        text = self._take("", is_last=True) if self._line else ""
        text += self._let_go()
        return text + (self._end("") if self._block else "")

    def _take(self, piece: str, *, is_last: bool = False) -> str:
        text, self._line = self._line + piece, ""
        is_over = is_last or text.endswith("\n")
        if self._is_decided:
            self._is_decided = not is_over
            return self._more(text)
        line = text.removesuffix("\n")
        is_short = len(line) <= MOST_LINE
        if is_short and not is_over and self._is_unclear(line):
            self._line = text
            return ""
        before = self._leave(line, is_short=is_short)
        if is_short and is_over:
            return before + self._take_line(line, text[len(line) :])
        self._is_decided = not is_over
        return before + self._let_go() + self._more(text)

    def _is_unclear(self, line: str) -> bool:
        """Return True if `line` may still become more than text or code."""
        if isinstance(self._block, CodeBlock):
            return may_become_closer(line)
        if may_become_block(line) or fence_after(None, line, MOST_MARKERS):
            return True
        if self._lines is None:
            return False
        return (
            is_row(line)
            or (self._block is not None and self._may_go_on(self._block, line))
            or (bool(self._head or self._loose_head) and may_become_delimiter(line))
        )

    def _may_go_on(self, block: CodeBlock | TableBlock, line: str) -> bool:
        is_loose = isinstance(block, TableBlock) and block.is_loose
        return is_loose or may_become_row(line)

    @property
    def _loose_head(self) -> str:
        """The previous line if the next one can make the head of a table of it, else
        ""."""
        line = self._line_shown if self._is_new_line else ""
        return line if "|" in line and may_become_head(line[:-1]) else ""

    def _leave(self, line: str, *, is_short: bool) -> str:
        """End the open block if `line` is outside of it; return the text to show."""
        block = self._block
        if isinstance(block, CodeBlock) and block.fence.is_left_by(line):
            return self._end("")
        if isinstance(block, TableBlock) and not (is_short and block.takes(line)):
            return self._end("")
        return ""

    def _take_line(self, line: str, end: str) -> str:
        """Take a complete line."""
        block = self._block
        if isinstance(block, CodeBlock):
            if block.fence.is_closed_by(line):
                return self._end(line + end)
            return block.add(line + end)
        if block is not None:
            return block.add(line + end)
        if (head := self._head or self._loose_head) and self._is_table(head, line):
            shown = self._head
            self._head = self._line_shown = ""
            if not shown:
                # The head is not the line that names the file.
                self._said = self._above
            self._block = TableBlock(
                head, line + end, *self._limits(), self._name("csv")
            )
            return shown + line + end
        before = self._let_go()
        if fence := fence_after(None, line, MOST_MARKERS):
            return before + self._open(fence, line, end)
        if is_row(line) and self._has_room:
            self._head = line + end
            return before
        return before + self._more(line + end)

    def _more(self, text: str) -> str:
        """Take decided text: code or words."""
        if self._block is not None:
            return self._block.add(text)
        if self._is_new_line and text.strip():
            self._above, self._said = self._said, ""
        before = "" if self._is_new_line else self._line_shown
        # A line that is cut here is too long for a head.
        self._line_shown = (before + text)[: MOST_HEAD + 2]
        self._is_new_line = text.endswith("\n")
        self._said = (self._said + text)[:_MOST_SAID]
        return text

    def _is_table(self, head: str, line: str) -> bool:
        """Return True if `line` makes `head` the head of a table."""
        if not is_delimiter(line) or depth(head) != depth(line):
            return False
        # Without pipes at its sides, a row needs one between two cells.
        return is_row(head) or (self._has_room and 1 < columns(head) == columns(line))

    def _let_go(self) -> str:
        head, self._head = self._head, ""
        return self._more(head) if head else ""

    def _open(self, fence: Fence, line: str, end: str) -> str:
        """Open a code block; return its opening line without the name of a file."""
        found, title = _LANGUAGE.match(fence.info), _TITLE.search(fence.info)
        language = found[1] if found else ""
        if title is not None:
            start = line.index(fence.mark) + len(fence.mark)
            line = line[:start] + language
        wanted = next(filter(None, title.groups()), "") if title else ""
        name = self._name(language, wanted)
        is_wanted = title is not None and self._has_room
        first, most = (FEW_LINES, FEW_LINES) if is_wanted else self._limits()
        self._block = CodeBlock(fence, language, first, most, name, is_wanted=is_wanted)
        above = ""
        if title is not None and not is_wanted:
            # A name is useful even if the block does not become a file.
            above = f"{fence.prefix}`{name}`\n" if self._is_plain(line, fence) else ""
        return f"{above}{line}{end}"

    def _is_plain(self, line: str, fence: Fence) -> bool:
        """Return True if `line`, which opens a fence, has no list marker before the
        fence, so that a line can be added above it."""
        return line[: line.index(fence.mark)] == fence.prefix

    @property
    def _has_room(self) -> bool:
        return self._lines is not None and len(self._found) < self._most

    def _limits(self) -> tuple[float, float]:
        """Return the number of lines that are shown of a block, and the most lines of a
        block that is not a file."""
        most = self._lines if self._lines is not None and self._has_room else math.inf
        return max(min(most, FIRST_LINES), most - MOST_HELD), most

    def _name(self, language: str, wanted: str = "") -> str:
        """Return the name of the next file: `wanted`, a name in the line above, or a
        default."""
        name = file_names.safe_name(wanted, language)
        if not name:
            named = [n for n in _MARKED.findall(self._said) if _is_of(n, language)]
            name = file_names.safe_name(named[-1], language) if named else ""
        if not name:
            stem = "table" if language == "csv" else "code"
            name = f"{stem}.{file_names.extension(language)}"
        return file_names.unused_name(
            name, frozenset(each.name for each in self._found)
        )

    def _end(self, closer: str) -> str:
        """End the open block with the line `closer`; return the text to show."""
        block, self._block = self._block, None
        assert block is not None
        self._said, self._is_new_line = "", True
        self._above = self._line_shown = ""
        shown = block.close(closer)
        if block.is_file:
            self._found.append(block)
        elif block.size >= FEWEST_LINES:
            self.has_more = True
        return shown


def files_in(text: str) -> tuple[AnswerFile, ...]:
    """Return every code block and table of the answer `text` as a file."""
    blocks = FileBlocks(0, math.inf)
    blocks.feed(text)
    blocks.flush()
    return blocks.files()


def has_more_files(text: str, lines: float) -> bool:
    """Return whether the answer `text` has a block that is long enough for a file, but
    does not become one with the limit `lines`."""
    blocks = FileBlocks(lines)
    blocks.feed(text)
    blocks.flush()
    return blocks.has_more


def _is_of(name: str, language: str) -> bool:
    """Return True if `name` may name a file of `language`."""
    if not file_names.is_file_name(name):
        return False
    end = file_names.extension(name.rpartition(".")[2])
    return not language or end == file_names.extension(language)
