"""Recognises lines that belong together with another line: headings with an underline,
heads of tables without pipes at their sides, and definitions of reference links.

Rule: every function reads one line without its end, or the beginning of such a line, so
that it can be called while the line arrives.
"""

import re

from bot.rendering.markdown import beginning

# The most characters of a heading with an underline, and of the first cell of a table
# without pipes at its sides. Headings have about 40 characters. A line is held back for
# as long as it may be one, so this also limits the wait for the beginning of a
# paragraph.
MOST_TITLE = 60
# The most characters of the head of such a table.
MOST_HEAD = 300

_LEAD = re.compile(r"[ \t>]*+")
# Indented code, or too many marks.
_INDENTED = re.compile(r"\A {4}|> {5}|\t|.{61}")
# Ends of sentences, which headings do not contain.
_TITLE_END = re.compile(r"(?<!\d)\.|[…!。！]")
_PIPE = re.compile(r"(?<!\\)\|")

_DEFINITION = re.compile(
    r"\A[ >]{0,60}+\[([^\[\]^\n][^\[\]\n]{0,99}+)\]:[ \t]*+<?(https?://[^\s<>]++)"
)
_DEFINITION_SO_FAR = re.compile(
    r"\A[ >]{0,60}+\[(?:[^\[\]^\n][^\[\]\n]{0,99}+(?:\](?::[^\n]{0,300}+)?)?)?$"
)


def may_become_head(line: str) -> bool:
    """Return True if `line`, or a line that begins with it, can be a heading with an
    underline or the head of a table without pipes at its sides.

    If the result is False for the beginning of a line, it is False for the whole line.
    """
    lead = _LEAD.match(line)
    assert lead is not None
    at = lead.end()
    is_marked = beginning(line) > at or line.startswith("#", at)
    if is_marked or _INDENTED.search(lead[0]):
        return False
    cells = (
        found.start()
        for found in _PIPE.finditer(line, 0, MOST_TITLE + 1)
        if line.count("`", 0, found.start()) % 2 == 0
    )
    pipe = next(cells, None)
    first = line if pipe is None else line[:pipe]
    if len(first) > MOST_TITLE or _TITLE_END.search(first):
        return False
    return len(line) <= MOST_HEAD


def definition(line: str) -> tuple[str, str] | None:
    """Return the label, in lower case, and the address that `line` defines for
    reference links; None for other lines."""
    match = _DEFINITION.match(line)
    return (label(match[1]), match[2]) if match else None


def may_become_definition(line: str) -> bool:
    """Return True if `line` may still become a definition of a reference link."""
    return _DEFINITION_SO_FAR.match(line) is not None


def label(text: str) -> str:
    """Return the label of a reference link in a form for comparison."""
    return " ".join(text.split()).casefold()
