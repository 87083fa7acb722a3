"""Parses Markdown line by line, as far as the division into messages requires. Pure.

Rule 1: every function reads one line without its end, or the beginning of such a line,
so that it can be called while the line arrives.
Rule 2: fences are read as their authors mean them. A fence may be indented as deep as
its list. A fence in a quote ends with the quote. A line in a list item's fence belongs
to the fence even if it lacks the indentation.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

from wcwidth import grapheme_boundary_before

# The most characters of quotes, list markers and indentation that are read to find the
# kind of a line. A line with more is text. Real lines have 0 to 20.
MOST_MARKERS = 60

#: The longest line that is kept or held back, in characters: about the length of a
#: message on platforms without tables (platform facts B5).
MOST_LINE = 2_000

#: Matches each line of a text with its line end, and the rest after the last one.
LINES = re.compile(r"[^\n]*+\n|[^\n]++")

# All patterns except those for the end of a sentence are matched at the beginning of a
# line. Patterns that would be slow in a search have `\A`.

# Block quotes, list markers and indentation, in any order. Possessive, so that each
# character in a line of a hundred thousand spaces is examined once.
_MARKERS = r"(?:[ \t]*+(?:>|[-*+](?=[ \t])|\d{1,9}[.)](?=[ \t])))*+[ \t]*+"

_MARKER = re.compile(r"[^>\s]")
_BEGINNING = re.compile(_MARKERS)
_OPENER = re.compile(rf"\A({_MARKERS})(`{{3,}}+|~{{3,}}+)(.*)")
_CLOSER = re.compile(r"\A([ \t>]*+)(`{3,}+|~{3,}+)[ \t\r]*+$")
_CLOSER_SO_FAR = re.compile(r"\A[ \t>]*+(?:`*+|~*+)[ \t\r]*+$")
_QUOTES = re.compile(r"[ \t>]*+")
_QUOTE = re.compile(r"\A[ \t>]*>[ \t]?")
_OPEN_MIND = re.compile(r"\A[ \t>*+\-.)\d]*+(?:`*+|~*+)$")

_ROW = re.compile(rf"[ \t>]{{0,{MOST_MARKERS}}}+\|")
_ROW_SO_FAR = re.compile(rf"[ \t>]{{0,{MOST_MARKERS}}}+(?:\||$)")
_DELIMITER = re.compile(
    r"\A[ \t>]*+\|?(?:[ \t]*+:?-++:?[ \t]*+\|)*+(?:[ \t]*+:?-++:?)?+[ \t\r]*+$"
)
_DELIMITER_SO_FAR = re.compile(r"\A[ \t>|:\-]*+\r?$")

_HEADING = re.compile(r"\A[ \t>]*+#{1,6}[ \t]")
_HEADING_SO_FAR = re.compile(rf"[ \t>]{{0,{MOST_MARKERS}}}+#{{1,6}}(?:$|[ \t])")
_DEEP_HEADING = re.compile(rf"([ \t>]{{0,{MOST_MARKERS}}}+)#{{4,6}}[ \t]++(.*+)")
_DEEP_HEADING_SO_FAR = re.compile(
    rf"[ \t>]{{0,{MOST_MARKERS}}}+(?:#{{1,6}}$|#{{4,6}}[ \t])"
)

_RULE_SO_FAR = re.compile(
    rf"\A([ \t>]{{0,{MOST_MARKERS}}}+)"
    r"((?:-[ \t]*+)++|(?:\*[ \t]*+)++|(?:_[ \t]*+)++)\r?$"
)

_UNDERLINE_SO_FAR = re.compile(rf"\A[ \t>]{{0,{MOST_MARKERS}}}+=++[ \t]*+\r?$")
_TASK = re.compile(
    rf"\A([ \t>]{{0,{MOST_MARKERS}}}+(?:[-*+]|\d{{1,9}}[.)])[ \t])\[([ xX])\](?=[ \t])"
)
_TASK_SO_FAR = re.compile(
    rf"\A[ \t>]{{0,{MOST_MARKERS}}}+(?:[-*+]|\d{{1,9}}[.)])[ \t]\[(?:[ xX]\]?)?$"
)

# The end of a sentence: its mark, then quotes, brackets or emphasis.
_SENTENCE_END = re.compile(
    r"""(?:[.!?…]["'”’)\]*_]{0,4}[ \t]|[。！？]["'”’」』）*_]{0,4})$"""
)
_SENTENCE_END_CHARS = 6
_WORD_ENDS = tuple(" \t，、；：。！？」』”’）")

# The most letters that are paired to flags: a hundred flags in one row. A cut in a
# longer row may divide a flag, since pairing the whole row at each character would take
# quadratic time.
MOST_FLAG_LETTERS = 200

#: The most code points before a place that are read to find whether a cut there divides
#: a grapheme. Reading a long line from its beginning each time would take quadratic
#: time.
MOST_JOINED = 16

# The first code point of scripts whose letters are combined with marks. Letters before
# it are mostly written as one code point.
_FIRST_WITH_MARKS = "\u0250"

_ZERO_WIDTH_JOINER = "\u200d"


@dataclass(frozen=True, slots=True)
class Fence:
    """An open code block, with the lines that close and reopen it."""

    #: The text before the mark: quotes, with spaces in place of other markers.
    prefix: str
    mark: str
    #: The info string, usually the language.
    info: str = ""

    @property
    def opener(self) -> str:
        """The line that opens this fence."""
        return f"{self.prefix}{self.mark}{self.info}\n"

    @property
    def closer(self) -> str:
        """The line that closes this fence, without its end."""
        return f"{self.prefix}{self.mark}"

    def shortened(self, most: int) -> "Fence":
        """Return this fence with as much of its info string as fits into `most`
        characters."""
        if len(self.opener) <= most:
            return self
        language = replace(self, info="".join(self.info.split()[:1]))
        return language if len(language.opener) <= most else replace(self, info="")

    def is_closed_by(self, line: str) -> bool:
        """Return True if `line` is the last line of this fence."""
        match = _CLOSER.match(line)
        return (
            match is not None
            and match[2].startswith(self.mark)
            and _width(match[1]) <= _width(self.prefix) + 3
        )

    def is_left_by(self, line: str) -> bool:
        """Return True if `line` is outside the quote of this fence."""
        return _depth(line) < _depth(self.prefix)


def fence_after(fence: Fence | None, line: str, most: int) -> Fence | None:
    """Return the fence that is open after `line` if `fence` was open before it.

    An opener whose markers have more than `most` characters is text, since repeating it
    would leave no room for anything else.
    """
    if fence is not None and not fence.is_left_by(line):
        return None if fence.is_closed_by(line) else fence
    match = _OPENER.match(line)
    if match is None or match.end(2) > most:
        return None
    markers, mark, info = match.groups()
    if mark[0] == "`" and "`" in info:
        return None
    # A list marker must not be repeated: it would begin another item.
    return Fence(_MARKER.sub(" ", markers), mark, info.rstrip())


def may_become_closer(line: str) -> bool:
    """Return True if `line` may still become the end of a fence."""
    return _CLOSER_SO_FAR.match(line) is not None


def may_become_block(line: str) -> bool:
    """Return True if `line` is too short to tell whether it opens a fence or a
    table."""
    return len(line) <= MOST_MARKERS and _OPEN_MIND.match(line) is not None


def is_row(line: str) -> bool:
    """Return True if `line` can be a row of a table. Only rows that begin with a pipe
    count, since others are recognised too late to keep a table together."""
    return _ROW.match(line) is not None


def may_become_row(line: str) -> bool:
    """Return True if `line` is or may still become a row of a table."""
    return _ROW_SO_FAR.match(line) is not None


def is_delimiter(line: str) -> bool:
    """Return True if `line` can be the delimiter row of a table."""
    return "|" in line and "-" in line and _DELIMITER.match(line) is not None


def may_become_delimiter(line: str) -> bool:
    """Return True if `line` may still become the delimiter row of a table."""
    return _DELIMITER_SO_FAR.match(line) is not None


def is_heading(line: str) -> bool:
    """Return True if `line` is a heading."""
    return _HEADING.match(line) is not None


def may_become_heading(line: str) -> bool:
    """Return True if `line` is or may still become a heading."""
    return _HEADING_SO_FAR.match(line) is not None


def deep_heading(line: str) -> tuple[str, str] | None:
    """Return the quote marks and the text of a heading below the third level; None for
    other lines."""
    match = _DEEP_HEADING.match(line)
    if match is None:
        return None
    words = match[2].rstrip(" \t\r")
    # Marks at the end belong to the heading, not to its text.
    bare = words.rstrip("#")
    if bare != words and bare.endswith((" ", "\t")):
        words = bare[:-1]
    return (match[1], words) if words else None


def may_become_deep_heading(line: str) -> bool:
    """Return True if `line` is or may still become a heading below the third level."""
    return _DEEP_HEADING_SO_FAR.match(line) is not None


def rule(line: str) -> tuple[str, str] | None:
    """Return the quote marks and the mark of a horizontal rule; None for other lines.

    Below a paragraph, a line of "-" makes the paragraph a heading instead.
    """
    match = _RULE_SO_FAR.match(line)
    mark = match[2][0] if match else ""
    return (match[1], mark) if match and match[2].count(mark) >= 3 else None


def may_become_rule(line: str) -> bool:
    """Return True if `line` may still become a horizontal rule."""
    return _RULE_SO_FAR.match(line) is not None


def is_underline(line: str) -> bool:
    """Return True if `line`, of "=", makes the line above a heading."""
    return _UNDERLINE_SO_FAR.match(line) is not None


def may_become_underline(line: str) -> bool:
    """Return True if `line` may still become an underline of a heading."""
    return is_underline(line)


def task(line: str) -> tuple[str, bool, int] | None:
    """Return the marks of a task item, whether the task is done, and the length of the
    marks with the checkbox; None for other lines."""
    match = _TASK.match(line)
    return (match[1], match[2] != " ", match.end()) if match else None


def may_become_task(line: str) -> bool:
    """Return True if `line` may still become a task."""
    return _TASK_SO_FAR.match(line) is not None


def is_blank(line: str) -> bool:
    """Return True if `line` separates paragraphs, inside or outside of a quote."""
    return not line.strip(" \t>\r")


def quote_of(line: str) -> str:
    """Return the marks that make `line` part of a quote; "" outside of a quote."""
    match = _QUOTE.match(line)
    return match[0] if match else ""


def beginning(line: str) -> int:
    """Return the index of the text of `line`, after markers and indentation."""
    match = _BEGINNING.match(line, 0, MOST_MARKERS)
    return match.end() if match else 0


def continuation(line: str) -> str:
    """Return the beginning of a line that continues the item or quote of `line`."""
    return _MARKER.sub(" ", line[: beginning(line)])


def ends_sentence(text: str) -> bool:
    """Return True if a sentence ends at the end of `text`."""
    return _SENTENCE_END.search(text[-_SENTENCE_END_CHARS:]) is not None


def ends_word(text: str) -> bool:
    """Return True if `text` ends with a word and the space after it."""
    return text.endswith(_WORD_ENDS)


def joins(text: str, at: int) -> bool:
    """Return True if a cut at `at`, inside of `text`, would change the visible text.

    This is so inside a grapheme or a line end, and before a mark that would open a
    fence at the beginning of a message.
    """
    before, after = text[at - 1], text[at]
    return (
        (before == "\r" and after == "\n")
        or after in "`~"
        or _ZERO_WIDTH_JOINER in (before, after)
        or _is_mark(after)
        or ("\ud800" <= before <= "\udbff" and "\udc00" <= after <= "\udfff")
        or (_is_flag_letter(after) and _flag_letters(text, at) % 2 == 1)
        or _is_within_grapheme(text, at)
    )


def without_growing_end(text: str, *, has_marks: bool) -> str:
    """Return `text` without its last character if that may still grow, since emoji and
    letters of many scripts consist of several code points.

    Marks rarely follow Latin letters and digits, and every second piece of an answer
    ends with one. So these are left out only if the answer `has_marks` before them.
    """
    if not text or not _may_grow(text[-1], has_marks=has_marks):
        return text
    start = last_character(text)
    if not has_marks and not _may_grow(text[start], has_marks=False):
        # The first code point was shown already, when it was the last one.
        return text[: start + 1]
    return text[:start]


def last_character(text: str) -> int:
    """Return the index of the last character of `text`, which may have several code
    points; 0 for ""."""
    start = max(0, len(text) - 1)
    while start > 0 and _is_joined(text, start):
        start -= 1
    return start


def has_marks(text: str) -> bool:
    """Return True if `text` has a code point that belongs to the one before it."""
    return not text.isascii() and any(map(_is_mark, text))


def _is_joined(text: str, at: int) -> bool:
    return text[at] not in "`~\n" and joins(text, at)


def _may_grow(character: str, *, has_marks: bool) -> bool:
    if character < _FIRST_WITH_MARKS and (character.isalnum() or character == "#"):
        return has_marks
    if character.isascii() or character.isspace():
        return False
    return unicodedata.category(character)[0] != "P"


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _is_within_grapheme(text: str, at: int) -> bool:
    """Return True if Unicode's rules join `text[at]` to the text before it, as in emoji
    and in letters of scripts such as Hindi, Bengali and Thai."""
    # Flag letters are paired elsewhere, since the text that is read here may begin
    # in the middle of a pair.
    if text[at].isascii() or _is_flag_letter(text[at]):
        return False
    near = text[max(0, at - MOST_JOINED) : at + 1]
    return grapheme_boundary_before(near, len(near)) < len(near) - 1


def _flag_letters(text: str, end: int) -> int:
    """Return the number of regional indicators right before `end`, up to the limit. Two
    make a flag."""
    start, least = end, max(0, end - MOST_FLAG_LETTERS)
    while start > least and _is_flag_letter(text[start - 1]):
        start -= 1
    return end - start


def _is_flag_letter(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _depth(line: str) -> int:
    match = _QUOTES.match(line)
    return match[0].count(">") if match else 0


def _width(markers: str) -> int:
    return len(markers.expandtabs(4))
