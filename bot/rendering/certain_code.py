"""Finds the ranges of a Markdown text that are certainly code for every parser.

Rule 1: anything doubtful is text. Parts that parsers read differently (fences in quotes
and deep in lists, HTML, code that a cut into messages might divide) are not code here.
Rule 2: the text arrives in pieces that end anywhere, and the result does not depend on
the pieces. The state is bounded: `MOST_LINE` characters of a line are examined.
Rule 3: the splitter must see the same fences, since it closes and reopens them at a
cut. After a difference between the two, nothing counts as code.
"""

import enum
import re

from bot.rendering.markdown import LINES, MOST_MARKERS, Fence, fence_after
from bot.rendering.spans import is_inside_span

# The longest line that is examined, and the longest code span in it, in characters. A
# cut does not divide shorter code, since there are better places before and after it.
MOST_LINE = 500
MOST_SPAN = 60
# The most characters, such as brackets and quotes, between a blank and a code span.
MOST_BEFORE = 10

_INDENT = re.compile(r"[ \t]*+")
_FENCE_LIKE = re.compile(
    r"(?:[ \t]*+(?:>|[-*+](?=[ \t])|[0-9]{1,9}[.)](?=[ \t])))*+[ \t]*+(`{3,}+|~{3,}+)"
)
_FENCE = re.compile(r" {0,3}+(?=`{3}|~{3})")
# A number that continues a list, but is text after any other line. A marker has at most
# eight leading zeros.
_LATER_NUMBER = re.compile(r"(?!0{0,8}1\D)[0-9]")
_CLOSER = re.compile(r"[ \t]*+(`{3,}+|~{3,}+)[ \t]*+$")
# A line that may begin HTML, in which Markdown is not parsed: up to the next blank
# line, or beyond it.
_MARKERS = r"(?:[ \t]*+(?:>|[-*+](?=[ \t])|[0-9]{1,9}[.)](?=[ \t])))*+[ \t]*+"
_HTML = re.compile(rf"{_MARKERS}</?[A-Za-z]")
_LONG_HTML = re.compile(
    rf"{_MARKERS}<(?:[!?]|/?(?i:script|pre|style|textarea)(?![A-Za-z0-9]))"
)
# Characters that decide which parts of a line are code, and the rest of a short code
# span.
_SPECIAL = re.compile(r"`++|\\|<(?=[A-Za-z/!?]|$)|\](?=[(:])|!\[")
_TICKS = re.compile(r"`++")
_REST = re.compile(rf"[^\r\n|`]{{0,{MOST_SPAN}}}+(`*+)")


class _State(enum.Enum):
    TEXT = enum.auto()
    #: In HTML that ends at the next blank line.
    HTML = enum.auto()
    #: In a fence.
    FENCE = enum.auto()
    #: Perhaps in the fence of a quote or of a list.
    UNSURE = enum.auto()
    #: Nothing is certain any more.
    LOST = enum.auto()


class CertainCode:
    """Reads a text that arrives in pieces, and decides whether its end is in code."""

    def __init__(self) -> None:
        self._state = _State.TEXT
        #: The mark of the open fence, and the width of the text before it.
        self._mark = ""
        self._width = 0
        #: Whether HTML may have begun after a doubtful fence.
        self._is_html = False
        #: The fence as the splitter sees it.
        self._fence: Fence | None = None
        self._line = ""
        #: Whether all code in the paragraph so far is closed.
        self._is_clean = True

    def read(self, text: str) -> None:
        """Take the next piece."""
        if "\r" in text:
            # Some parsers end a line at a carriage return, but the splitter does not.
            self._state = _State.LOST
        if self._state is _State.LOST:
            return
        for piece in LINES.findall(text):
            self._line = (self._line + piece.removesuffix("\n"))[: MOST_LINE + 1]
            if piece.endswith("\n"):
                self._end_line(self._line)
                self._line = ""

    def holds(self, following: str, *, is_over: bool) -> bool | None:
        """Return whether the text after the pieces so far is in code; None if that is
        undecided. `following` is the known part of that text, and all of it if the text
        `is_over`."""
        line = self._line
        if self._state is _State.FENCE:
            return _indent(line) >= self._width
        is_text = self._state is _State.TEXT and self._is_clean
        if not is_text or len(line) > MOST_LINE or _HTML.match(line):
            return False
        count = _open_code(line)
        if not count:
            return False
        rest = _REST.match(following)
        assert rest is not None
        is_cut = rest.end() == len(following) and not is_over
        if is_cut and len(following) <= MOST_SPAN + count:
            return None
        return not is_cut and len(rest[1]) == count

    def _end_line(self, line: str) -> None:
        before, self._fence = (
            self._fence,
            fence_after(self._fence, line, MOST_MARKERS),
        )
        is_left = before is None or before.is_left_by(line)
        if self._state is _State.UNSURE and line and line[0] not in " \t>":
            # The open quote or list has ended.
            state = _State.HTML if self._is_html else _State.TEXT
            self._state = state if is_left else _State.LOST
            self._is_clean = self._is_html = False
        match self._state:
            case _State.UNSURE:
                self._end_unsure_line(line)
            case _State.FENCE:
                self._end_code_line(line)
            case _State.HTML if _FENCE_LIKE.match(line):
                self._state = _State.LOST
            case _State.HTML | _State.TEXT:
                self._end_text_line(line)
        is_open, is_code = self._fence is not None, self._state is _State.FENCE
        if is_open is not is_code and self._state is not _State.UNSURE:
            self._state = _State.LOST

    def _end_text_line(self, line: str) -> None:
        if not line.strip(" \t"):
            self._state, self._is_clean = _State.TEXT, True
        elif _LONG_HTML.match(line):
            self._state = _State.LOST
        elif self._state is _State.HTML:
            return
        elif opener := _FENCE_LIKE.match(line):
            self._open(line, opener)
        elif _HTML.match(line):
            self._state = _State.HTML
        else:
            self._is_clean = self._is_clean and _is_closed(line)

    def _open(self, line: str, opener: re.Match[str]) -> None:
        blanks = _FENCE.match(line)
        if len(line) > MOST_LINE or "|" in line:
            # A line with pipes may be the head of a table.
            self._state = _State.LOST
        elif opener[1].startswith("`") and "`" in line[opener.end() :]:
            # The line is code on one line, or no code.
            self._is_clean = False
        elif blanks is None:
            is_item = _LATER_NUMBER.search(line, 0, opener.start(1)) is None
            self._state = _State.UNSURE if is_item else _State.LOST
            self._width = len(line[: opener.start(1)].expandtabs(4))
        else:
            self._state = _State.FENCE
            self._width, self._mark = blanks.end(), opener[1]

    def _end_unsure_line(self, line: str) -> None:
        indent = _indent(line)
        if not line.strip(" \t"):
            self._is_html = False
        elif indent > 3 or line[indent : indent + 1] == ">":
            return
        elif (_FENCE.match(line) and indent != self._width) or _LONG_HTML.match(line):
            # The line may end the list and begin another block.
            self._state = _State.LOST
        elif _HTML.match(line):
            self._is_html = True

    def _end_code_line(self, line: str) -> None:
        indent, closer = _indent(line), _CLOSER.match(line)
        is_closer = closer is not None and closer[1].startswith(self._mark)
        if not line.strip(" \t"):
            return
        if indent < self._width or (is_closer and len(line) > MOST_LINE):
            self._state = _State.LOST
        elif is_closer and indent <= 3:
            self._state, self._is_clean = _State.TEXT, True
        elif is_closer and self._width:
            self._state = _State.LOST


def _indent(line: str) -> int:
    """Return the width of the blanks at the beginning of `line`."""
    blanks = _INDENT.match(line)
    assert blanks is not None
    return len(blanks[0].expandtabs(4))


def _is_closed(line: str) -> bool:
    """Return True if all code in `line` is certainly closed in it."""
    return len(line) <= MOST_LINE and _scan(line) == (0, 0)


def _open_code(line: str) -> int:
    """Return the number of backticks of the code span that is open at the end of
    `line`; 0 if none is open or that is doubtful."""
    found = _scan(line)
    if found is None or not found[0]:
        return 0
    count, at = found
    words = line[at:]
    is_short = len(words) <= MOST_SPAN and "|" not in words
    before = line[: at - count]
    # A cut is made before such code rather than in it.
    is_word = len(before) - before.rfind(" ") <= MOST_BEFORE
    return count if is_short and is_word and not is_inside_span(before) else 0


def _scan(line: str) -> tuple[int, int] | None:
    """Return the number of backticks of the code span that is open at the end of
    `line`, and the index of its content; (0, 0) if none is open, None if that is
    doubtful."""
    at = 0
    while found := _SPECIAL.search(line, at):
        if not found[0].startswith("`"):
            if found[0] != "\\" or line.startswith("`", found.end()):
                return None
            at = found.end() + 1
            continue
        count, begin = len(found[0]), found.end()
        ends = (each for each in _TICKS.finditer(line, begin) if len(each[0]) == count)
        end = next(ends, None)
        if end is None:
            return count, begin
        words = line[begin : end.start()]
        if len(words) > MOST_SPAN or "|" in words:
            return None
        at = end.end()
    return 0, 0
